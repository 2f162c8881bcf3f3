#!/usr/bin/env bash
# title: one statement about several images, attestations replaced, bundles kept and attached later: with cosign
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign registry
python3 tests/acceptance/images_together.py | sed 's/^/REPORT /'
