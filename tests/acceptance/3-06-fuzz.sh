#!/usr/bin/env bash
# title: fuzz targets: corpora replayed, each run for five seconds
set -euo pipefail
cd "$(dirname "$0")/../.."
exec fuzz/run.sh 5
