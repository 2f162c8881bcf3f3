"""Models signed by us and by the model-signing package, each verified by the other, and what both refuse."""

import base64
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla  # noqa: E402
from company import NAME, Company, make_key  # noqa: E402
from foreign import BULLA, MODEL_SIGNING, MODEL_SIGNING_PYTHON, Failed, run  # noqa: E402
from server import EMAIL, Server  # noqa: E402

API = pathlib.Path(__file__).with_name("model_signing_api.py")
SHARD = 1_000_000
# How the package calls a hash function, and how a manifest does.
HASHES = {"sha256": "sha256", "blake2": "blake2b", "blake3": "blake3"}


def make_model(place):
    """A model with all that makes names and orders differ."""
    shutil.rmtree(place, ignore_errors=True)
    (place / "a/deep/er").mkdir(parents=True)
    (place / ".git").mkdir()
    (place / "weights.safetensors").write_bytes(bytes(range(251)) * 14_000)
    for name in ["a/b", "a.txt", "a/deep/er/x", "with space", "ümläut", "Z", ".gitignore", ".git/HEAD", "a/.gitignore"]:
        (place / name).write_text(name)
    (place / "empty").write_text("")
    return place


def root(bundle):
    """The digest of a signed model."""
    payload = json.loads(base64.b64decode(json.loads(bundle.read_text())["dsseEnvelope"]["payload"]))
    return payload["subject"][0]["digest"]["sha256"]


class Ours:
    name = "bulla"

    def __init__(self, server):
        self.bulla, self.server = Bulla(server), server

    def sign(self, model, bundle, key=None, method="files", algorithm="sha256"):
        how = ["--method", method, "--hash", HASHES[algorithm], "--shard-size", SHARD]
        who = ["--key", key.with_suffix(".key")] if key else ["--identity-token", self.server.token_file()]
        env = {**self.bulla.env, "COSIGN_PASSWORD": ""}
        run(BULLA, "sign-model", model, "--bundle", bundle, *how, *who, "--yes", env=env)

    def certify(self, model, bundle, employee, chain):
        who = ["--key", employee.with_suffix(".key"), "--certificate", employee.with_suffix(".crt")]
        run(BULLA, "sign-model", model, "--bundle", bundle, *who, "--certificate-chain", *chain, "--yes", env=self.bulla.env)

    def verify_certified(self, model, bundle, root, ok=True, who=("--any-identity",)):
        who = ["--certificate-chain", root, "--insecure-ignore-tlog", *who]
        return run(BULLA, "verify-model", model, "--bundle", bundle, *who, env=self.bulla.env, ok=ok)

    def verify(self, model, bundle, key=None, ok=True, identity=EMAIL, more=(), **_):
        # The package logs nothing that it signs with a key.
        who = ["--key", key.with_suffix(".pub"), "--insecure-ignore-tlog"] if key else [
            "--certificate-identity", identity, "--certificate-oidc-issuer", self.server.issuer(),
        ]  # fmt: skip
        return run(BULLA, "verify-model", model, "--bundle", bundle, *who, *more, env=self.bulla.env, ok=ok)


class Theirs:
    """The command line, and the library where that has no flags."""

    name = "model-signing"

    def __init__(self, server):
        self.server = server
        self.config = server.directory / "client_trust_config.json"
        self.config.write_bytes(server.get("/client_trust_config.json"))
        self.env = {"HOME": str(server.directory / "home"), "XDG_DATA_HOME": str(server.directory / "home/data")}

    def sign(self, model, bundle, key=None, method="files", algorithm="sha256"):
        if (method, algorithm) == ("files", "sha256"):
            who = ["key", "--private_key", key.with_suffix(".pem")] if key else [
                "sigstore", "--identity_token", self.server.token(), "--trust_config", self.config,
            ]  # fmt: skip
            run(MODEL_SIGNING, "sign", who[0], model, "--signature", bundle, *who[1:], env=self.env)
        else:
            who = [key.with_suffix(".pem")] if key else [self.config, self.server.token()]
            self.api("sign", model, bundle, method, algorithm, *who)

    def verify(self, model, bundle, key=None, ok=True, identity=EMAIL, method="files", algorithm="sha256", more=()):
        if (method, algorithm) == ("files", "sha256"):
            who = ["key", "--public_key", key.with_suffix(".pub")] if key else [
                "sigstore", "--identity", identity, "--identity_provider", self.server.issuer(),
                "--trust_config", self.config,
            ]  # fmt: skip
            more = [str(flag).replace("--ignore-unsigned-files", "--ignore_unsigned_files") for flag in more]
            command = [MODEL_SIGNING, "verify", who[0], model, "--signature", bundle, *who[1:], *more]
            return run(*command, env=self.env, ok=ok)
        who = [key.with_suffix(".pub")] if key else [self.config, identity, self.server.issuer()]
        return self.api("verify", model, bundle, method, algorithm, *who, ok=ok)

    def certify(self, model, bundle, employee, chain):
        who = ["--private_key", employee.with_suffix(".pem"), "--signing_certificate", employee.with_suffix(".crt")]
        chain = [word for file in chain for word in ("--certificate_chain", file)]
        run(MODEL_SIGNING, "sign", "certificate", model, "--signature", bundle, *who, *chain, env=self.env)

    def verify_certified(self, model, bundle, root, ok=True):
        command = [MODEL_SIGNING, "verify", "certificate", model, "--signature", bundle, "--certificate_chain", root]
        return run(*command, env=self.env, ok=ok)

    def api(self, verb, model, bundle, method, algorithm, *who, ok=True):
        return run(MODEL_SIGNING_PYTHON, API, verb, model, bundle, method, algorithm, SHARD, *who, env=self.env, ok=ok)


