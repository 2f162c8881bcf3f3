#!/usr/bin/env python3
"""Acceptance 5: kills the server with SIGKILL in the middle of a load, again and again, and looks for what is missing.

Every acknowledged entry of both transparency logs and of the CT log must be there afterwards, once, with its time and
its SET unchanged, and each log must extend every checkpoint it ever served.
"""

import base64
import collections
import hashlib
import http.client
import json
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from server import EMAIL, Server  # noqa: E402

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
WORKERS = 12
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key()
SPKI = PUBLIC.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PEM = PUBLIC.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def b64(data):
    return base64.b64encode(data).decode()


def fresh():
    """The digest of something new, and a signature over it."""
    message = random.randbytes(16)
    return hashlib.sha256(message).digest(), KEY.sign(message, ec.ECDSA(hashes.SHA256()))


def v2_request():
    digest, signature = fresh()
    verifier = {"publicKey": {"rawBytes": b64(SPKI)}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    request = {"digest": b64(digest), "signature": {"content": b64(signature), "verifier": verifier}}
    return "/api/v2/log/entries", {"hashedRekordRequestV002": request}


def v1_request():
    digest, signature = fresh()
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
        "signature": {"content": b64(signature), "publicKey": {"content": b64(PEM)}},
    }
    return "/api/v1/log/entries", {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}


def certificate_request(token):
    proof = KEY.sign(EMAIL.encode(), ec.ECDSA(hashes.SHA256()))
    key = {"publicKey": {"algorithm": "ECDSA", "content": PEM.decode()}, "proofOfPossession": b64(proof)}
    return "/api/v2/signingCert", {"credentials": {"oidcIdentityToken": token}, "publicKeyRequest": key}


