#!/usr/bin/env python3
"""Acceptance 4-03: podman and skopeo pull what we signed in the older form, and nothing else."""

import json
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla  # noqa: E402
from foreign import BULLA, FOREIGN, Failed, V, run  # noqa: E402
from registries import DockerRegistry  # noqa: E402
from server import Server  # noqa: E402

PULL = str(FOREIGN / f"pull-with-policy-{V['CONTAINERS_IMAGE']}/bin/pull-with-policy")
DEBIAN = FOREIGN / f"debian-{V['DEBIAN']}"
# What containers-policy.json(5) has for signatures whose name is not that of the image, or is.
NAMES = [
    ("its repository", [], {"type": "matchRepository"}),
    ("a name of its own", ["--sign-container-identity", "NAME"], {"type": "matchRepoDigestOrExact"}),
]


class Puller:
    """A program that pulls images under a policy."""

    def __init__(self, registry, folder, policy):
        self.registry, self.folder = registry, pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.policy = self.folder / "policy.json"
        self.policy.write_text(json.dumps(policy))
        # Both look below HOME before they look below /etc.
        registries = self.folder / ".config/containers/registries.d"
        registries.mkdir(parents=True)
        setting = f"docker:\n  {registry.host}:\n    use-sigstore-attachments: true\n"
        (registries / "test.yaml").write_text(setting)
        self.env = {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder)}

    def pull(self, name, ok):
        raise NotImplementedError

    def check(self, done, ok):
        if not ok and "ignature" not in done.stderr:
            raise Failed(f"refused for another reason than its signature: {done.stderr}")


class Skopeo(Puller):
    name = "skopeo"

    def pull(self, name, ok):
        to = tempfile.mkdtemp(dir=self.folder)
        command = [DEBIAN / "usr/bin/skopeo", "--policy", self.policy, "--registries.d", self.folder / ".config/containers/registries.d"]
        copy = ["copy", "--src-tls-verify=false", f"docker://{name}", f"dir:{to}"]
        self.check(run(*command, *copy, env=self.env, ok=ok), ok)


class Podman(Puller):
    name = "podman"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        # It looks for what would run containers before it pulls.
        parts = self.folder / "containers.conf"
        parts.write_text(
            f'[engine]\nconmon_path = ["{DEBIAN}/usr/bin/conmon"]\nhelper_binaries_dir = ["{DEBIAN}/usr/lib/podman"]\n'
            f'runtime = "crun"\n[engine.runtimes]\ncrun = ["{DEBIAN}/usr/bin/crun"]\n'
        )
        self.env["CONTAINERS_CONF"] = str(parts)

    def pull(self, name, ok):
        storage = ["--root", self.folder / "root", "--runroot", self.folder / "run", "--storage-driver", "vfs"]
        pull = ["pull", "--signature-policy", self.policy, "--tls-verify=false", name]
        self.check(run(DEBIAN / "usr/bin/podman", *storage, *pull, env=self.env, ok=ok), ok)
        if ok:
            run(DEBIAN / "usr/bin/podman", *storage, "image", "exists", name, env=self.env)


class Library(Puller):
    """The library that podman, skopeo and CRI-O verify and pull with, as its authors publish it."""

    name = f"containers/image {V['CONTAINERS_IMAGE']}"

    def pull(self, name, ok):
        to = tempfile.mkdtemp(dir=self.folder)
        registries = self.folder / ".config/containers/registries.d"
        self.check(run(PULL, self.policy, registries, name, to, env=self.env, ok=ok), ok)


def policy(registry, key, identity):
    signed = {"type": "sigstoreSigned", "keyPath": str(key), "signedIdentity": identity}
    return {"default": [{"type": "reject"}], "transports": {"docker": {registry.host: [signed]}}}


def main():
    server = Server()
    registry = DockerRegistry()
    try:
        client = Bulla(server)
        client.env["COSIGN_PASSWORD"] = "a password"
        for prefix in ("ours", "other"):
            run(BULLA, "generate-key-pair", "--output-key-prefix", prefix, env=client.env, cwd=client.home)
        for said, flags, identity in NAMES:
            for form in ("legacy", "both"):
                signed, foreign, unsigned = (
                    registry.push(f"{kind}/{form}/{identity['type'].lower()}", f"{kind}{form}{said}")
                    for kind in ("signed", "foreign", "unsigned")
                )
                for prefix, name in (("ours", signed), ("other", foreign)):
                    flags_for = [name if flag == "NAME" else flag for flag in flags]
                    command = ["sign", "--key", f"{prefix}.key", "--format", form, "--yes", *flags_for, name]
                    run(BULLA, *command, env=client.env, cwd=client.home)
                for program in (Library, Skopeo, Podman):
                    rule = policy(registry, client.home / "ours.pub", identity)
                    puller = program(registry, server.directory, rule)
                    puller.pull(signed, ok=True)
                    puller.pull(foreign, ok=False)
                    puller.pull(unsigned, ok=False)
                    print(f"{program.name}: --format {form}, {said}: pulls what is signed, not what another key or nobody signed")
    finally:
        registry.stop()
        server.stop()
        for directory in (registry.directory, server.directory):
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    os.umask(0o022)
    main()
