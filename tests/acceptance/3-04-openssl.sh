#!/usr/bin/env bash
# title: openssl accepts our timestamps and chains, and reads our refusals
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/interop/setup.sh openssl
exec python3 - <<'PYTHON'
import sys
sys.path.insert(0, "tests/interop")
from foreign import run
from server import Server
server = Server()
try:
    print(run("tests/acceptance/openssl.sh", server.local).stdout)
finally:
    server.stop()
PYTHON
