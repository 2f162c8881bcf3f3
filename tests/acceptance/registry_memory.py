#!/usr/bin/env python3
"""Acceptance 4.7: how much memory and time the program takes with registries that have no end."""

import hashlib
import json
import os
import pathlib
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from foreign import BULLA, ROOT, Failed  # noqa: E402

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ZERO = "sha256:" + "0" * 64
# What the program takes to do nothing, and twice the largest document with its tree of values.
MOST = 96 << 20
# The same, and what candidates of a verification may take together.
MOST_VERIFYING = MOST + (384 << 20)
LONGEST = 60
MEBIBYTE = 1 << 20
# Bundles that are as long as may be read, piece by piece: what counts as a process's peak is also what this one takes. What
# nobody would write into a bundle, and what is no JSON before its last byte.
DEEP = [b"[" * MEBIBYTE] * 100
LONG_TEXT = [b'{"mediaType":"', *[b"x" * MEBIBYTE] * 99, b'"}']


def entries(count):
    return [{"mediaType": MANIFEST, "digest": f"sha256:{n:064x}", "size": 500} for n in range(count)]


def index(count):
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries(count)}).encode()


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def pointer(content, kind):
    return {"mediaType": kind, "digest": digest(content), "size": len(content)}


def long_pointer(pieces):
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return {"mediaType": BUNDLE, "digest": "sha256:" + whole.hexdigest(), "size": sum(map(len, pieces))}


def packed(mebibytes):
    """Much, and short while it is packed."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b" " * MEBIBYTE) for _ in range(mebibytes)), packer.flush()])


def nested(depth):
    """Indexes in one another, the outermost last."""
    documents = [image()]
    for _ in range(depth):
        kind = INDEX if len(documents) > 1 else MANIFEST
        listed = [pointer(documents[-1], kind)]
        documents.append(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}).encode())
    return documents


def image(layers=(), subject=None, number=0):
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": ZERO, "size": 2}
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": list(layers)}
    if subject:
        document |= {"subject": subject, "artifactType": BUNDLE, "annotations": {"number": str(number)}}
    return json.dumps(document).encode()


NESTED = nested(60)
BOMB = packed(256)
BLOBS = {"deep": (DEEP, long_pointer(DEEP)), "long": (LONG_TEXT, long_pointer(LONG_TEXT))}


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

    def packed_body(self, _):
        self.answer(BOMB, headers="Content-Encoding: gzip\r\n")

    def nested_indexes(self, path):
        asked = path.split("/")[-1]
        found = [document for document in NESTED if digest(document) == asked]
        self.answer(found[0] if found else NESTED[-1], MANIFEST if found == NESTED[:1] else INDEX)

    def deep_bundles(self, path):
        self.bundles(path, *BLOBS["deep"])

    def long_bundles(self, path):
        self.bundles(path, *BLOBS["long"])

    def bundles(self, path, pieces, blob):
        """Sixteen referrers, each with a bundle of a hundred megabytes."""
        subject = pointer(image(), MANIFEST)
        referrers = {digest(r): r for r in (image([blob], subject, number) for number in range(16))}
        if "/blobs/" in path:
            head = f"HTTP/1.1 200 X\r\nContent-Type: {BUNDLE}\r\nContent-Length: {blob['size']}\r\n"
            self.wfile.write(head.encode() + b"Connection: close\r\n\r\n")
            return self.wfile.writelines(pieces)
        if "/referrers/" in path:
            listed = [pointer(referrer, MANIFEST) for referrer in referrers.values()]
            return self.answer(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}).encode())
        if path.endswith(".sig"):
            return self.nothing(path)
        self.answer(referrers.get(path.split("/")[-1], image()), MANIFEST)

    def hundred_thousand_referrers(self, path):
        if "/referrers/" not in path:
            return self.answer(image(), MANIFEST)
        page = int(path.split("page=")[1]) if "page=" in path else 0
        here = path.split("?")[0]
        self.answer(index(5000), headers=f'Link: <{here}?page={page + 1}>; rel="next"\r\n')


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def measure(host, name, *command, most=MOST, exits=3):
    """Peak memory and time of a command that must fail clearly."""
    before = time.monotonic()
    environment = {**os.environ, "HOME": "/nonexistent", "DOCKER_CONFIG": "/nonexistent"}
    process = subprocess.Popen([BULLA, *command, f"{host}/{name}/app:v1"], env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took, peak = time.monotonic() - before, usage.ru_maxrss << 10
    if process.returncode != exits or "error" not in said.lower():
        raise Failed(f"{name}: {process.returncode}: {said}")
    if peak > most or took > LONGEST:
        raise Failed(f"{name}: {peak >> 20} MiB in {took:.0f} s")
    print(f"{command[0]} with {name.replace('-', ' ')}: refused, {peak >> 20} MiB, {took:.1f} s")


def main():
    with Server(("127.0.0.1", 0), Liar) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        for name in ("endless-body", "packed-body", "many-entries", "hundred-thousand-referrers", "nested-indexes"):
            measure(host, name, "tree")
        for name in ("endless-body", "packed-body"):
            measure(host, name, "download", "attestation")
        for name in ("endless-body", "packed-body", "nested-indexes"):
            measure(host, name, "copy", f"{host}/{name}/other:v1")
        with tempfile.TemporaryDirectory() as directory:
            verify(host, pathlib.Path(directory) / "trusted_root.json")
        server.shutdown()


def verify(host, root):
    """Verifications, by an identity and a root that know nobody of those who lie."""
    known = json.loads((ROOT / "crates/client/tests/images/cosign.json").read_text())
    root.write_text(json.dumps(known["trustedRoot"]))
    who = ["--certificate-identity", "a@example.com", "--certificate-oidc-issuer", "https://example.com"]
    command = ["verify", "--trusted-root", str(root), *who]
    for name in ("endless-body", "packed-body", "many-entries", "hundred-thousand-referrers"):
        measure(host, name, *command)
    measure(host, "nested-indexes", *command, "--recursive")
    for name in ("deep-bundles", "long-bundles"):
        measure(host, name, *command, most=MOST_VERIFYING, exits=1)


main()
