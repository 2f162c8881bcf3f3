#!/usr/bin/env bash
# title: Debian's podman and skopeo pull what we signed in the older form under sigstoreSigned, and nothing else
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh registry podman
python3 tests/acceptance/podman_pull.py | sed 's/^/REPORT /'
