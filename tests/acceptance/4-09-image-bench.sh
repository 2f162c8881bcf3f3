#!/usr/bin/env bash
# title: images beside cosign: time, CPU and requests (short form; the whole one is tests/acceptance/4-09-image-bench.sh --full)
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign registry
mode=--quick
[ "${1:-}" = --full ] && mode=
python3 tests/acceptance/image_bench.py $mode | sed 's/^/REPORT /'
