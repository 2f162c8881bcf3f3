#!/usr/bin/env bash
# title: every command about images on real registries, with and without referrers, TLS, basic and bearer authentication
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh registry openssl
python3 tests/acceptance/registry_commands.py | sed 's/^/REPORT /'
