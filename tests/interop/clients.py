"""The clients of the matrix: each signs and verifies files and attestations, configured by the trust repository alone."""

import json
import pathlib
import re
import tempfile

from foreign import BULLA, COSIGN, COSIGN2, HERE, NODE_MODULES, SIGSTORE_PYTHON, run

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
PREDICATE = {
    "buildDefinition": {
        "buildType": "https://example.com/build/v1",
        "externalParameters": {"ref": "main"},
        "internalParameters": {},
        "resolvedDependencies": [],
    },
    "runDetails": {"builder": {"id": "https://example.com/builder"}, "metadata": {"invocationId": "1"}},
}


class Client:
    """What all of them need: a server, a folder of their own, its trust root and signing configurations."""

    name = ""
    apis = ("v2", "v1")
    # Pairs of API and kind that the client cannot sign for, whatever the server: why, and what it says.
    cannot_sign = {}

    def __init__(self, server):
        self.server = server
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"client-{self.name}-", dir=server.directory))
        self.tuf = server.url + "/tuf"
        self.root = self.write("root.json", server.get("/tuf/1.root.json"))
        self.predicate = self.write("predicate.json", json.dumps(PREDICATE).encode())
        targets = json.loads(server.get(f"/tuf/{self.version('targets')}.targets.json"))["signed"]["targets"]
        self.targets = {
            name: self.write(name, server.get(f"/tuf/targets/{entry['hashes']['sha256']}.{name}"))
            for name, entry in targets.items()
        }
        self.env = {"HOME": str(self.home), "XDG_DATA_HOME": str(self.home / "data"), "SIGSTORE_NO_CACHE": ""}
        self.env.update(server.extra)
        self.prepare()

    def version(self, role):
        snapshot = json.loads(self.server.get("/tuf/timestamp.json"))["signed"]["meta"]["snapshot.json"]["version"]
        meta = json.loads(self.server.get(f"/tuf/{snapshot}.snapshot.json"))["signed"]["meta"]
        return meta[f"{role}.json"]["version"]

    def write(self, name, content):
        path = self.home / name
        path.write_bytes(content)
        return path

    def prepare(self):
        """Once, before anything else."""

    def sign(self, kind, api, artifact, out):
        raise NotImplementedError

    def verify(self, kind, artifact, bundle, identity, issuer, ok=True):
        raise NotImplementedError


class Bulla(Client):
    name = "bulla"

    def prepare(self):
        fingerprint = re.search(r"SHA256:[0-9a-f]{64}", self.server.init_output.stdout + self.server.init_output.stderr)
        run(BULLA, "trust", "add", self.server.url, "--fingerprint", fingerprint[0], env=self.env)

    def sign(self, kind, api, artifact, out):
        token = ["--identity-token", self.server.token_file(), "--rekor", api, "--yes", "--bundle", out]
        if kind == "file":
            run(BULLA, "sign-blob", *token, artifact, env=self.env)
        else:
            attest = ["--predicate", self.predicate, "--type", "slsaprovenance1"]
            run(BULLA, "attest-blob", *attest, *token, artifact, env=self.env)

    def verify(self, kind, artifact, bundle, identity, issuer, ok=True):
        who = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer, "--bundle", bundle]
        if kind == "file":
            return run(BULLA, "verify-blob", *who, artifact, env=self.env, ok=ok)
        return run(BULLA, "verify-blob-attestation", "--type", "slsaprovenance1", *who, artifact, env=self.env, ok=ok)


class Cosign3(Client):
    name = "cosign-3"

    def prepare(self):
        self.env["TUF_ROOT"] = str(self.home / "tuf")
        run(COSIGN, "initialize", "--mirror", self.tuf, "--root", self.root, env=self.env)

    def sign(self, kind, api, artifact, out):
        common = ["--identity-token", self.server.token_file(), "--bundle", out, "--yes"]
        if api == "v1":
            common += ["--signing-config", self.targets["signing_config_rekor_v1.v0.2.json"]]
        if kind == "file":
            run(COSIGN, "sign-blob", *common, artifact, env=self.env)
        else:
            attest = ["--predicate", self.predicate, "--type", "slsaprovenance1"]
            run(COSIGN, "attest-blob", *attest, *common, artifact, env=self.env)

    def verify(self, kind, artifact, bundle, identity, issuer, ok=True):
        who = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer, "--bundle", bundle]
        if kind == "file":
            return run(COSIGN, "verify-blob", *who, artifact, env=self.env, ok=ok)
        return run(COSIGN, "verify-blob-attestation", "--type", "slsaprovenance1", *who, artifact, env=self.env, ok=ok)


