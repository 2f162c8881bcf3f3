#!/usr/bin/env python3
"""Acceptance 4.6: two hundred programs sign one image at once on a registry that keeps no lists of referrers, and a
registry that fails at each request in turn, in each way."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla  # noqa: E402
from foreign import BULLA, Failed, run  # noqa: E402
from guarded import Registry  # noqa: E402
from server import Server  # noqa: E402

SIGNERS = 200
FAULTS = ["cut", "cut-after", "status-429", "status-500", "truncate", "other-body", "longer", "other-digest"]
INDEX = "application/vnd.oci.image.index.v1+json"
DOCUMENTS = f"application/vnd.oci.image.manifest.v1+json, {INDEX}"
WORKERS = 4


def expect(what, condition):
    if not condition:
        raise Failed(what)


class Signer:
    """A key, and the trust in a server."""

    def __init__(self, server):
        self.bulla = Bulla(server)
        self.env = {**self.bulla.env, "COSIGN_PASSWORD": "", "DOCKER_CONFIG": str(self.bulla.home)}
        run(BULLA, "generate-key-pair", env=self.env, cwd=self.bulla.home)
        self.key, self.public = (self.bulla.home / name for name in ("cosign.key", "cosign.pub"))

    def command(self, image):
        return [BULLA, "sign", "--yes", "--key", str(self.key), image]

    def sign(self, image):
        return run(*self.command(image), env=self.env, ok=None)

    def verifies(self, image):
        return run(BULLA, "verify", "--key", self.public, image, env=self.env, ok=None).returncode == 0


def concurrent_signers(signer):
    """All are started before the first has ended; each signature must be listed afterwards."""
    with Registry("debian") as registry:
        image = registry.push_image("app:v1")
        pinned = f"{registry.host}/app@{registry.digest(image)}"
        environment = {**os.environ, **signer.env}
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "env": environment}
        signers = [subprocess.Popen(signer.command(pinned), **pipes) for _ in range(SIGNERS)]
        failed = [text for text in (s.communicate()[1] for s in signers if s) if "error" in text.lower()]
        expect(f"{len(failed)} signers failed: {failed[:1]}", all(s.returncode == 0 for s in signers))
        listed = json.loads(run(BULLA, "--output", "json", "tree", pinned, env=signer.env).stdout)
        found = len([twig for twig in listed[0]["attached"] if twig["kind"] == "signature"])
        expect(f"{found} of {SIGNERS} signatures are listed", found == SIGNERS)
        expect("it verifies", signer.verifies(pinned))
        assert_whole(registry, "app", registry.digest(image))
    print(f"{SIGNERS} concurrent signers of one image, no referrers API: {found} signatures listed")


def assert_whole(registry, repository, digest):
    """Nothing that is listed is missing, nor anything that it points to."""
    status, body = registry.get(f"{repository}/referrers/{digest}", INDEX)
    if status != 200:
        status, body = registry.get(f"{repository}/manifests/{digest.replace(':', '-')}", INDEX)
    if status == 404:
        return
    for entry in json.loads(body)["manifests"]:
        status, document = registry.get(f"{repository}/manifests/{entry['digest']}", DOCUMENTS)
        expect(f"{entry['digest']} is listed and not there", status == 200)
        manifest = json.loads(document)
        for blob in [manifest["config"], *manifest["layers"]]:
            status, _ = registry.get(f"{repository}/blobs/{blob['digest']}")
            expect(f"{blob['digest']} is pointed to and not there", status == 200)


def one_fault(signer, registry, fault, number):
    """Whether signing worked although request `number` failed; a clear error is as good."""
    repository = f"{fault}-{number}"
    image, digest = registry.put_image(f"{repository}:v1")
    registry.fault(fault, number)
    done = signer.sign(image)
    registry.fault("none", 0)
    what = f"{registry.kind}: {fault} at request {number}: {done.stderr}"
    assert_whole(registry, repository, digest)
    if done.returncode == 0:
        expect(f"{what}: it is signed, but does not verify", signer.verifies(image))
    else:
        expect(f"{what}: no clear error", done.returncode in (1, 3) and "error" in done.stderr.lower())
    return done.returncode == 0


def requests_of_a_signature(signer, kind):
    """How many there are when nothing fails."""
    with Registry(kind, front=True) as registry:
        image = registry.push_image("app:v1")
        registry.requests()
        expect("signing works", signer.sign(image).returncode == 0)
        return len(registry.requests())


def faults(signer, kind):
    requests = requests_of_a_signature(signer, kind)
    cases = [(fault, number) for number in range(1, requests + 1) for fault in FAULTS]

    def work(part):
        with Registry(kind, front=True) as registry:
            return [one_fault(signer, registry, *case) for case in part]

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        done = [ok for part in pool.map(work, [cases[n::WORKERS] for n in range(WORKERS)]) for ok in part]
    expect("every case was tried", len(done) == len(cases))
    print(f"{kind}: a signature takes {requests} requests; {len(cases)} faults: {sum(done)} signed after all, "
          f"{len(done) - sum(done)} ended in a clear error, nothing points to what is not there")


def main():
    server = Server()
    try:
        signer = Signer(server)
        for kind in ("referrers", "debian"):
            faults(signer, kind)
        concurrent_signers(signer)
    finally:
        server.stop()


main()
