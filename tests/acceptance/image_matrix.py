#!/usr/bin/env python3
"""Acceptance 4-02: images, in both directions between cosign and us. Prints the matrix.

registry x log x format x credential x what, and who signs. In each cell the other verifies, and refuses another signer.
"""

import concurrent.futures
import itertools
import json
import pathlib
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla, Cosign3  # noqa: E402
from foreign import BULLA, COSIGN, Failed, run  # noqa: E402
from registries import REGISTRIES  # noqa: E402
from server import EMAIL, Server  # noqa: E402

WHAT = ["sign", "sign --recursive", "attest"]
TYPE = "https://example.com/predicate/v1"
# cosign cannot log legacy signatures anywhere else, nor could anybody verify them.
LOGS = [("v2", "bundle"), ("v1", "bundle"), ("v1", "legacy")]


class Ours(Bulla):
    """Our program, on images."""

    def sign_image(self, what, log, form, key, name):
        with_ = ["--format", form, "--rekor", log, "--yes", *self.credential(key)]
        if what == "attest":
            run(BULLA, "attest", *with_, "--predicate", self.predicate, "--type", TYPE, name, env=self.env)
        else:
            run(BULLA, *what.split(), *with_, name, env=self.env)

    def credential(self, key):
        return ["--key", key.with_suffix(".key")] if key else ["--identity-token", self.server.token_file()]

    def verify_image(self, what, form, who, name, ok=True):
        command = ["verify-attestation", "--type", TYPE] if what == "attest" else ["verify"]
        done = run(BULLA, *command, *who, name, env=self.env, ok=ok)
        if not ok and done.returncode != 1:
            raise Failed(f"{name} should have been refused, not: {done.stderr}")


class Theirs(Cosign3):
    """cosign, on images."""

    def sign_image(self, what, log, form, key, name):
        with_ = ["--yes", *self.credential(key), *self.services(log, form)]
        if what == "attest":
            run(COSIGN, "attest", *with_, "--predicate", self.predicate, "--type", TYPE, name, env=self.env)
        else:
            run(COSIGN, *what.split(), *with_, name, env=self.env)

    credential = Ours.credential

    def services(self, log, form):
        if form == "legacy":
            url = self.server.url
            old = ["--new-bundle-format=false", "--use-signing-config=false"]
            return [*old, "--fulcio-url", url, "--rekor-url", url, "--oidc-issuer", self.server.issuer()]
        return [] if log == "v2" else ["--signing-config", self.targets["signing_config_rekor_v1.v0.2.json"]]

    def verify_image(self, what, form, who, name, ok=True):
        command = ["verify-attestation", "--type", TYPE] if what == "attest" else ["verify"]
        old = ["--new-bundle-format=false"] if form == "legacy" else []
        run(COSIGN, *command, *old, *who, name, env=self.env, ok=ok)