class Cosign2(Client):
    name = "cosign-2"
    apis = ("v1",)

    def prepare(self):
        self.env["TUF_ROOT"] = str(self.home / "tuf")
        run(COSIGN2, "initialize", "--mirror", self.tuf, "--root", self.root, env=self.env)

    def sign(self, kind, api, artifact, out):
        url = self.server.url
        common = [
            "--fulcio-url", url, "--rekor-url", url, "--oidc-issuer", self.server.issuer(),
            "--identity-token", self.server.token_file(), "--new-bundle-format", "--bundle", out, "--yes",
        ]  # fmt: skip
        if kind == "file":
            run(COSIGN2, "sign-blob", *common, artifact, env=self.env)
        else:
            attest = ["--predicate", self.predicate, "--type", "slsaprovenance1"]
            run(COSIGN2, "attest-blob", *attest, *common, artifact, env=self.env)

    def verify(self, kind, artifact, bundle, identity, issuer, ok=True):
        who = [
            "--certificate-identity", identity, "--certificate-oidc-issuer", issuer, "--bundle", bundle,
            "--new-bundle-format",
        ]  # fmt: skip
        if kind == "file":
            return run(COSIGN2, "verify-blob", *who, artifact, env=self.env, ok=ok)
        return run(COSIGN2, "verify-blob-attestation", "--type", "slsaprovenance1", *who, artifact, env=self.env, ok=ok)


class SigstorePython(Client):
    name = "sigstore-python"

    def prepare(self):
        run(SIGSTORE_PYTHON, "--instance", self.tuf, "trust-instance", self.root, env=self.env)
        config = {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": json.loads(self.targets["trusted_root.json"].read_text()),
            "signingConfig": json.loads(self.targets["signing_config_rekor_v1.v0.2.json"].read_text()),
        }
        self.v1 = self.write("trust-config-v1.json", json.dumps(config).encode())

    def sign(self, kind, api, artifact, out):
        trust = ["--instance", self.tuf] if api == "v2" else ["--trust-config", self.v1]
        common = ["--identity-token", self.server.token(), "--bundle", out, "--overwrite"]
        if kind == "file":
            run(SIGSTORE_PYTHON, *trust, "sign", *common, artifact, env=self.env)
        else:
            attest = ["--predicate", self.predicate, "--predicate-type", PREDICATE_TYPE]
            run(SIGSTORE_PYTHON, *trust, "attest", *attest, *common, artifact, env=self.env)

    def verify(self, kind, artifact, bundle, identity, issuer, ok=True):
        return run(
            SIGSTORE_PYTHON, "--instance", self.tuf, "verify", "identity", "--offline",
            "--cert-identity", identity, "--cert-oidc-issuer", issuer, "--bundle", bundle, artifact,
            env=self.env, ok=ok,
        )  # fmt: skip


class SigstoreJs(Client):
    name = "sigstore-js"
    # It still sends dsseRequestV002, which rekor-tiles has refused since v2.3.0 with these words, as we do.
    cannot_sign = {("v2", "dsse"): "invalid type, must be hashedrekord"}

    def prepare(self):
        self.env["NODE_MODULES"] = NODE_MODULES

    def node(self, *arguments, ok=True):
        return run("node", HERE / "js/sigstore.js", *arguments, env=self.env, ok=ok)

    def sign(self, kind, api, artifact, out):
        payload, media = artifact, ""
        if kind == "dsse":
            payload, media = self.write("statement.json", statement(artifact)), "application/vnd.in-toto+json"
        command = "sign" if kind == "file" else "attest"
        self.node(command, api, self.tuf, self.root, self.server.token_file(), payload, media, out)

    def verify(self, kind, artifact, bundle, identity, issuer, ok=True):
        return self.node("verify", self.tuf, self.root, identity, issuer, bundle, artifact, ok=ok)


def statement(artifact):
    import hashlib

    digest = hashlib.sha256(pathlib.Path(artifact).read_bytes()).hexdigest()
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": pathlib.Path(artifact).name, "digest": {"sha256": digest}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": PREDICATE,
        }
    ).encode()


FOREIGN_CLIENTS = [Cosign3, SigstorePython, SigstoreJs, Cosign2]
