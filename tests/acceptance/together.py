#!/usr/bin/env python3
"""Acceptance 4.5: what is signed together verifies with every client, and what changed in a release is named.

Releases, lists of checksums, Maven repositories and Kubernetes manifests, by the real program against a real server.
"""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla, Cosign3, SigstoreJs, SigstorePython  # noqa: E402
from foreign import BULLA, COSIGN, PYTHON, Failed, run  # noqa: E402
from server import EMAIL, Server  # noqa: E402

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"

MANIFESTS = {
    "web.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
    "sub/job.yaml": "# one document\napiVersion: batch/v1\nkind: Job\nmetadata: {name: job}\n",
}

ARTIFACTS = [
    "org/acme/tool/1.0/tool-1.0.jar",
    "org/acme/tool/1.0/tool-1.0-sources.jar",
    "org/acme/tool/1.0/tool-1.0.pom",
    "org/acme/tool/1.0/tool-1.0.module",
    "org/acme/tool/1.1-SNAPSHOT/tool-1.1-20260102.030405-6.jar",
]
COMPANIONS = [
    "org/acme/tool/1.0/tool-1.0.jar.sha1",
    "org/acme/tool/1.0/tool-1.0.jar.asc",
    "org/acme/tool/maven-metadata.xml",
    "archetype-catalog.xml",
]


class Story:
    """One server, one signer, and what both say."""

    def __init__(self, server):
        self.server = server
        self.bulla = Bulla(server)
        self.work = self.bulla.home
        self.count = 0

    def directory(self, name, files):
        directory = self.work / name
        for file, text in files.items():
            (directory / file).parent.mkdir(parents=True, exist_ok=True)
            (directory / file).write_text(text)
        return directory

    def sign(self, *arguments):
        token = ["--identity-token", self.server.token_file(), "--yes"]
        return run(BULLA, "sign-blob", *token, *arguments, env=self.bulla.env, cwd=self.work)

    def verify(self, *arguments, ok=True, who=EMAIL, says=""):
        identity = ["--certificate-identity", who, "--certificate-oidc-issuer", self.server.issuer()]
        done = run(BULLA, "verify-blob", *identity, *arguments, env=self.bulla.env, cwd=self.work, ok=ok)
        if says not in done.stdout + done.stderr:
            raise Failed(f"verify-blob {arguments} should say {says!r}:\n{done.stderr}")
        self.count += 1
        return done

    def done(self, what):
        print(f"{what}: {self.count} verifications as expected", flush=True)
        self.count = 0


def release(story):
    """One bundle for a directory: any file of it, all of it, a list of it."""
    files = {"tool.tar.gz": "tool", "tool.zip": "zip", "doc/read me.txt": "words"}
    dist = story.directory("dist", files)
    story.sign("--together", "dist")
    bundle = dist / "release.sigstore.json"
    assert names(bundle) == sorted(files), names(bundle)

    story.verify("dist/tool.tar.gz")
    story.verify("dist/tool.tar.gz", "dist/tool.zip")
    for file in files:
        story.verify("--bundle", bundle, dist / file)
        story.verify("--bundle", bundle, "sha256:" + hashlib.sha256(files[file].encode()).hexdigest())
    story.verify("--all", "dist", says="3 files, none missing, none added")
    story.verify("--all", "dist", who="mallory@example.com", ok=False, says="check: identity")

    (dist / "more").write_text("more")
    story.verify("--all", "dist", ok=False, says="not signed: more")
    story.verify("dist/more", ok=False, says="check: statement-subject")
    (dist / "more").unlink()
    (dist / "tool.zip").write_text("other")
    story.verify("--all", "dist", ok=False, says="changed: tool.zip")
    (dist / "tool.zip").unlink()
    story.verify("--all", "dist", ok=False, says="missing: tool.zip")
    # Two files that changed places have the right contents under the wrong names.
    (dist / "tool.zip").write_text(files["tool.tar.gz"])
    (dist / "tool.tar.gz").write_text(files["tool.zip"])
    story.verify("--all", "dist", ok=False, says="changed: tool.tar.gz, tool.zip")
    for file, text in files.items():
        (dist / file).write_text(text)

    # One of the files under the name of another is signed, and it is said as what.
    (dist / "tool.tar.gz").write_text(files["tool.zip"])
    story.verify("dist/tool.tar.gz", says="was signed under another name: tool.zip")
    (dist / "tool.tar.gz").write_text(files["tool.tar.gz"])

    # Signing again leaves out the bundle of last time.
    story.sign("--together", *sorted(dist.iterdir()))
    assert names(bundle) == sorted(files), names(bundle)
    story.verify("--all", "dist")
    story.done("a release in one signature")
    return dist, bundle


