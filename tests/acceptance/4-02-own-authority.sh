#!/usr/bin/env bash
# title: files and images with certificates of a company's own authority, cosign in both directions, and what neither signs with
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign openssl registry
python3 tests/acceptance/own_authority.py | sed 's/^/REPORT /'
