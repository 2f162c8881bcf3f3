#!/usr/bin/env bash
# title: a Rekor-only server and a CA+CT-only server start and pass their clients
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign js openssl
python3 tests/acceptance/roles.py | sed 's/^/REPORT /'
