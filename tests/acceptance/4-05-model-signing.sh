#!/usr/bin/env bash
# title: models: model-signing verifies what we sign and the reverse, keyless and with a key, files and shards
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh model-signing openssl
python3 tests/acceptance/models.py | sed 's/^/REPORT /'
