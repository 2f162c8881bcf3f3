#!/usr/bin/env python3
"""Acceptance 4: python-tuf, cosign 3 and 2, sigstore-python and sigstore-js read the trust repository of a running server."""

import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from foreign import BULLA, COSIGN, COSIGN2, NODE_MODULES, SIGSTORE_PYTHON, run  # noqa: E402
from server import Server  # noqa: E402
from tuf_reader import read  # noqa: E402

JS = """
const tuf = require(require("path").join(process.env.NODE_MODULES, "@sigstore/tuf"));
const [, , mirrorURL, rootPath, cachePath] = process.argv;
tuf.initTUF({ mirrorURL, rootPath, cachePath, forceInit: true })
  .then(() => tuf.getTrustedRoot({ mirrorURL, rootPath, cachePath }))
  .then((root) => console.log(root.tlogs.length), (e) => { console.error(e); process.exit(1); });
"""


def main():
    server = Server()
    try:
        base = f"{server.url}/tuf/"
        root = server.directory / "1.root.json"
        root.write_bytes(server.get("/tuf/1.root.json"))
        digest = hashlib.sha256(root.read_bytes()).hexdigest()
        assert f"SHA256:{digest}" in server.init_output.stdout, "init printed another fingerprint"
        versions = read(base, root, server.directory / "python-tuf")
        print(f"python-tuf reads the server, versions {versions}: pass")

        for program in (COSIGN, COSIGN2):
            home = server.directory / pathlib.Path(program).parent.parent.name
            home.mkdir()
            env = {**server.env, "HOME": str(home), "TUF_ROOT": str(home / "tuf")}
            run(program, "initialize", "--mirror", base.rstrip("/"), "--root", f"{base}1.root.json", "--root-checksum", digest, env=env)  # fmt: skip
            wrong = "0" * 64
            run(program, "initialize", "--mirror", base.rstrip("/"), "--root", f"{base}1.root.json", "--root-checksum", wrong, env=env, ok=False)  # fmt: skip
            print(f"{home.name} initialize reads the server, and refuses another fingerprint: pass")

        run(SIGSTORE_PYTHON, "--instance", base.rstrip("/"), "trust-instance", root, env=server.env)
        print("sigstore-python trust-instance reads the server: pass")
        script = server.directory / "tuf.js"
        script.write_text(JS)
        env = {**server.env, "NODE_MODULES": NODE_MODULES}
        logs = run("node", script, base.rstrip("/"), root, server.directory / "js", env=env).stdout.strip()
        assert logs == "2", f"sigstore-js sees {logs} logs"
        print("sigstore-js reads the server: pass")

        run(BULLA, "trust", "add", server.url, "--fingerprint", f"SHA256:{digest}", env=server.env)
        run(BULLA, "trust", "add", server.url, "--fingerprint", "SHA256:" + "0" * 64, env=server.env, ok=False)
        ours = run(BULLA, "trust", "show", env=server.env).stdout
        both = json.loads(server.get("/client_trust_config.json"))
        assert json.loads(ours) == both["trustedRoot"], "the trusted roots differ"
        print("bulla trust add reads the server, and refuses another fingerprint: pass")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