def checksums(story, dist):
    """SHA256SUMS, signed itself, or naming what was signed together."""
    lists = {"SHA256SUMS": "sha256", "SHA512SUMS": "sha512"}
    files = ["tool.tar.gz", "tool.zip", "doc/read me.txt"]
    for name, algorithm in lists.items():
        lines = [f"{hashlib.new(algorithm, (dist / file).read_bytes()).hexdigest()}  {file}\n" for file in files]
        (dist / name).write_text("".join(lines))
    for name in lists:
        story.verify("--checksums", dist / name, says="Verified OK: 3 files")
    (dist / "tool.zip").rename(story.work / "aside")
    story.verify("--checksums", dist / "SHA256SUMS", ok=False, says="missing: tool.zip")
    story.verify("--checksums", dist / "SHA256SUMS", "--ignore-missing", says="Verified OK: 2 files")
    (story.work / "aside").rename(dist / "tool.zip")
    # A list that somebody else wrote, for files of theirs.
    (dist / "tool.zip").write_text("other")
    other = (dist / "SHA256SUMS").read_text().replace(hashlib.sha256(b"zip").hexdigest(), hashlib.sha256(b"other").hexdigest())
    (dist / "OTHERSUMS").write_text(other)
    story.verify("--checksums", dist / "OTHERSUMS", ok=False, says="changed: tool.zip")
    story.verify("--checksums", dist / "SHA256SUMS", ok=False, says="changed: tool.zip")
    (dist / "tool.zip").write_text("zip")

    # A name that would be read for ever is not read.
    os.mkfifo(dist / "pipe")
    (dist / "PIPESUMS").write_text((dist / "SHA256SUMS").read_text() + "0" * 64 + "  pipe\n")
    story.verify("--checksums", dist / "PIPESUMS", ok=False, says="is not a file")
    (dist / "pipe").unlink()
    (dist / "PIPESUMS").unlink()

    # The common practice: only the list is signed.
    lone = story.work / "lone"
    shutil.copytree(dist, lone, ignore=shutil.ignore_patterns("*.sigstore.json"))
    story.verify("--checksums", lone / "SHA256SUMS", ok=False, says="has no bundle beside it")
    story.sign(lone / "SHA256SUMS")
    story.verify("--checksums", lone / "SHA256SUMS", says="Verified OK: 3 files")
    (lone / "tool.zip").write_text("other")
    story.verify("--checksums", lone / "SHA256SUMS", ok=False, says="changed: tool.zip")
    (lone / "SHA256SUMS").write_text(other)
    story.verify("--checksums", lone / "SHA256SUMS", ok=False, says="check: artifact-digest")
    for name in ("SHA256SUMS", "SHA512SUMS", "OTHERSUMS"):
        (dist / name).unlink()
    story.done("lists of checksums")


def maven(story):
    """A bundle beside each artifact, one certificate for all."""
    repository = story.directory("repository", {name: name for name in ARTIFACTS + COMPANIONS})
    story.sign("--maven", repository)
    bundles = sorted(str(path.relative_to(repository)) for path in repository.rglob("*.sigstore.json"))
    assert bundles == sorted(name + ".sigstore.json" for name in ARTIFACTS), bundles
    certificates = {certificate(repository / bundle) for bundle in bundles}
    assert len(certificates) == 1, f"{len(certificates)} certificates"
    story.verify("--maven", repository, says="Verified OK: 5 files")
    story.sign("--maven", repository)
    story.verify("--maven", repository / "org/acme/tool/1.0", says="Verified OK: 4 files")
    (repository / ARTIFACTS[0]).write_text("other")
    story.verify("--maven", repository, ok=False, says="tool-1.0.jar is not verified")
    (repository / (ARTIFACTS[0] + ".sigstore.json")).unlink()
    story.verify("--maven", repository, ok=False, says="tool-1.0.jar has no bundle beside it")
    story.done("a Maven repository")


