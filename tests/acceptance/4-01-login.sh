#!/usr/bin/env bash
# title: login and logout as docker keeps them, in the file and by a credential helper; registries that want a certificate
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh registry openssl
python3 tests/acceptance/registry_login.py | sed 's/^/REPORT /'
