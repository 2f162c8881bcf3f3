"""Real registries, with TLS and authentication, and images in them."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from foreign import FOREIGN, HERE, V, Failed, run
from server import free_port

CRANE = str(FOREIGN / f"crane-{V['GO_CONTAINERREGISTRY']}/bin/crane")
REFERRERS = str(FOREIGN / f"oci-registry-{V['GO_CONTAINERREGISTRY']}/bin/oci-registry")
DEBIAN = "docker-registry"
SKOPEO = "skopeo"
USER, PASSWORD = "alice", "open sesame"

CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
http:
  addr: {address}:{port}
{tls}{auth}"""


def certificates(directory):
    """A TLS authority, and a certificate of it for this machine."""
    ca, key, cert = (directory / name for name in ("ca.pem", "tls.key", "tls.pem"))
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    run("openssl", "req", "-x509", *curve, "-keyout", directory / "ca.key", "-out", ca, "-subj", "/CN=test CA")
    run("openssl", "req", *curve, "-keyout", key, "-out", directory / "tls.csr", "-subj", "/CN=localhost")
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n")
    signing = ["-CA", ca, "-CAkey", directory / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", extensions]
    run("openssl", "x509", "-req", "-in", directory / "tls.csr", "-out", cert, *signing)
    return ca, cert, key


class Registry:
    """A registry: `debian` keeps no lists of referrers, `referrers` does.

    A `mutual` one, of Debian's, wants a client's certificate, and is at an address that its own certificate does not name.
    """

    def __init__(self, kind, tls=False, auth=None, front=False, mutual=False):
        self.kind, self.tls, self.auth, self.mutual = kind, tls, auth, mutual
        self.address = "127.0.0.2" if mutual else "127.0.0.1"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bulla-registry-"))
        self.processes = []
        self.env = {"DOCKER_CONFIG": str(self.directory), "REGISTRY_AUTH_FILE": str(self.directory / "config.json")}
        self.ca = self.cert = self.key = None
        if tls:
            self.ca, self.cert, self.key = certificates(self.directory)
            self.env["SSL_CERT_FILE"] = str(self.ca)
        if kind == "debian":
            # What the registry does not do itself is done by a server in front of it.
            inside = auth != "bearer" and not front
            self.host = self.debian(tls and inside, auth if inside else None)
            if not inside:
                self.host = self.front(["--upstream", f"http://{self.host}"])
        else:
            self.host = self.front([])
        auths = {}
        if auth:
            auths[self.host] = {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
        (self.directory / "config.json").write_text(json.dumps({"auths": auths}))

    def debian(self, tls, auth):
        port = free_port()
        security = login = ""
        if tls:
            clients = f", clientcas: [{self.ca}]" if self.mutual else ""
            security = f"  tls: {{certificate: {self.cert}, key: {self.key}{clients}}}\n"
        if auth == "basic":
            import crypt  # bcrypt, which is what the registry reads

            hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
            (self.directory / "htpasswd").write_text(f"{USER}:{hashed}\n")
            login = f"auth:\n  htpasswd: {{realm: test, path: {self.directory / 'htpasswd'}}}\n"
        config = self.directory / "config.yml"
        root = self.directory / "data"
        config.write_text(CONFIG.format(root=root, address=self.address, port=port, tls=security, auth=login))
        self.start([DEBIAN, "serve", config], subprocess.DEVNULL)
        self.wait(port)
        return f"{self.address}:{port}"

    def front(self, arguments):
        flags = list(arguments)
        if self.tls:
            flags += ["--cert", self.cert, "--key", self.key]
        if self.auth:
            flags += [f"--{self.auth}", f"{USER}:{PASSWORD}"]
        return self.start([REFERRERS, *flags], subprocess.PIPE).stdout.readline().strip()

    def start(self, command, stdout):
        log = open(self.directory / "registry.log", "ab")
        environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        process = subprocess.Popen([str(c) for c in command], stdout=stdout, stderr=log, text=True, env=environment)
        self.processes.append(process)
        return process

    def wait(self, port):
        import socket

        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection((self.address, port), timeout=1):
                return
            time.sleep(0.05)
        raise Failed("the registry did not start:\n" + (self.directory / "registry.log").read_text()[-2000:])

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def requests(self):
        """What was asked for since the last time; only of a registry with a server of ours in front."""
        with urllib.request.urlopen(f"http://{self.host}/requests", timeout=10) as answer:
            return json.load(answer) or []

    def fault(self, kind, number):
        """From now on, request `number` goes wrong; only of a registry with a server of ours in front."""
        urllib.request.urlopen(f"http://{self.host}/fault?{kind}:{number}", timeout=10).close()

    def get(self, path, accept="*/*"):
        """The status and the body of something in a registry without TLS."""
        request = urllib.request.Request(f"http://{self.host}/v2/{path}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, b""

    def put_image(self, name):
        """A small image, put into a registry without TLS as fast as can be."""
        repository, tag = name.split(":")
        blobs = []
        for content in (b'{"architecture":"amd64","os":"linux"}', b"a layer"):
            digest = "sha256:" + hashlib.sha256(content).hexdigest()
            start = urllib.request.Request(f"http://{self.host}/v2/{repository}/blobs/uploads/", b"", method="POST")
            with urllib.request.urlopen(start, timeout=10) as answer:
                place = urllib.parse.urljoin(answer.url, answer.headers["Location"])
            place += ("&" if "?" in place else "?") + "digest=" + digest
            octets = {"Content-Type": "application/octet-stream"}
            urllib.request.urlopen(urllib.request.Request(place, content, octets, method="PUT"), timeout=10).close()
            blobs.append({"digest": digest, "size": len(content)})
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", **blobs[0]}
        layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", **blobs[1]}
        kind = "application/vnd.oci.image.manifest.v1+json"
        body = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}).encode()
        place = f"http://{self.host}/v2/{repository}/manifests/{tag}"
        urllib.request.urlopen(urllib.request.Request(place, body, {"Content-Type": kind}, method="PUT"), timeout=10).close()
        return f"{self.host}/{name}", "sha256:" + hashlib.sha256(body).hexdigest()

    # What the foreign programs do.

    def crane(self, *arguments, ok=True):
        return run(CRANE, *arguments, env=self.env, ok=ok)

    def skopeo_copy(self, source, target, *flags):
        return run(SKOPEO, "copy", "--src-tls-verify=false", "--dest-tls-verify=false", *flags, source, target, env=self.env)

    def digest(self, reference):
        return self.crane("digest", reference).stdout.strip()

    def push_image(self, name, content="a file"):
        """An image of one layer, pushed by crane."""
        layer = self.directory / f"layer-{abs(hash((name, content)))}.tar"
        text = self.directory / "content"
        text.write_text(content)
        with tarfile.open(layer, "w") as archive:
            archive.add(text, arcname="content")
        self.crane("append", "--oci-empty-base", "-f", layer, "-t", f"{self.host}/{name}")
        return f"{self.host}/{name}"

    def push_index(self, name):
        """An index of two images, for two platforms, pushed by crane."""
        repository = name.split(":")[0]
        parts = []
        for architecture in ("amd64", "arm64"):
            part = self.push_image(f"{repository}:{architecture}", architecture)
            self.crane("mutate", part, "--set-platform", f"linux/{architecture}", "-t", part)
            parts += ["-m", part]
        self.crane("index", "append", *parts, "-t", f"{self.host}/{name}")
        return f"{self.host}/{name}"

    def push_by_skopeo(self, name, source):
        """Another name for an image or index, pushed by skopeo from a layout on disk."""
        layout = self.directory / f"skopeo-{abs(hash(name))}"
        self.skopeo_copy(f"docker://{source}", f"oci:{layout}:x", "--all")
        self.skopeo_copy(f"oci:{layout}:x", f"docker://{self.host}/{name}", "--all")
        return f"{self.host}/{name}"