def kubernetes(story):
    """Manifests with several documents are files: alone, and together."""
    k8s = story.directory("k8s", MANIFESTS)
    manifests = [k8s / name for name in MANIFESTS]
    story.sign(*manifests)
    story.verify(*manifests, says="Verified OK: 2 files")
    for manifest in manifests:
        manifest.with_name(manifest.name + ".sigstore.json").unlink()
    story.sign("--together", "k8s", "--bundle", "k8s.sigstore.json")
    story.verify("--all", "k8s", "--bundle", "k8s.sigstore.json")
    web = k8s / "web.yaml"
    # A change that means the same to a cluster is a change.
    web.write_text(web.read_text() + "\n")
    story.verify("--all", "k8s", "--bundle", "k8s.sigstore.json", ok=False, says="changed: web.yaml")
    story.done("Kubernetes manifests")


def foreign_verifiers(story, dist, bundle):
    """Unmodified clients take the bundle of a release for each of its files, and for no other."""
    server, issuer = story.server, story.server.issuer()
    cosign, python, js = Cosign3(server), SigstorePython(server), SigstoreJs(server)
    other = story.work / "other.txt"
    other.write_text("other")
    who = ["--certificate-identity", EMAIL, "--certificate-oidc-issuer", issuer, "--bundle", bundle]
    files = [dist / name for name in names(bundle)]
    for file in files:
        run(COSIGN, "verify-blob", *who, file, env=cosign.env)
        run(COSIGN, "verify-blob-attestation", "--type", SIGNATURE, *who, file, env=cosign.env)
        python.verify("dsse", file, bundle, EMAIL, issuer)
    js.verify("dsse", files[0], bundle, EMAIL, issuer)
    run(COSIGN, "verify-blob", *who, other, env=cosign.env, ok=False)
    python.verify("dsse", other, bundle, EMAIL, issuer, ok=False)
    js.verify("dsse", files[0], bundle, "mallory@example.com", issuer, ok=False)
    print(f"{len(files)} files each verify with cosign (two commands), sigstore-python and sigstore-js", flush=True)


def foreign_signers(story, dist):
    """A statement about several files that another client signed is a release, too."""
    server = story.server
    # Ours would be one file too many.
    (dist / "release.sigstore.json").unlink()
    files = sorted(path for path in dist.rglob("*") if path.is_file())
    subjects = [
        {"name": str(file.relative_to(dist)), "digest": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}}
        for file in files
    ]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": SIGNATURE,
        "predicate": {},
    }
    payload = story.work / "statement.json"
    payload.write_text(json.dumps(statement))
    bundle = story.work / "cosign.sigstore.json"
    token = ["--identity-token", server.token_file(), "--yes"]
    run(COSIGN, "attest-blob", "--statement", payload, "--bundle", bundle, *token, env=Cosign3(server).env)
    story.verify("--all", "dist", "--bundle", bundle)

    js, bundle = SigstoreJs(server), story.work / "js.sigstore.json"
    js.node("attest", "v1", js.tuf, js.root, server.token_file(), payload, "application/vnd.in-toto+json", bundle)
    story.verify("--all", "dist", "--bundle", bundle)

    # sigstore-python's command makes statements about one file each; its library makes any.
    python, bundle = SigstorePython(server), story.work / "python.sigstore.json"
    run(PYTHON, "-c", PYTHON_SIGNER, python.tuf, payload, server.token_file(), bundle, env=python.env)
    story.verify("--all", "dist", "--bundle", bundle)
    story.done("releases signed by cosign, sigstore-js and sigstore-python")


PYTHON_SIGNER = """
import pathlib, sys
from sigstore.dsse import Statement
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
tuf, statement, token, out = sys.argv[1:]
context = SigningContext.from_trust_config(ClientTrustConfig.from_tuf(tuf))
identity = IdentityToken(pathlib.Path(token).read_text().strip())
with context.signer(identity) as signer:
    bundle = signer.sign_dsse(Statement(pathlib.Path(statement).read_bytes()))
pathlib.Path(out).write_text(bundle.to_json())
"""


def names(bundle):
    document = json.loads(bundle.read_text())
    payload = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    assert payload["predicateType"] == SIGNATURE
    return [subject["name"] for subject in payload["subject"]]


def certificate(bundle):
    return json.loads(bundle.read_text())["verificationMaterial"]["certificate"]["rawBytes"]


def main():
    server = Server()
    try:
        story = Story(server)
        dist, bundle = release(story)
        checksums(story, dist)
        maven(story)
        kubernetes(story)
        foreign_verifiers(story, dist, bundle)
        foreign_signers(story, dist)
    except (Failed, AssertionError) as error:
        print(error, file=sys.stderr)
        print(server.log(), file=sys.stderr)
        raise
    finally:
        server.stop()


if __name__ == "__main__":
    main()