class Matrix:
    def __init__(self):
        self.server = Server()
        self.registries = [registry() for registry in REGISTRIES]
        self.ours, self.theirs = Ours(self.server), Theirs(self.server)
        for client in (self.ours, self.theirs):
            client.env["COSIGN_PASSWORD"] = "a password"
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.server.directory))
        self.key, self.other = folder / "cosign", folder / "other"
        for key in (self.key, self.other):
            run(COSIGN, "generate-key-pair", "--output-key-prefix", key, env=self.theirs.env)
        self.count, self.lock = itertools.count(), threading.Lock()

    def stop(self):
        for one in (*self.registries, self.server):
            one.stop()

    def who(self, keyed, right=True):
        if keyed:
            return ["--key", (self.key if right else self.other).with_suffix(".pub")]
        name = EMAIL if right else "mallory@example.com"
        return ["--certificate-identity", name, "--certificate-oidc-issuer", self.server.issuer()]

    def cell(self, registry, log, form, keyed, what, signer, verifier):
        with self.lock:
            repository = f"matrix/{next(self.count)}"
        if what == "sign --recursive":
            name = registry.push_index(repository, repository)
            members = registry.members(repository, "index")
        else:
            name = registry.push(repository, repository)
            members = [name]
        signer.sign_image(what, log, form, self.key if keyed else None, name)
        for member in members:
            verifier.verify_image(what, form, self.who(keyed), member)
        verifier.verify_image(what, form, self.who(keyed, right=False), members[0], ok=False)
        if what == "sign":
            unsigned = registry.push(repository + "-unsigned", repository + "x")
            verifier.verify_image(what, form, self.who(keyed), unsigned, ok=False)

    def cells(self):
        directions = [(self.ours, self.theirs), (self.theirs, self.ours)]
        for registry, (log, form), keyed, what in itertools.product(self.registries, LOGS, (False, True), WHAT):
            for signer, verifier in directions:
                yield registry, log, form, keyed, what, signer, verifier

    def run(self):
        """All cells, a few at a time; the failures."""
        failures, results = [], {}

        def one(cell):
            try:
                self.cell(*cell)
                return cell, None
            except (Failed, OSError, KeyError, ValueError) as error:
                return cell, error

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for cell, error in pool.map(one, self.cells()):
                registry, log, form, keyed, what, signer, _ = cell
                row = (registry.name, f"rekor {log}", form, "key" if keyed else "keyless", what)
                results.setdefault(row, {})[signer.name] = "ok" if error is None else "FAILED"
                if error is not None:
                    failures.append(f"{row} signed by {signer.name}: {error}")
        print(f"{'registry':22} {'log':10} {'format':8} {'with':8} {'what':17} we sign  cosign signs")
        for row, cells in results.items():
            registry, log, form, credential, what = row
            ours, theirs = cells["bulla"], cells["cosign-3"]
            print(f"{registry:22} {log:10} {form:8} {credential:8} {what:17} {ours:8} {theirs}")
        return failures

    def tree_save_load(self):
        """What cosign makes of what we wrote, beyond verifying it."""
        for registry, (log, form) in itertools.product(self.registries, [("v2", "bundle"), ("v1", "legacy")]):
            repository = f"copied/{log}"
            name = registry.push(repository, repository)
            self.ours.sign_image("sign", log, form, None, name)
            self.ours.sign_image("attest", log, form, None, name)
            tree = run(COSIGN, "tree", name, env=self.theirs.env).stdout
            wanted = ["https://sigstore.dev/cosign/sign/v1", TYPE] if form == "bundle" else [".sig", ".att"]
            if not all(text in tree for text in wanted):
                raise Failed(f"cosign tree does not show what we attached:\n{tree}")
            saved = self.save(name)
            for what in ("sign", "attest"):
                command = ["verify-attestation", "--type", TYPE] if what == "attest" else ["verify"]
                run(BULLA, *command, "--local-image", *self.who(False), saved, env=self.ours.env)
                run(COSIGN, *command, "--local-image", *self.who(False), saved, env=self.theirs.env)
            print(f"cosign tree, save, verify --local-image: {registry.name} {form} ok")
            self.load(registry, form, saved)

    def save(self, name):
        saved = pathlib.Path(tempfile.mkdtemp(dir=self.server.directory))
        run(COSIGN, "save", "--dir", saved, name, env=self.theirs.env)
        return saved

    def load(self, registry, form, saved):
        loaded = f"{registry.host}/loaded/{form}:1"
        done = run(COSIGN, "load", "--dir", saved, loaded, env=self.theirs.env, ok=None)
        if done.returncode == 0:
            for what in ("sign", "attest"):
                self.ours.verify_image(what, form, self.who(False), loaded)
                self.theirs.verify_image(what, form, self.who(False), loaded)
            print(f"cosign load: {registry.name} {form} ok")
            return
        # cosign pushes the manifests of bundles without their blobs, its own as well as ours; this registry looks.
        own = registry.push("copied/own", "own")
        self.theirs.sign_image("sign", "v2", "bundle", None, own)
        twin = run(COSIGN, "load", "--dir", self.save(own), f"{registry.host}/loaded/own:1", env=self.theirs.env, ok=False)
        if not all("MANIFEST_BLOB_UNKNOWN" in failed.stderr for failed in (done, twin)):
            raise Failed(f"cosign load: {done.stderr}")
        print(f"cosign load: {registry.name} {form} refused by the registry, as what cosign itself signed and saved")


def main():
    matrix = Matrix()
    try:
        failures = matrix.run()
        if failures:
            sys.exit("\n".join(failures))
        matrix.tree_save_load()
    finally:
        matrix.stop()


if __name__ == "__main__":
    main()
