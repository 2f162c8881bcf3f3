#!/usr/bin/env bash
# title: two hundred concurrent signers of one image lose nothing; faults of a registry at every request
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh registry
python3 tests/acceptance/registry_faults.py | sed 's/^/REPORT /'
