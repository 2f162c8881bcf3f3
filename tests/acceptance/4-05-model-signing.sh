#!/usr/bin/env bash
# title: models: model-signing verifies what we sign and the reverse, keyless, with keys and with certificates, files and shards
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh model-signing openssl
python3 tests/acceptance/models.py | sed 's/^/REPORT /'
