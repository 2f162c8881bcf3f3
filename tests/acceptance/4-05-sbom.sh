#!/usr/bin/env bash
# title: SBOMs by syft in all its formats as predicates, both directions
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh cosign python js syft
python3 tests/acceptance/sbom.py | sed 's/^/REPORT /'
