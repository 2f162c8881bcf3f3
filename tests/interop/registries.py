"""Registries of container images, and images in them."""

import hashlib
import io
import json
import pathlib
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request

from foreign import FOREIGN, V, Failed, run
from server import free_port

CRANE = str(FOREIGN / f"crane-{V['GO_CONTAINERREGISTRY']}/bin/crane")
WITH_REFERRERS = str(FOREIGN / f"oci-registry-{V['GO_CONTAINERREGISTRY']}/bin/oci-registry")
DOCUMENTS = ", ".join(
    f"application/vnd.oci.image.{kind}.v1+json" for kind in ("manifest", "index")
)  # fmt: skip


class Registry:
    """One on this machine, without TLS. It ends with `stop`."""

    name = ""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="registry-"))
        self.port = free_port()
        self.host = f"localhost:{self.port}"
        log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{self.host}/v2/", timeout=2)
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
        raise Failed(f"{self.name} did not start:\n{(self.directory / 'log').read_text()[-4000:]}")

    def command(self):
        raise NotImplementedError

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def get(self, path):
        request = urllib.request.Request(f"http://{self.host}/v2/{path}", headers={"Accept": DOCUMENTS})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def document(self, repository, reference):
        return json.loads(self.get(f"{repository}/manifests/{reference}"))

    def push(self, repository, seed):
        """A small image, another one for each seed. Returns the name with its tag."""
        name = f"{self.host}/{repository}:1"
        archive = self.directory / f"{hashlib.sha256(seed.encode()).hexdigest()}.tar"
        with tarfile.open(archive, "w") as tar:
            member = tarfile.TarInfo("seed")
            member.size = len(seed)
            tar.addfile(member, io.BytesIO(seed.encode()))
        run(CRANE, "append", "--oci-empty-base", "-f", archive, "-t", name)
        return name

    def push_index(self, repository, seed):
        """An index of two images. Returns the name with its tag."""
        name = f"{self.host}/{repository}:index"
        parts = []
        for platform in ("linux/amd64", "linux/arm64"):
            part = self.push(repository, seed + platform)
            config = f"{self.host}/{repository}:{platform.replace('/', '-')}"
            run(CRANE, "mutate", "--set-platform", platform, "-t", config, part)
            parts += ["-m", config]
        run(CRANE, "index", "append", *parts, "-t", name)
        return name

    def members(self, repository, tag):
        """The index under a tag and the images in it, by digest."""
        document = self.document(repository, tag)
        top = run(CRANE, "digest", f"{self.host}/{repository}:{tag}").stdout.strip()
        return [f"{self.host}/{repository}@{d}" for d in [top, *(m["digest"] for m in document["manifests"])]]


class DockerRegistry(Registry):
    """Debian's docker-registry: no referrers API."""

    name = "docker-registry"

    def command(self):
        config = self.directory / "config.yml"
        config.write_text(
            json.dumps(
                {
                    "version": 0.1,
                    "log": {"level": "error"},
                    "storage": {"filesystem": {"rootdirectory": str(self.directory / "data")}, "delete": {"enabled": True}},
                    "http": {"addr": f"127.0.0.1:{self.port}"},
                }
            )
        )
        return ["docker-registry", "serve", str(config)]


class RegistryWithReferrers(Registry):
    """go-containerregistry's, with the referrers API."""

    name = "go-containerregistry"

    def command(self):
        return [WITH_REFERRERS, "--listen", f"127.0.0.1:{self.port}"]


REGISTRIES = [DockerRegistry, RegistryWithReferrers]
