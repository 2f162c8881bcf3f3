#!/usr/bin/env bash
# title: 200 kill -9 in the middle of a load; nothing acknowledged is lost, changed or there twice
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh python
# shellcheck source=../interop/versions.env
. tests/interop/versions.env
exec "${BULLA_FOREIGN:-$HOME/.cache/bulla/foreign}/python-$SIGSTORE_PYTHON-$TUF_PYTHON/bin/python" tests/acceptance/crash.py "$@"
