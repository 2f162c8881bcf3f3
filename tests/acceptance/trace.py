#!/usr/bin/env python3
"""Acceptance 8: what a keyless signing writes and sends, in full, holds no private key; the same scan finds one that openssl writes."""

import base64
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla  # noqa: E402
from foreign import BULLA, run  # noqa: E402
from server import Server  # noqa: E402

CALLS = "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,splice"

# The unmistakable beginnings of private keys: PKCS#8 of EC, Ed25519 and RSA keys, SEC 1 with a P-256 or P-384 scalar.
DER = {
    "PKCS#8, EC": bytes.fromhex("020100301306072a8648ce3d0201"),
    "PKCS#8, Ed25519": bytes.fromhex("020100300506032b6570"),
    "PKCS#8, RSA": bytes.fromhex("020100300d06092a864886f70d010101"),
    "SEC 1, P-256": bytes.fromhex("0201010420"),
    "SEC 1, P-384": bytes.fromhex("0201010430"),
}


def forms(der):
    """A byte string as it stands raw, and in base64 at each of the three offsets, without the digits its neighbours share."""
    yield der
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + der)
        first = -(-offset * 8 // 6)
        whole = (offset + len(der)) * 8 // 6
        yield text[first:whole]
        yield text[first:whole].replace(b"+", b"-").replace(b"/", b"_")


def scan(data):
    found = [name for name, der in DER.items() for form in forms(der) if form in data]
    found += ["PEM"] if re.search(rb"BEGIN [A-Z ]*PRIVATE KEY", data) else []
    return sorted(set(found))


def traced(directory, *command, env):
    """Every byte that the command and its children wrote or sent."""
    trace = directory / "trace"
    run("strace", "-f", "-qq", "-xx", "-s", "4194304", "-e", f"trace={CALLS}", "-o", trace, *command, env=env)
    data = bytearray()
    for line in trace.read_text().splitlines():
        for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', line):
            data += bytes.fromhex(text.replace("\\x", ""))
    return bytes(data)


def main():
    server = Server()
    try:
        client = Bulla(server)
        control = traced(server.directory, "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", env={})
        assert "PEM" in scan(control) and "PKCS#8, EC" in scan(control), f"the scan is blind: {scan(control)}"
        artifact = client.write("hello.txt", b"hello")
        sign = [BULLA, "sign-blob", "--identity-token", server.token_file(), "--yes", "--bundle", client.home / "b.json", artifact]
        data = traced(server.directory, *sign, env=client.env)
        assert b"publicKeyRequest" in data or b"certificateSigningRequest" in data, "the trace does not hold the requests"
        assert scan(data) == [], f"a private key left the process: {scan(data)}"
        print(f"{len(data)} bytes written and sent hold no private key; the scan finds openssl's ({', '.join(scan(control))})")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
