#!/usr/bin/env python3
"""Acceptance 4-02: keys of all kinds and signatures in the older form. cosign makes some that it does not verify itself."""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from foreign import BULLA, COSIGN, Failed, run  # noqa: E402
from image_matrix import Ours, Theirs  # noqa: E402
from registries import RegistryWithReferrers  # noqa: E402
from server import Server  # noqa: E402

# Whether the readers of the older form know the kind: they check everything with SHA-256, and no log takes Ed25519 as it is.
KINDS = {
    "P-256": (["EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"], True),
    "RSA": (["RSA"], True),
    "P-384": (["EC", "-pkeyopt", "ec_paramgen_curve:secp384r1"], False),
    "P-521": (["EC", "-pkeyopt", "ec_paramgen_curve:secp521r1"], False),
    "Ed25519": (["ED25519"], False),
}


def make_key(kind, folder, env):
    """A key as cosign keeps it; the beginning of its names."""
    pem, key = folder / f"{kind}.pem", folder / kind
    run("openssl", "genpkey", "-algorithm", *KINDS[kind][0], "-out", pem)
    run(COSIGN, "import-key-pair", "--key", pem, "--output-key-prefix", key, env=env)
    return key


def ours_is_refused(ours, key, name):
    """We say before anything is asked for that nobody could verify it."""
    for command in (["sign"], ["attest", "--predicate", ours.predicate, "--type", "https://example.com/p"]):
        flags = ["--format", "legacy", "--yes", "--key", key.with_suffix(".key")]
        done = run(BULLA, *command, *flags, name, env=ours.env, ok=False)
        if done.returncode != 2 or "nobody who reads the older form" not in done.stderr:
            raise Failed(f"{command[0]} in the older form: {done.stderr}")


def check(kind, registry, ours, theirs, key):
    is_known = KINDS[kind][1]
    who, repository = ["--key", key.with_suffix(".pub")], f"older/{kind.lower()}"
    signed = registry.push(f"{repository}-theirs", kind)
    theirs.sign_image("sign", "v1", "legacy", key, signed)
    ours.verify_image("sign", "legacy", who, signed)
    theirs.verify_image("sign", "legacy", who, signed, ok=is_known)
    name = registry.push(f"{repository}-ours", kind + "ours")
    if is_known:
        ours.sign_image("sign", "v1", "legacy", key, name)
        theirs.verify_image("sign", "legacy", who, name)
    else:
        ours_is_refused(ours, key, name)
    verdict = "both sign, both verify" if is_known else "we verify what cosign signs and refuses itself, and sign none"
    print(f"keys of {kind} in the older form: {verdict}")


def main():
    server, registry = Server(), RegistryWithReferrers()
    try:
        ours, theirs = Ours(server), Theirs(server)
        for client in (ours, theirs):
            client.env["COSIGN_PASSWORD"] = "a password"
        folder = pathlib.Path(tempfile.mkdtemp(dir=server.directory))
        for kind in KINDS:
            check(kind, registry, ours, theirs, make_key(kind, folder, theirs.env))
    finally:
        registry.stop()
        server.stop()


if __name__ == "__main__":
    main()
