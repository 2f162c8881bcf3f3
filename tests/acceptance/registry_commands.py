#!/usr/bin/env python3
"""Acceptance 4.1: every command about images, on every kind of registry, with images pushed by other programs."""

import concurrent.futures
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import PREDICATE, Bulla  # noqa: E402
from foreign import BULLA, Failed, run  # noqa: E402
from guarded import Registry  # noqa: E402
from server import EMAIL, Server  # noqa: E402

REGISTRIES = [
    ("debian", False, None),
    ("debian", True, "basic"),
    ("debian", True, "bearer"),
    ("referrers", False, None),
    ("referrers", True, "basic"),
    ("referrers", True, "bearer"),
]
AT_ONCE = 3
SBOM = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "app", "dataLicense": "CC0-1.0",
        "documentNamespace": "https://example.com/app", "creationInfo": {"created": "2026-01-02T03:04:05Z",
        "creators": ["Tool: test"]}}


def expect(what, condition):
    if not condition:
        raise Failed(what)


class Story:
    """One registry, one signer."""

    def __init__(self, bulla, server, registry):
        self.registry, self.server = registry, server
        self.env = {**bulla.env, **registry.env}
        self.trust = ["--registry-cacert", registry.ca] if registry.tls else []
        self.work = registry.directory
        self.who = ["--certificate-identity", EMAIL, "--certificate-oidc-issuer", server.issuer()]
        self.token = ["--yes", "--identity-token", server.token_file()]
        (self.work / "predicate.json").write_text(json.dumps(PREDICATE))
        (self.work / "sbom.json").write_text(json.dumps(SBOM))

    def bulla(self, *arguments, ok=True, offline=False):
        trust = [] if offline else self.trust
        return run(BULLA, *arguments, *trust, env=self.env, ok=ok)

    def json(self, *arguments):
        return json.loads(self.bulla("--output", "json", *arguments).stdout)

    def sign(self, image, *flags):
        """Signs an image, and says with what it was built and of what it is made."""
        self.bulla("sign", *self.token, *flags, image)
        self.bulla("attest", *self.token, *flags, "--type", "slsaprovenance1", "--predicate", self.work / "predicate.json", image)
        self.bulla("attest", *self.token, *flags, "--type", "spdxjson", "--predicate", self.work / "sbom.json", image)

    def verify(self, image, *flags, ok=True):
        self.bulla("verify", *self.who, *flags, image, ok=ok)
        self.bulla("verify-attestation", "--type", "slsaprovenance1", *self.who, *flags, image, ok=ok)

    def look(self, image):
        """What the commands that only read say about a signed image."""
        [branch] = [b for b in self.json("tree", image) if b["digest"] == self.registry.digest(image)]
        kinds = sorted(twig["kind"] for twig in branch["attached"])
        expect(f"tree: {branch}", kinds == ["attestation", "attestation", "signature"])
        self.bulla("tree", image)
        expect("one signature", len(self.bulla("download", "signature", image).stdout.splitlines()) == 1)
        expect("two attestations", len(self.bulla("download", "attestation", image).stdout.splitlines()) == 2)
        typed = self.bulla("download", "attestation", "--predicate-type", "spdxjson", image).stdout
        expect("one SBOM", len(typed.splitlines()) == 1)
        sbom = self.bulla("download", "sbom", *self.who, image).stdout
        expect(f"the SBOM: {sbom}", json.loads(sbom) == SBOM)
        expect("the SBOM, unverified", json.loads(self.bulla("download", "sbom", "--unverified", image).stdout) == SBOM)
        someone = ["--certificate-identity", "someone@example.com", "--certificate-oidc-issuer", self.server.issuer()]
        self.bulla("download", "sbom", *someone, image, ok=False)
        self.bulla("download", "sbom", image, ok=False)
        digest = self.registry.digest(image).replace(":", "-")
        name = image.rsplit(":", 1)[0]
        for kind, ending in (("signature", ".sig"), ("attestation", ".att"), ("sbom", ".sbom"), ("referrer", "")):
            found = self.bulla("triangulate", "--type", kind, image).stdout.strip()
            expect(f"triangulate: {found}", found == f"{name}:{digest}{ending}")

    def move(self, image, name, *flags):
        """An image goes to disk and back, and to another repository, with all that is attached to it."""
        for place in ("saved", "saved.tar"):
            path = self.work / f"{name}-{place}"
            self.bulla("save", "--dir", path, image)
            self.verify(path, "--local-image", *flags)
            loaded = f"{self.registry.host}/{name}/loaded-{place.replace('.', '-')}:v1"
            self.bulla("load", "--dir", path, loaded)
            expect("the same image", self.registry.digest(loaded) == self.registry.digest(image))
            self.verify(loaded, *flags)
            shutil.rmtree(path, ignore_errors=True)
        copied = f"{self.registry.host}/{name}/copied:v1"
        self.bulla("copy", image, copied)
        self.verify(copied, *flags)
        return copied

    def clean(self, image):
        """What is removed is gone, and only that."""
        self.bulla("clean", "--force", "--type", "attestation", image)
        self.bulla("verify", *self.who, image)
        self.bulla("verify-attestation", "--type", "spdxjson", *self.who, image, ok=False)
        self.bulla("clean", "--force", image)
        self.verify(image, ok=False)
        expect("nothing is left", all(not branch["attached"] for branch in self.json("tree", image)))
        # Signing again works after that.
        self.bulla("sign", *self.token, image)
        self.bulla("verify", *self.who, image)

    def tell(self):
        image, index = self.registry.push_image("app:v1"), self.registry.push_index("multi:v1")
        again = self.registry.push_by_skopeo("skopeo:v1", index)
        self.verify(image, ok=False)
        self.sign(image)
        self.verify(image)
        self.look(image)
        self.clean(self.move(image, "app"))
        for one in (index, again):
            self.sign(one, "--recursive")
            self.verify(one, "--recursive")
            self.verify(one, "--platform", "linux/arm64")
        self.move(index, "multi", "--recursive")
        other = f"{self.registry.host}/copied/replaced:v1"
        self.bulla("copy", index, other)
        self.bulla("copy", again, other, ok=False)
        self.bulla("copy", "--force", again, other)
        part = f"{self.registry.host}/copied/part:v1"
        self.bulla("copy", "--platform", "linux/arm64", index, part)
        self.verify(part)
        self.elsewhere(image)

    def elsewhere(self, image):
        """Signatures in another repository, and an image that nobody has."""
        place = ["--signature-repository", f"{self.registry.host}/signatures"]
        self.bulla("sign", *self.token, *place, image)
        self.bulla("verify", *self.who, *place, image)
        missing = self.bulla("tree", f"{self.registry.host}/nothing:v1", ok=False)
        expect(f"missing: {missing.stderr}", "is not there" in missing.stderr)
        if self.registry.auth:
            env = {**self.env, "DOCKER_CONFIG": "/nonexistent", "REGISTRY_AUTH_FILE": "/nonexistent"}
            refused = run(BULLA, "tree", image, *self.trust, env=env, ok=False)
            expect(f"refused: {refused.stderr}", "docker login" in refused.stderr)
            typed = ["--registry-username", "alice", "--registry-password", "open sesame"]
            run(BULLA, "tree", image, *typed, *self.trust, env=env)


def main():
    server = Server()
    try:
        bulla = Bulla(server)

        def tell(row):
            kind, tls, auth = row
            with Registry(kind, tls, auth) as registry:
                Story(bulla, server, registry).tell()
            print(f"{kind}, {'TLS' if tls else 'no TLS'}, {auth or 'no'} authentication: every command", flush=True)

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(tell, REGISTRIES))
    finally:
        server.stop()


main()
