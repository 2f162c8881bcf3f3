"""What signing and verifying container images costs, beside cosign: one run, one registry, one Sigstore, both tools.

    image_bench.py [--quick]

Times are of whole processes, without anything between them and the registry. Requests are counted in runs of their own,
through a proxy that would slow down both.
"""

import collections
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

import clients  # noqa: E402
from foreign import BULLA, COSIGN, Failed, run  # noqa: E402
from registries import CRANE, RegistryWithReferrers  # noqa: E402
from server import EMAIL, Server  # noqa: E402

TYPE = "https://example.com/benchmark/v1"
QUICK = "--quick" in sys.argv[1:]
# How often one image is signed, how many images are signed in one call, the size of the statement.
REPEATS = 3 if QUICK else 15
MANY = 20 if QUICK else 100
MANY_REPEATS = 1 if QUICK else 3
STATEMENT = (5 if QUICK else 50) << 20
# The least requests. To sign: what the name leads to, whether the empty config is there, the bundle, the manifest; and one
# look at the list of referrers, once a process, because this registry does not answer `OCI-Subject` as the protocol asks.
# To verify what is named by its digest: the list of referrers, the manifest, the bundle.
LEAST = {"sign one image": 5, "verify one image": 3}


class Tool:
    """A program that signs and verifies images, in the name of one identity."""

    def __init__(self, client, program):
        self.client, self.program, self.name = client, program, client.name

    def measure(self, *arguments):
        """Runs it; the wall time and the CPU time of the process, in seconds."""
        environment = {**os.environ, **self.client.env}
        with tempfile.TemporaryFile("w+") as said:
            began = time.monotonic()
            process = subprocess.Popen(
                [self.program, *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                said.seek(0)
                raise Failed(f"{self.name} {' '.join(map(str, arguments))}\n{said.read()[-4000:]}")
        return wall, usage.ru_utime + usage.ru_stime

    def token(self):
        return ["--identity-token", self.client.server.token_file(), "--yes"]

    def who(self):
        issuer = self.client.server.issuer()
        return ["--certificate-identity", EMAIL, "--certificate-oidc-issuer", issuer]

    def sign(self, images):
        return self.measure("sign", *self.token(), *images)

    def verify(self, images):
        return self.measure("verify", *self.who(), *images)

    def attest(self, image, predicate):
        return self.measure("attest", *self.token(), "--predicate", predicate, "--type", TYPE, image)

    def verify_attestation(self, image):
        return self.measure("verify-attestation", *self.who(), "--type", TYPE, image)


class Images:
    """Images that differ, pushed when they are asked for."""

    def __init__(self, registry, place):
        self.registry, self.place, self.made = registry, place, 0

    def make(self, repository, count):
        """New images of one repository, by digest."""
        return [self.one(repository) for _ in range(count)]

    def one(self, repository):
        self.made += 1
        contents = self.place / "file"
        contents.write_text(f"image {self.made}\n")
        layer = self.place / "layer.tar"
        run("tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-cf", layer, "-C", self.place, "file")
        name = f"{self.registry.host}/{repository}:{self.made}"
        pushed = run(CRANE, "append", "--insecure", "--oci-empty-base", "-f", layer, "-t", name)
        return re.search(r"\S+@sha256:[0-9a-f]{64}", pushed.stdout + pushed.stderr)[0]


class Counter(http.server.ThreadingHTTPServer):
    """A proxy that passes everything on and counts what kind of request it was."""

    daemon_threads = True

    def __init__(self, upstream):
        self.upstream, self.requests = upstream, collections.Counter()
        super().__init__(("127.0.0.1", 0), Forward)
        self.host = f"localhost:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self):
        taken, self.requests = self.requests, collections.Counter()
        return taken


class Forward(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self):
        self.server.requests[kind(self.command, self.path)] += 1
        body = self.body()
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        hop = ("connection", "transfer-encoding", "expect", "content-length")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in hop}
        if body is not None:
            headers["Content-Length"] = str(len(body))
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        contents = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding") and not (
                name.lower() == "content-length" and self.command != "HEAD"
            ):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(contents)))
        self.end_headers()
        self.wfile.write(contents)
        upstream.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        length = self.headers.get("Content-Length")
        return None if length is None else self.rfile.read(int(length))

    def log_message(self, *_):
        pass


def kind(method, path):
    """What a request is for."""
    for name in ("manifests", "blobs/uploads", "blobs", "referrers", "tags/list"):
        if f"/{name}" in path:
            return f"{method} {name}"
    return f"{method} {path.split('?')[0]}"


class Row:
    """One kind of work by both tools: the medians, and how they compare."""

    def __init__(self, what, per=1):
        self.what, self.per, self.runs, self.requests = what, per, {}, {}

    def add(self, tool, measured):
        self.runs.setdefault(tool.name, []).append(measured)

    def medians(self, name):
        return [statistics.median(column) for column in zip(*self.runs[name])]

    def ratio(self, ours, theirs):
        return self.medians(theirs)[0] / self.medians(ours)[0]

    def print(self, ours, theirs):
        wall, cpu = self.medians(ours)
        their_wall, their_cpu = self.medians(theirs)
        print(
            f"  {self.what:24}{wall * 1000:9.1f}{their_wall * 1000:9.1f}{their_wall / wall:8.1f} ×"
            f"{cpu * 1000:10.1f}{their_cpu * 1000:9.1f}{their_cpu / cpu:8.1f} ×"
            f"{self.requests[ours].total():9}{self.requests[theirs].total():7}",
            flush=True,
        )