class Load:
    """Workers that send requests until they are told to stop, and remember what was acknowledged."""

    def __init__(self, server, token):
        self.server, self.token = server, token
        self.acknowledged = {"v1": {}, "v2": {}, "ct": []}
        self.checkpoints = {"v1": set(), "v2": set(), "ct": set()}
        self.lock = threading.Lock()
        self.under_way = 0
        self.stop = threading.Event()

    def ask(self, connection, method, path, body=None):
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def worker(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            while not self.stop.is_set():
                kind = ("v2", "v2", "v1", "ct", "read")[(number + random.randrange(5)) % 5]
                if kind == "read":
                    self.read_checkpoints(connection)
                    continue
                path, body = {"v2": v2_request, "v1": v1_request, "ct": lambda: certificate_request(self.token)}[kind]()
                with self.lock:
                    self.under_way += 1
                try:
                    status, answer = self.ask(connection, "POST", path, body)
                finally:
                    with self.lock:
                        self.under_way -= 1
                if status in (200, 201):
                    self.remember(kind, json.loads(answer))
        except (OSError, http.client.HTTPException):
            pass  # The server was killed.

    def read_checkpoints(self, connection):
        for log, path in (("v2", "/api/v2/checkpoint"), ("ct", "/ct/1/checkpoint")):
            status, answer = self.ask(connection, "GET", path)
            if status == 200:
                self.checkpoint(log, answer.decode())
        status, answer = self.ask(connection, "GET", "/api/v1/log")
        if status == 200:
            self.checkpoint("v1", json.loads(answer)["signedTreeHead"])

    def checkpoint(self, log, text):
        _, size, root = text.split("\n")[:3]
        with self.lock:
            self.checkpoints[log].add((int(size), root))

    def remember(self, kind, answer):
        if kind == "v2":
            proof = answer["inclusionProof"]
            with self.lock:
                self.acknowledged["v2"][int(answer["logIndex"])] = answer["canonicalizedBody"]
            self.checkpoint("v2", proof["checkpoint"]["envelope"])
        elif kind == "v1":
            for uuid, entry in answer.items():
                facts = (entry["body"], entry["integratedTime"], entry["logIndex"], entry["verification"]["signedEntryTimestamp"])
                with self.lock:
                    self.acknowledged["v1"][uuid] = facts
                self.checkpoint("v1", entry["verification"]["inclusionProof"]["checkpoint"])
        else:
            leaf = answer["signedCertificateEmbeddedSct"]["chain"]["certificates"][0]
            with self.lock:
                self.acknowledged["ct"].append(x509.load_pem_x509_certificate(leaf.encode()).serial_number)

    def run_until_killed(self, seconds):
        """Returns how many requests were between their sending and their answer when the server was killed."""
        self.stop.clear()
        threads = [threading.Thread(target=self.worker, args=(n,)) for n in range(WORKERS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        with self.lock:
            under_way = self.under_way
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()
        self.stop.set()
        for thread in threads:
            thread.join()
        return under_way


class Edge:
    """RFC 6962 §2.1, one leaf after the other."""

    def __init__(self):
        self.peaks = []

    def append(self, leaf):
        self.peaks.append((1, leaf))
        while len(self.peaks) > 1 and self.peaks[-1][0] == self.peaks[-2][0]:
            (size, right), (_, left) = self.peaks.pop(), self.peaks.pop()
            self.peaks.append((2 * size, hashlib.sha256(b"\x01" + left + right).digest()))

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root


def check_checkpoints(log, leaves, checkpoints):
    """Every checkpoint ever served is the root of a prefix of what is there now."""
    roots, edge = {0: b64(Edge().root())}, Edge()
    for number, leaf in enumerate(leaves, 1):
        edge.append(hashlib.sha256(b"\x00" + leaf).digest())
        roots[number] = b64(edge.root())
    for size, root in checkpoints:
        assert roots.get(size) == root, f"{log}: the checkpoint of {size} leaves is of another tree ({len(leaves)} now)"


def bundle(data):
    entries = []
    while data:
        length = int.from_bytes(data[:2], "big")
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]
    return entries


def tile_name(number):
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03}")
    return "/".join(reversed(parts))


def read_v2(load, connection):
    _, text = load.ask(connection, "GET", "/api/v2/checkpoint")
    size, entries = int(text.decode().split("\n")[1]), []
    for tile in range((size + 255) // 256):
        width = min(256, size - tile * 256)
        path = f"/api/v2/tile/entries/{tile_name(tile)}" + (f".p/{width}" if width < 256 else "")
        status, data = load.ask(connection, "GET", path)
        assert status == 200, f"{path}: {status}"
        entries += bundle(data)
    assert len(entries) == size
    return entries


def read_ct(load, connection):
    _, text = load.ask(connection, "GET", "/ct/1/ct/v1/get-sth")
    size, entries = json.loads(text)["tree_size"], []
    while len(entries) < size:
        _, text = load.ask(connection, "GET", f"/ct/1/ct/v1/get-entries?start={len(entries)}&end={size - 1}")
        entries += [base64.b64decode(entry["leaf_input"]) for entry in json.loads(text)["entries"]]
    return entries


def serial_number(leaf):
    """The serial number in the precertificate of an RFC 6962 leaf (§3.4)."""
    tbs = leaf[2 + 8 + 2 + 32 + 3 :]
    # SEQUENCE with a length of two bytes, [0] { INTEGER 2 }, INTEGER.
    assert tbs[:2] == b"\x30\x82" and tbs[4:10] == b"\xa0\x03\x02\x01\x02\x02"
    return int.from_bytes(tbs[11 : 11 + tbs[10]], "big")


def read_v1(load, connection):
    _, text = load.ask(connection, "GET", "/api/v1/log")
    size, entries = json.loads(text)["treeSize"], []
    while len(entries) < size:
        indexes = list(range(len(entries), min(size, len(entries) + 10)))
        status, text = load.ask(connection, "POST", "/api/v1/log/entries/retrieve", {"logIndexes": indexes})
        assert status == 200, text
        entries += [base64.b64decode(next(iter(entry.values()))["body"]) for entry in json.loads(text)]
    return entries


def check(load, whole):
    """Looks for every acknowledged entry; `whole` reads all logs and compares with every checkpoint."""
    connection = http.client.HTTPConnection("127.0.0.1", load.server.port, timeout=30)
    recent = list(load.acknowledged["v1"].items())
    for uuid, facts in recent if whole else recent[-40:]:
        status, text = load.ask(connection, "GET", f"/api/v1/log/entries/{uuid}")
        assert status == 200, f"v1: {uuid} is lost ({status})"
        entry = json.loads(text)[uuid]
        now = (entry["body"], entry["integratedTime"], entry["logIndex"], entry["verification"]["signedEntryTimestamp"])
        assert now == facts, f"v1: {uuid} has changed: {facts} {now}"
    if not whole:
        return
    v2 = read_v2(load, connection)
    for index, body in load.acknowledged["v2"].items():
        assert b64(v2[index]) == body, f"v2: the entry at {index} is another"
    v1, ct = read_v1(load, connection), read_ct(load, connection)
    logged = collections.Counter(map(serial_number, ct))
    for serial in load.acknowledged["ct"]:
        assert logged[serial] == 1, f"ct: {serial:x} is there {logged[serial]} times"
    for log, leaves in (("v1", v1), ("v2", v2), ("ct", ct)):
        assert len(set(leaves)) == len(leaves), f"{log}: an entry is there twice"
        check_checkpoints(log, leaves, load.checkpoints[log])


def main():
    random.seed(5)
    server = Server()
    load = Load(server, server.token())
    between = 0
    issued = time.monotonic()
    for kill in range(KILLS):
        if time.monotonic() - issued > 240:  # Tokens live for ten minutes.
            load.token, issued = server.token(), time.monotonic()
        between += load.run_until_killed(random.uniform(0.05, 0.6)) > 0
        server.start()
        server.wait_until_ready()
        check(load, whole=kill % 50 == 49)
    check(load, whole=True)
    log = (server.directory / "serve.log").read_text(errors="replace")
    torn = log.count("torn record")
    server.stop()
    counts = {name: len(entries) for name, entries in load.acknowledged.items()}
    served = sum(len(texts) for texts in load.checkpoints.values())
    print(f"REPORT crash: {KILLS} kills, {between} between a request and its answer, {torn} left a torn record")
    print(f"REPORT crash: acknowledged {counts}, {served} checkpoints served; nothing lost, changed or doubled")
    assert between >= KILLS * 3 // 4, "too few kills hit a request under way"


if __name__ == "__main__":
    main()
