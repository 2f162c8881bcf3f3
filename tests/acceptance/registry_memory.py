#!/usr/bin/env python3
"""Acceptance 4.7: how much memory and time the program takes with registries that have no end."""

import json
import os
import pathlib
import socketserver
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from foreign import BULLA, Failed  # noqa: E402

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ZERO = "sha256:" + "0" * 64
# What the program takes to do nothing, and twice the largest document with its tree of values.
MOST = 96 << 20
LONGEST = 60


def entries(count):
    return [{"mediaType": MANIFEST, "digest": f"sha256:{n:064x}", "size": 500} for n in range(count)]


def index(count):
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries(count)}).encode()


class Liar(socketserver.StreamRequestHandler):
    """Answers by the name of the repository."""

    def handle(self):
        line = self.rfile.readline().decode()
        while self.rfile.readline().strip():
            pass
        path = line.split()[1] if line else ""
        name = path.split("/")[2] if path.count("/") > 2 else ""
        try:
            getattr(self, name.replace("-", "_"), self.nothing)(path)
        except OSError:
            pass

    def answer(self, body, kind=INDEX, headers="", status=200):
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        self.wfile.write(head.encode() + body)

    def nothing(self, _):
        self.answer(b"{}", "application/json", status=404)

    def endless_body(self, _):
        self.wfile.write(f"HTTP/1.1 200 X\r\nContent-Type: {INDEX}\r\nConnection: close\r\n\r\n".encode())
        while True:
            self.wfile.write(b'{"schemaVersion":2,' + b" " * 65536)

    def many_entries(self, _):
        self.answer(index(39_000))

    def hundred_thousand_referrers(self, path):
        if "/referrers/" not in path:
            return self.answer(json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "config":
                {"mediaType": "application/vnd.oci.empty.v1+json", "digest": ZERO, "size": 2}}).encode(), MANIFEST)
        page = int(path.split("page=")[1]) if "page=" in path else 0
        here = path.split("?")[0]
        self.answer(index(5000), headers=f'Link: <{here}?page={page + 1}>; rel="next"\r\n')


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def measure(host, name, *command):
    """Peak memory and time of a command that must fail clearly."""
    before = time.monotonic()
    environment = {**os.environ, "HOME": "/nonexistent", "DOCKER_CONFIG": "/nonexistent"}
    process = subprocess.Popen([BULLA, *command, f"{host}/{name}/app:v1"], env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took, peak = time.monotonic() - before, usage.ru_maxrss << 10
    if process.returncode != 3 or "error" not in said.lower():
        raise Failed(f"{name}: {process.returncode}: {said}")
    if peak > MOST or took > LONGEST:
        raise Failed(f"{name}: {peak >> 20} MiB in {took:.0f} s")
    print(f"{' '.join(command)} with {name.replace('-', ' ')}: refused, {peak >> 20} MiB, {took:.1f} s")


def main():
    with Server(("127.0.0.1", 0), Liar) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        for name in ("endless-body", "many-entries", "hundred-thousand-referrers"):
            measure(host, name, "tree")
        measure(host, "endless-body", "download", "attestation")
        measure(host, "endless-body", "copy", f"{host}/endless-body/other:v1")
        server.shutdown()


main()
