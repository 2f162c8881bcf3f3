#!/usr/bin/env python3
"""Acceptance 4.5: software bills of materials by a real tool, in all its formats, as predicates.

We attest each, and cosign, sigstore-python and sigstore-js verify it; cosign attests each that it takes, and we verify it.
Every time the bill comes out of the verified statement as it went in.
"""

import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla, Cosign3, SigstoreJs, SigstorePython  # noqa: E402
from foreign import BULLA, COSIGN, FOREIGN, ROOT, V, Failed, run  # noqa: E402
from server import EMAIL, Server  # noqa: E402

SYFT = str(FOREIGN / f"syft-{V['SYFT']}/bin/syft")

# How each of the tool's formats is attested. What is no bill of a type that is known travels as `custom`, or under a URI.
TYPES = {
    "spdx-json": "spdxjson",
    "spdx-tag-value": "spdx",
    "cyclonedx-json": "cyclonedx",
    "cyclonedx-xml": "cyclonedx",
    "syft-json": "https://syft.dev/bom",
    "github-json": "https://example.com/github-snapshot",
    "syft-table": "custom",
    "syft-text": "custom",
    "purls": "custom",
}

# A predicate that is text is a JSON string. The library behind cosign's bundles, and sigstore-python, read objects only,
# and say so: neither verifies such a statement, and cosign makes none in a bundle.
AS_TEXT = ("spdx-tag-value", "cyclonedx-xml")
NO_OBJECT = "validation error: invalid attestation: decoding json"
NO_OBJECT_PYTHON = "predicate Input should be an object"
NO_JSON = "invalid character '<'"


def formats():
    """Every format with every version, as the tool itself lists them when it is asked for another."""
    listed = run(SYFT, "scan", f"dir:{ROOT}/docs", "-o", "none-of-these", ok=False)
    text = re.sub(r"\x1b\[[0-9;]*m", "", listed.stderr)
    found = []
    for line in re.findall(r"^\s*- (.+)$", text, re.M):
        name, _, versions = line.strip().partition(" @ ")
        if name == "template":
            continue
        found += [f"{name}@{version}" for version in versions.split(", ")] if versions else [name]
    assert len(found) > 12, text
    return found


def same(left, right):
    """JSON by its meaning, everything else byte for byte (but for the line end that a command adds)."""
    try:
        return json.loads(left) == json.loads(right)
    except ValueError:
        return left.rstrip("\n") == right.rstrip("\n")


class Bills:
    def __init__(self, server):
        self.server = server
        self.bulla, self.cosign = Bulla(server), Cosign3(server)
        self.python, self.js = SigstorePython(server), SigstoreJs(server)
        self.artifact = self.bulla.write("tool.tar.gz", b"the tool")
        self.who = ["--certificate-identity", EMAIL, "--certificate-oidc-issuer", server.issuer()]

    def make(self, forms):
        """Of something with dependencies: our own lock files."""
        paths = {form: self.bulla.home / form.replace("@", "-") for form in forms}
        outputs = [argument for form, path in paths.items() for argument in ("-o", f"{form}={path}")]
        run(SYFT, "scan", f"dir:{ROOT}/fuzz", "-q", *outputs)
        return paths

    def attest(self, program, env, bill, kind, bundle):
        token = ["--identity-token", self.server.token_file(), "--yes", "--bundle", bundle]
        run(program, "attest-blob", "--type", kind, "--predicate", bill, *token, self.artifact, env=env)

    def extract(self, bundle, kind):
        path = "Data" if kind == "custom" else "."
        evidence = ["--bundle", bundle, "--type", kind, "--predicate-path", path]
        done = run(BULLA, "verify-blob-attestation", *self.who, *evidence, self.artifact, env=self.bulla.env)
        return done.stdout

    def ours(self, form, bill, kind):
        """We attest, everybody verifies, and nobody for somebody else."""
        bundle = bill.with_suffix(bill.suffix + ".bulla.sigstore.json")
        self.attest(BULLA, self.bulla.env, bill, kind, bundle)
        assert same(self.extract(bundle, kind), bill.read_text()), f"{form} came out as another"
        issuer, as_text = self.server.issuer(), form.startswith(AS_TEXT)
        evidence = ["--bundle", bundle, "--type", kind, self.artifact]
        self.js.verify("dsse", self.artifact, bundle, EMAIL, issuer)
        python = self.python.verify("dsse", self.artifact, bundle, EMAIL, issuer, ok=not as_text)
        cosign = run(COSIGN, "verify-blob-attestation", *self.who, *evidence, env=self.cosign.env, ok=not as_text)
        if as_text:
            says(NO_OBJECT_PYTHON, python)
            says(NO_OBJECT, cosign)
        return "we, sigstore-js" if as_text else "we, cosign, sigstore-python, sigstore-js"

    def theirs(self, form, bill, kind):
        """cosign attests what it can, and we verify it."""
        bundle = bill.with_suffix(bill.suffix + ".cosign.sigstore.json")
        try:
            self.attest(COSIGN, self.cosign.env, bill, kind, bundle)
        except Failed as refusal:
            if form.startswith(AS_TEXT) and (NO_OBJECT in str(refusal) or NO_JSON in str(refusal)):
                return "cosign makes no bundle of text"
            raise
        assert same(self.extract(bundle, kind), bill.read_text()), f"cosign's {form} came out as another"
        return "cosign's is verified by us"


def says(words, done):
    if words not in " ".join(done.stderr.split()):
        raise Failed(f"it was expected to say {words!r}:\n{done.stderr}")


def main():
    server = Server()
    try:
        bills = Bills(server)
        made = bills.make(formats())
        for form, bill in made.items():
            kind = TYPES[form.split("@")[0]]
            verified, theirs = bills.ours(form, bill, kind), bills.theirs(form, bill, kind)
            print(f"{form:20} --type {kind:40} {verified} verify ours; {theirs}", flush=True)
        print(f"{len(made)} formats of syft {V['SYFT']}: as predicates and back")
    except (Failed, AssertionError):
        print(server.log(), file=sys.stderr)
        raise
    finally:
        server.stop()


if __name__ == "__main__":
    main()
