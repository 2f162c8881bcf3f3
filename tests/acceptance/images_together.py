"""Acceptance 4-02: where signatures of images go: one for several images, in the place of another, or into a file.

On a registry with referrers and on one without; what we write is verified by cosign, too.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla, Cosign3  # noqa: E402
from foreign import BULLA, COSIGN, Failed, run  # noqa: E402
from registries import REGISTRIES  # noqa: E402
from server import EMAIL, Server  # noqa: E402

TYPE = "https://example.com/together/v1"


def expect(what, condition):
    if not condition:
        raise Failed(what)


class Story:
    """One registry."""

    def __init__(self, server, registry, ours, theirs):
        self.server, self.registry, self.ours, self.theirs = server, registry, ours, theirs
        self.token = ["--yes", "--identity-token", server.token_file()]
        self.who = ["--certificate-identity", EMAIL, "--certificate-oidc-issuer", server.issuer()]
        self.work = pathlib.Path(registry.directory)

    def bulla(self, *arguments, ok=True):
        return run(BULLA, *arguments, env=self.ours.env, ok=ok)

    def json(self, *arguments):
        return json.loads(self.bulla("--output", "json", *arguments).stdout)

    def attest(self, *arguments, what=None, ok=True):
        predicate = self.work / "predicate.json"
        predicate.write_text(json.dumps(what or {"a": 1}))
        return self.bulla("attest", *self.token, "--type", TYPE, "--predicate", predicate, *arguments, ok=ok)

    def statements(self, image):
        """The statements about an image that verified, after cosign has verified it, too."""
        verify = ["verify-attestation", "--type", TYPE, *self.who, image]
        run(COSIGN, *verify, env=self.theirs.env)
        return [json.loads(line) for line in self.bulla(*verify).stdout.splitlines()]

    def images(self, name):
        """Images of two repositories, by digest."""
        tags = [self.registry.push(f"{name}/{part}", f"{name} {part}") for part in ("web", "worker")]
        return [self.by_digest(tag) for tag in tags]

    def by_digest(self, tag):
        found = self.bulla("triangulate", "--type", "digest", tag).stdout.strip()
        expect(f"a digest: {found}", "@sha256:" in found)
        return found

    def together(self):
        """One attestation names two images of two repositories, in both forms."""
        images = self.images("together")
        report = self.json("attest", *self.token, "--type", TYPE, "--predicate", self.ours.predicate, "--together", *images)
        entries = [signed["logEntries"] for signed in report["signed"]]
        expect(f"one entry: {entries}", len(entries) == 2 and entries[0] == entries[1] and len(entries[0]) == 1)
        for image in images:
            [statement] = self.statements(image)
            expect(f"two subjects: {statement}", len(statement["subject"]) == 2)
        older = self.images("older")
        self.attest("--together", "--format", "legacy", *older)
        for image in older:
            old = ["verify-attestation", "--new-bundle-format=false", "--type", TYPE, *self.who, image]
            run(COSIGN, *old, env=self.theirs.env)
            self.bulla("verify-attestation", "--type", TYPE, *self.who, image)

    def sign_together(self):
        """One signature of two images; the older form cannot have one."""
        images = self.images("signed")
        self.bulla("sign", *self.token, "--together", "-a", "env=prod", *images)
        self.bulla("verify", *self.who, "-a", "env=prod", *images)
        for image in images:
            run(COSIGN, "verify", *self.who, image, env=self.theirs.env)
        refused = self.bulla("sign", *self.token, "--together", "--format", "both", *images, ok=False)
        expect(f"usage: {refused.stderr}", refused.returncode == 2 and "--together" in refused.stderr)
        index = self.registry.push_index("signed/index", "index")
        self.bulla("sign", *self.token, "--together", "--recursive", index)
        self.bulla("verify", *self.who, "--recursive", index)

    def statement(self):
        """A statement that was made elsewhere is attached to what it is about, and to nothing else."""
        images, [stranger, _] = self.images("whole"), self.images("stranger")
        subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in (i.split("@sha256:") for i in images)]
        statement = self.work / "statement.json"
        body = {"_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": TYPE, "predicate": {"b": 2}}
        statement.write_text(json.dumps(body))
        self.bulla("attest", *self.token, "--statement", statement, *images)
        for image in images:
            expect("the statement itself", self.statements(image) == [body])
        refused = self.bulla("attest", *self.token, "--statement", statement, images[0], stranger, ok=False)
        expect(f"refused: {refused.stderr}", refused.returncode == 1 and "is not about" in refused.stderr)

    def replace(self):
        """The new attestation is the only one of its type, whatever form the older ones have."""
        [image, _] = self.images("replaced")
        self.attest(image, what={"run": 1})
        self.attest("--format", "legacy", image, what={"run": 2})
        self.bulla("attest", *self.token, "--predicate", self.ours.predicate, "--type", "slsaprovenance1", image)
        expect("two at first", len(self.statements(image)) == 2)
        self.attest("--replace", image, what={"run": 3})
        found = [statement["predicate"] for statement in self.statements(image)]
        expect(f"one after that: {found}", found == [{"run": 3}])
        self.bulla("verify-attestation", *self.who, "--type", "slsaprovenance1", image)

    def keep(self):
        """A bundle goes into a file, from there to the registry, and only to the image that it is about."""
        images, [stranger, _] = self.images("kept"), self.images("not-kept")
        bundle = self.work / "kept.json"
        self.bulla("sign", *self.token, "--upload=false", "--bundle", bundle, images[0])
        self.bulla("verify", *self.who, images[0], ok=False)
        refused = self.bulla("attach", "--bundle", bundle, stranger, ok=False)
        expect(f"refused: {refused.stderr}", refused.returncode == 1 and "is not about" in refused.stderr)
        self.bulla("attach", "--bundle", bundle, images[0])
        self.bulla("verify", *self.who, images[0])
        run(COSIGN, "verify", *self.who, images[0], env=self.theirs.env)
        self.attest("--together", "--no-upload", "--bundle", bundle, *images)
        self.bulla("attach", "--bundle", bundle, *images)
        for image in images:
            self.statements(image)
        theirs = self.work / "theirs.json"
        run(COSIGN, "sign", *self.token, "--upload=false", "--bundle", theirs, images[1], env=self.theirs.env)
        self.bulla("attach", "--bundle", theirs, images[1])
        self.bulla("verify", *self.who, images[1])

    def tell(self):
        for part in (self.together, self.sign_together, self.statement, self.replace, self.keep):
            part()
            print(f"{self.registry.name}: {part.__doc__.strip()}", flush=True)


def main():
    server = Server()
    registries = []
    try:
        ours, theirs = Bulla(server), Cosign3(server)
        for kind in REGISTRIES:
            registries.append(kind())
            Story(server, registries[-1], ours, theirs).tell()
    finally:
        for one in (*registries, server):
            one.stop()


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
