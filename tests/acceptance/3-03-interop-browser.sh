#!/usr/bin/env bash
# title: browser flows of cosign and sigstore-python, device flow of cosign, in a real Chromium
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign python js browser
python3 tests/interop/browser.py | sed 's/^/REPORT /'