def spoil(model):
    """Every way in which a model can be another one: what is done, and what undoes it."""
    weights = model / "weights.safetensors"
    contents = weights.read_bytes()
    changed = bytearray(contents)
    changed[2_500_000] ^= 1

    def move():
        (model / "Z").rename(model / "z")

    def move_back():
        (model / "z").rename(model / "Z")

    yield "a bit flipped", lambda: weights.write_bytes(changed), lambda: weights.write_bytes(contents)
    yield "a file cut", lambda: weights.write_bytes(contents[:-1]), lambda: weights.write_bytes(contents)
    yield "a file missing", (model / "a/b").unlink, lambda: (model / "a/b").write_text("a/b")
    yield "a file added", lambda: (model / "a/new").write_text("x"), (model / "a/new").unlink
    yield "a file renamed", move, move_back
    yield "a link added", lambda: (model / "link").symlink_to("a.txt"), (model / "link").unlink


def both_ways(model, ours, theirs, keys):
    """Each signs and the other verifies, in every form that both have."""
    count = 0
    forms = [("files", h) for h in HASHES] + [("shards", h) for h in HASHES if h != "blake3"]
    for method, algorithm in forms:
        for key in [None, *keys]:
            if key and "521" in key.name and algorithm != "sha256":
                continue
            roots = []
            for signer, verifier in [(ours, theirs), (theirs, ours)]:
                bundle = model / "model.sig"
                signer.sign(model, bundle, key=key, method=method, algorithm=algorithm)
                verifier.verify(model, bundle, key=key, method=method, algorithm=algorithm)
                roots.append(root(bundle))
                count += 1
            if roots[0] != roots[1]:
                raise Failed(f"{method} {algorithm}: we sign {roots[0]}, model-signing signs {roots[1]}")
    print(f"{count} signatures verified by the other; both sign the same digest of the model in all {len(forms)} forms")


def refusals(model, ours, theirs, key):
    """What is not the model that was signed, both refuse."""
    count = 0
    for method, algorithm, signed_with in [("files", "sha256", None), ("shards", "sha256", key)]:
        bundle = model / "model.sig"
        ours.sign(model, bundle, key=signed_with, method=method, algorithm=algorithm)
        form = {"key": signed_with, "method": method, "algorithm": algorithm}
        for what, do, undo in spoil(model):
            do()
            for verifier in (ours, theirs):
                refused = verifier.verify(model, bundle, ok=False, **form)
                if verifier is ours and refused.returncode != 1:
                    raise Failed(f"{what}: not a refusal but exit code {refused.returncode}\n{refused.stderr}")
                count += 1
            undo()
        for verifier in (ours, theirs):
            verifier.verify(model, bundle, **form)
    print(f"{count} refusals, by both: {', '.join(what for what, _, _ in spoil(model))}; as files and as shards")


def other_signers(model, ours, theirs, key, other):
    bundle = model / "model.sig"
    ours.sign(model, bundle)
    for verifier in (ours, theirs):
        verifier.verify(model, bundle, ok=False, identity="mallory@example.com")
    ours.sign(model, bundle, key=key)
    for verifier in (ours, theirs):
        verifier.verify(model, bundle, ok=False, key=other)
    # A manifest that somebody changed after it was signed.
    signature = json.loads(bundle.read_text())
    payload = base64.b64decode(signature["dsseEnvelope"]["payload"])
    signature["dsseEnvelope"]["payload"] = base64.b64encode(payload.replace(b'"a.txt"', b'"b.txt"')).decode()
    bundle.write_text(json.dumps(signature))
    for verifier in (ours, theirs):
        verifier.verify(model, bundle, ok=False, key=key)
    print("another identity, another key and a changed manifest are refused by both")


def unsigned_files(model, ours, theirs):
    bundle = model / "model.sig"
    ours.sign(model, bundle)
    (model / "cache").write_text("not part of the model")
    for verifier in (ours, theirs):
        verifier.verify(model, bundle, ok=False)
        verifier.verify(model, bundle, more=["--ignore-unsigned-files"])
        verifier.verify(model, bundle, more=["--ignore-paths", model / "cache"])
    (model / "cache").unlink()
    print("a file that nobody signed is refused by both, unless it is passed over")


