#!/usr/bin/env python3
"""Acceptance 8: parts that run alone. An identity provider, a CA with its CT log, and a Rekor are three servers here."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from foreign import BULLA, COSIGN, NODE_MODULES, Failed, run  # noqa: E402
from server import EMAIL, Server  # noqa: E402

FULCIO = """
const path = require("path");
const { FulcioSigner } = require(path.join(process.env.NODE_MODULES, "@sigstore/sign"));
const token = require("fs").readFileSync(process.argv[3], "utf8").trim();
new FulcioSigner({ fulcioBaseURL: process.argv[2], identityProvider: { getToken: async () => token } })
  .sign(Buffer.from("hello"))
  .then((s) => process.stdout.write(s.key.certificate), (e) => { console.error(e); process.exit(1); });
"""


def expect_404(server, path):
    import urllib.error

    try:
        server.get(path)
    except urllib.error.HTTPError as error:
        assert error.code == 404, f"{path}: {error.code}"
        return
    raise Failed(f"{path} is served by a server that does not run that part")


def rekor_alone():
    """cosign signs with a key against a server that has nothing but a Rekor v2, and verifies with a trusted root made by hand."""
    server = Server(roles=["rekor-v2"])
    try:
        home = server.directory
        env = {**server.env, "COSIGN_PASSWORD": "", "TUF_ROOT": str(home / "tuf")}
        run(COSIGN, "generate-key-pair", env=env, cwd=home)
        key = run(BULLA, "public-key", "--dir", server.data, "--role", "rekor-v2", env=env).stdout
        (home / "rekor.pub").write_text(key)
        start = "2024-01-01T00:00:00Z"
        run(
            BULLA, "trusted-root", "create", "--out", home / "root.json",
            "--rekor", f"url={server.url},public-key={home}/rekor.pub,start-time={start},origin=localhost", env=env,
        )  # fmt: skip
        run(
            BULLA, "signing-config", "create", "--out", home / "config.json",
            "--rekor", f"url={server.url},api-version=2,start-time={start},operator=us", "--rekor-config", "ANY", env=env,
        )  # fmt: skip
        (home / "hello.txt").write_text("hello")
        bundle = home / "hello.sigstore.json"
        run(
            COSIGN, "sign-blob", "--key", home / "cosign.key", "--signing-config", home / "config.json",
            "--trusted-root", home / "root.json", "--bundle", bundle, "--yes", home / "hello.txt", env=env,
        )  # fmt: skip
        for program in (COSIGN, BULLA):
            run(
                program, "verify-blob", "--key", home / "cosign.pub", "--trusted-root", home / "root.json",
                "--bundle", bundle, home / "hello.txt", env=env,
            )  # fmt: skip
        expect_404(server, "/api/v2/trustBundle")
        print("Rekor v2 alone: cosign signs with a key, cosign and bulla verify: pass")
    finally:
        server.stop()


def authority_alone():
    """sigstore-js gets a certificate from a server that has nothing but CA and CT log; tokens come from another server."""
    people = Server(roles=["idp"])
    server = Server(roles=["ca", "ct"])
    try:
        server.stop()
        issuers = server.data / "fulcio.yaml"
        issuers.write_text(issuers.read_text().replace(server.url + "/auth", people.url + "/auth"))
        server.start()
        script = server.directory / "fulcio.js"
        script.write_text(FULCIO)
        env = {**server.env, "NODE_MODULES": NODE_MODULES}
        certificate = run("node", script, server.url, people.token_file(), env=env).stdout
        leaf = server.directory / "leaf.pem"
        leaf.write_text(certificate)
        chain = json.loads(server.get("/api/v2/trustBundle"))["chains"][0]["certificates"]
        (server.directory / "root.pem").write_text(chain[-1])
        (server.directory / "intermediate.pem").write_text(chain[0])
        run(
            "openssl", "verify", "-ignore_critical", "-purpose", "any", "-CAfile", server.directory / "root.pem",
            "-untrusted", server.directory / "intermediate.pem", leaf,
        )  # fmt: skip
        text = run("openssl", "x509", "-in", leaf, "-noout", "-text").stdout
        assert f"email:{EMAIL}" in text and "CT Precertificate SCTs" in text, text
        size = json.loads(server.get("/ct/1/ct/v1/get-sth"))["tree_size"]
        assert size == 1, f"the CT log has {size} entries"
        expect_404(server, "/api/v1/log")
        print("CA and CT log alone: sigstore-js gets a certificate, openssl accepts its chain: pass")
    finally:
        server.stop()
        people.stop()


if __name__ == "__main__":
    rekor_alone()
    authority_alone()
