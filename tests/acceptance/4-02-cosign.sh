#!/usr/bin/env bash
# title: container images with cosign, both directions: registries, logs, formats, keyless and keys of all kinds, recursive, tree, save, load
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign registry openssl
python3 tests/acceptance/image_matrix.py | sed 's/^/REPORT /'
python3 tests/acceptance/older_keys.py | sed 's/^/REPORT /'
