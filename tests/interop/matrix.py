#!/usr/bin/env python3
"""Acceptance 3: client × API × file/DSSE × direction, with unmodified clients. Prints the matrix.

In each cell a bundle with one bit changed and one with another identity are refused as well.
"""

import base64
import json
import sys

from clients import FOREIGN_CLIENTS, Bulla
from foreign import Failed
from server import EMAIL, Server


def one_bit_changed(bundle, out):
    """The same bundle with one bit of its signature changed."""
    document = json.loads(bundle.read_text())
    holder, key = (
        (document["messageSignature"], "signature")
        if "messageSignature" in document
        else (document["dsseEnvelope"]["signatures"][0], "sig")
    )
    signature = bytearray(base64.b64decode(holder[key]))
    signature[-1] ^= 1
    holder[key] = base64.b64encode(signature).decode()
    out.write_text(json.dumps(document))
    return out


def cell(signer, verifier, kind, api):
    """One signs, the other verifies, and refuses what it must."""
    artifact = signer.write(f"artifact-{kind}-{api}.txt", f"{signer.name} {verifier.name} {kind} {api}\n".encode())
    bundle = signer.home / f"{artifact.name}.{verifier.name}.sigstore.json"
    issuer = signer.server.issuer()
    if words := signer.cannot_sign.get((api, kind)):
        try:
            signer.sign(kind, api, artifact, bundle)
        except Failed as refusal:
            if words in str(refusal):
                return "refused as by rekor-tiles"
        raise Failed(f"{signer.name} was expected to be told: {words}")
    signer.sign(kind, api, artifact, bundle)
    verifier.verify(kind, artifact, bundle, EMAIL, issuer)
    changed = one_bit_changed(bundle, bundle.with_suffix(".changed.json"))
    verifier.verify(kind, artifact, changed, EMAIL, issuer, ok=False)
    verifier.verify(kind, artifact, bundle, "mallory@example.com", issuer, ok=False)
    return "pass"


def main():
    server = Server()
    failures = 0
    try:
        ours = Bulla(server)
        print(f"{'client':16} {'API':3} {'what':5} {'it signs, we verify':27} we sign, it verifies")
        for make in FOREIGN_CLIENTS:
            theirs = make(server)
            for api in theirs.apis:
                for kind in ("file", "dsse"):
                    row = []
                    for signer, verifier in ((theirs, ours), (ours, theirs)):
                        try:
                            row.append(cell(signer, verifier, kind, api))
                        except Failed as error:
                            failures += 1
                            row.append("FAIL")
                            print(error, file=sys.stderr)
                    print(f"{theirs.name:16} {api:3} {kind:5} {row[0]:27} {row[1]}", flush=True)
        print(f"{failures} cells failed" if failures else "every cell passes")
        if failures:
            print(server.log(), file=sys.stderr)
    finally:
        server.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
