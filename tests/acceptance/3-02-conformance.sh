#!/usr/bin/env bash
# title: 70 conformance cases, by path and by digest, through the conformance client
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/acceptance/conformance.py