def older_and_single(place, ours, theirs, key):
    model = make_model(place / "older")
    bundle = model / "model.sig"
    # More files than other statements may have subjects.
    for number in range(1100):
        (model / f"part-{number}").write_text(str(number))
    theirs.api("sign", model, bundle, "v0.1", "sha256", key.with_suffix(".pem"))
    for verifier in (ours, theirs):
        verifier.verify(model, bundle, key=key)
    (model / "a.txt").write_text("tampered")
    for verifier in (ours, theirs):
        verifier.verify(model, bundle, key=key, ok=False)
    file = place / "model.gguf"
    file.write_bytes(b"weights")
    for signer, verifier in [(ours, theirs), (theirs, ours)]:
        signer.sign(file, place / "model.gguf.sig", key=key)
        verifier.verify(file, place / "model.gguf.sig", key=key)
    print("the experimental form Digests/v0.1 and a model that is one file: verified by both")


def certificates(place, model, ours, theirs):
    """Signed with certificates of a company's own authority."""
    company, other = Company(place), Company(place, "Other")
    bundle, count = model / "model.sig", 0
    for curve in ("P-256", "P-384", "P-521"):
        employee = company.employee(f"employee-{curve}", curve)
        for signer, verifier in [(ours, theirs), (theirs, ours)]:
            # model-signing writes the root into the bundle if it is given one. It makes nobody trusted.
            for chain in [[company.chain]] if signer is ours else [[company.chain], [company.intermediate]]:
                signer.certify(model, bundle, employee, chain)
                for one in (ours, theirs):
                    one.verify_certified(model, bundle, company.root)
                    one.verify_certified(model, bundle, other.root, ok=False)
                count += 1
        ours.verify_certified(model, bundle, company.root, who=("--certificate-identity", NAME))
        ours.verify_certified(model, bundle, company.root, who=("--certificate-identity", "mallory"), ok=False)
    (model / "a.txt").write_text("tampered")
    for verifier in (ours, theirs):
        verifier.verify_certified(model, bundle, company.root, ok=False)
    (model / "a.txt").write_text("a.txt")
    print(f"{count} signatures with certificates: verified by both under their root, and refused under another")


def bad_certificates(place, model, ours, theirs):
    """model-signing signs with any certificate; which of them count is the verifier's to say."""
    company = Company(place, "Careless")
    bundle = model / "model.sig"
    ca = {"basicConstraints": "critical,CA:TRUE", "keyUsage": "critical,keyCertSign"}
    cases = {
        "good": ({}, ""),
        "without extended key usage": ({"extendedKeyUsage": ""}, ""),
        "without key usage": ({"keyUsage": ""}, ""),
        "without any usage": ({"keyUsage": "", "extendedKeyUsage": ""}, "certificate-path"),
        "of an authority": (ca, "certificate-path"),
        "for web servers": ({"extendedKeyUsage": "serverAuth"}, "certificate-path"),
        "expired": ({"days": -1}, "certificate-validity"),
    }
    by_both = []
    for what, (changes, check) in cases.items():
        employee = company.employee(what.replace(" ", "-"), **changes)
        theirs.certify(model, bundle, employee, [company.intermediate])
        refused = ours.verify_certified(model, bundle, company.root, ok=not check)
        if f"check: {check}\n" not in refused.stderr and check:
            raise Failed(f"a certificate {what}: {refused.stderr}")
        theirs_too = theirs.verify_certified(model, bundle, company.root, ok=None).returncode != 0
        if theirs_too and not check:
            raise Failed(f"model-signing refuses a certificate {what}, and we do not")
        by_both += [what] if theirs_too else []
    print(f"certificates refused: {', '.join(what for what, (_, check) in cases.items() if check)}")
    print(f"of them by model-signing: {', '.join(by_both)}")


def speed(place, ours, theirs, key):
    """Not a test: what one large file takes, including the start of the program."""
    model = place / "large"
    model.mkdir()
    with open(model / "weights", "wb") as weights:
        for _ in range(64):
            weights.write(os.urandom(1 << 20) * 16)
    for algorithm in HASHES:
        took = []
        for signer in (ours, theirs):
            began = time.monotonic()
            signer.sign(model, model / "model.sig", key=key, algorithm=algorithm)
            took.append(time.monotonic() - began)
        print(f"one file of 1 GiB, {algorithm}: signed in {took[0]:.2f} s, by model-signing in {took[1]:.2f} s")


def main():
    server = Server()
    place = pathlib.Path(tempfile.mkdtemp(dir=server.directory))
    try:
        ours, theirs = Ours(server), Theirs(server)
        keys = [make_key(place / f"key-{curve}", curve) for curve in ("P-256", "P-521")]
        model = make_model(place / "model")
        both_ways(model, ours, theirs, keys)
        refusals(model, ours, theirs, keys[0])
        other_signers(model, ours, theirs, keys[0], make_key(place / "key-P-384", "P-384"))
        unsigned_files(model, ours, theirs)
        older_and_single(place, ours, theirs, keys[0])
        certificates(place, model, ours, theirs)
        bad_certificates(place, model, ours, theirs)
        speed(place, ours, theirs, keys[0])
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
