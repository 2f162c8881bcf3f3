#!/usr/bin/env bash
# title: through a TLS-terminating proxy
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign proxy openssl
python3 tests/interop/proxy.py | sed 's/^/REPORT /'