def measure(tools, images, predicate):
    """Everything, by both tools in turn, so that what else the machine does hits both."""
    one, verify_one = Row("sign one image"), Row("verify one image")
    for _ in range(REPEATS):
        for tool in tools:
            image = images.make(f"one-{tool.name}", 1)
            one.add(tool, tool.sign(image))
            verify_one.add(tool, tool.verify(image))
    many, verify_many = Row(f"sign {MANY} images", MANY), Row(f"verify {MANY} images", MANY)
    for _ in range(MANY_REPEATS):
        for tool in tools:
            batch = images.make(f"many-{tool.name}", MANY)
            many.add(tool, tool.sign(batch))
            verify_many.add(tool, tool.verify(batch))
    size = STATEMENT >> 20
    attest, verify_attest = Row(f"attest {size} MB"), Row(f"verify that")
    for _ in range(MANY_REPEATS):
        for tool in tools:
            image = images.one(f"attest-{tool.name}")
            attest.add(tool, tool.attest(image, predicate))
            verify_attest.add(tool, tool.verify_attestation(image))
    return [one, verify_one, many, verify_many, attest, verify_attest]


def count(tools, registry, images, predicate, rows):
    """The requests of each kind of work: what both do is done once more, through the proxy."""
    counter = Counter(registry.host)

    def seen(image):
        return image.replace(registry.host, counter.host)

    for tool in tools:
        single = [seen(image) for image in images.make(f"count-{tool.name}", 1)]
        batch = [seen(image) for image in images.make(f"count-many-{tool.name}", MANY)]
        attested = seen(images.one(f"count-attest-{tool.name}"))
        work = [
            lambda: tool.sign(single),
            lambda: tool.verify(single),
            lambda: tool.sign(batch),
            lambda: tool.verify(batch),
            lambda: tool.attest(attested, predicate),
            lambda: tool.verify_attestation(attested),
        ]
        for row, do in zip(rows, work):
            do()
            row.requests[tool.name] = counter.take()
    counter.shutdown()


def explain(rows, names):
    """Which requests they were."""
    print("\nrequests to the registry, by kind")
    for row in rows:
        for name in names:
            kinds = ", ".join(f"{n} × {kind}" for kind, n in sorted(row.requests[name].items()))
            print(f"  {row.what:24}{name:9} {kinds}")


def predicate_of(place, size):
    path = place / "predicate.json"
    item = {"name": "package", "version": "1.2.3", "licence": "Apache-2.0"}
    count = size // len(json.dumps(item))
    path.write_text(json.dumps({"packages": [item] * count}))
    return path


def judge(rows, ours, theirs):
    """The targets. In the quick mode nothing is asked of times, which a busy machine spoils."""
    misses = []
    for row, least in ((rows[0], 5), (rows[2], 20)):
        ratio = row.ratio(ours, theirs)
        print(f"target  {row.what}: at least {least} × as fast as {theirs}: {ratio:.1f} ×")
        if not QUICK and ratio < least:
            misses.append(f"{row.what}: {ratio:.1f} × instead of {least} ×")
    for row in rows:
        if least := LEAST.get(row.what):
            sent = row.requests[ours].total()
            print(f"target  {row.what}: no more than the {least} requests that are needed: {sent}")
            if sent > least:
                misses.append(f"{row.what}: {sent} requests instead of {least}")
    if misses:
        raise Failed("missed: " + "; ".join(misses))


@contextlib.contextmanager
def everything():
    server = Server()
    registry = None
    place = pathlib.Path(tempfile.mkdtemp(dir=server.directory))
    try:
        registry = RegistryWithReferrers()
        yield server, registry, place
    finally:
        if registry:
            registry.stop()
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)


def main():
    with everything() as (server, registry, place):
        tools = [Tool(clients.Bulla(server), BULLA), Tool(clients.Cosign3(server), COSIGN)]
        ours, theirs = names = [tool.name for tool in tools]
        images = Images(registry, place)
        predicate = predicate_of(place, STATEMENT)
        rows = measure(tools, images, predicate)
        count(tools, registry, images, predicate, rows)
        print(f"{os.cpu_count()} cores, shared with the registry ({registry.name}) and the Sigstore (bulla serve) on loopback;")
        print(f"medians of {REPEATS} runs (of {MANY_REPEATS} for many images and attestations); wall and CPU in ms")
        print(f"  {'':24}{'wall':>9}{theirs:>9}{'':10}{'CPU':>10}{theirs:>9}{'':10}{'requests':>9}")
        for row in rows:
            row.print(ours, theirs)
        explain(rows, names)
        judge(rows, ours, theirs)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
