#!/usr/bin/env bash
# title: releases in one signature, lists, Maven repositories and manifests, with sigstore-python, sigstore-js and cosign
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign python js
python3 tests/acceptance/together.py | sed 's/^/REPORT /'
