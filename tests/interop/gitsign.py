"""Repositories whose commits and tags are signed, by us and by an unmodified gitsign."""

import json
import os
import pathlib

from clients import Bulla
from foreign import BULLA, FOREIGN, V, Failed, run
from server import EMAIL

GITSIGN = str(FOREIGN / f"gitsign-{V['GITSIGN']}/bin/gitsign")


class Person:
    """Somebody with a home of their own, who trusts the server, and whose agent keeps to that home."""

    def __init__(self, server, email=EMAIL):
        self.server, self.email = server, email
        client = Bulla(server)
        self.client = client
        runtime = client.home / "run"
        runtime.mkdir(mode=0o700)
        self.env = {
            **client.env,
            "XDG_RUNTIME_DIR": str(runtime),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(client.home / "gitconfig"),
            "SIGSTORE_ID_TOKEN": "",
        }
        run("git", "config", "--global", "user.name", email.split("@")[0], env=self.env)
        run("git", "config", "--global", "user.email", email, env=self.env)
        run("git", "config", "--global", "init.defaultBranch", "main", env=self.env)

    def token(self, **who):
        """What the environment of a signer holds who need not be asked."""
        return {"SIGSTORE_ID_TOKEN": self.server.token(email=self.email, **who)}

    def dismiss_agent(self):
        run(BULLA, "git", "agent", "--forget", env=self.env)

    def gitsign(self):
        """What gitsign needs to know of the server, as `bulla env` says it."""
        directory = self.client.home / "gitsign"
        script = 'set -euo pipefail; eval "$("$BULLA" env --for gitsign --out "$OUT")" >&2; env -0'
        env = {**self.env, "BULLA": BULLA, "OUT": str(directory)}
        env["PATH"] = f"{pathlib.Path(GITSIGN).parent}:{os.environ['PATH']}"
        done = run("bash", "-c", script, env=env)
        variables = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
        ours = {name: value for name, value in variables.items() if name.startswith(("GITSIGN_", "SIGSTORE_"))}
        return {**self.env, **ours, "TUF_ROOT": variables["TUF_ROOT"]}


class Repository:
    """A new repository, which signs with our program."""

    def __init__(self, person, name="repository", object_format="sha1"):
        self.person = person
        self.path = pathlib.Path(person.client.home) / name
        run("git", "init", "--quiet", f"--object-format={object_format}", self.path, env=person.env)
        run(BULLA, "git", "setup", "--write", env=person.env, cwd=self.path)

    def git(self, *command, env=None, ok=True, program=None):
        """Runs git; with `program` as its signing program."""
        chosen = ["-c", f"gpg.x509.program={program}"] if program else []
        return run("git", *chosen, *command, cwd=self.path, env={**self.person.env, **(env or {})}, ok=ok)

    def commit(self, message, **options):
        """Signs an empty commit, and gives its name."""
        self.git("commit", "--quiet", "--allow-empty", "-m", message, **options)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def tag(self, name, **options):
        self.git("tag", "-s", "-m", name, name, **options)
        return name

    def verify(self, *revisions, identity=EMAIL, issuer=None, ok=True, json_output=False):
        """Our own command, with an identity."""
        who = ["--certificate-identity", identity]
        who += ["--certificate-oidc-issuer", issuer or self.person.server.issuer()]
        output = ["--output", "json"] if json_output else []
        return run(BULLA, *output, "git", "verify", *who, *revisions, cwd=self.path, env=self.person.env, ok=ok)

    def allow(self, text, name="allowed-signers.toml"):
        """Names a list of allowed signers beside the repository."""
        path = self.path.parent / name
        path.write_text(text)
        self.git("config", "bulla.allowedSigners", path)
        return path

    def store(self, kind, content):
        """Puts an object into the database as it is, and gives its name."""
        return run(
            "git", "hash-object", "-w", "--literally", "-t", kind, "--stdin",
            cwd=self.path, env=self.person.env, stdin=content,
        ).stdout.strip()  # fmt: skip


def signer(identity, issuer, **more):
    """An entry of a list of allowed signers."""
    lines = [f'identity = "{identity}"', f'issuer = "{issuer}"']
    lines += [f"{key.replace('_', '-')} = {json.dumps(value)}" for key, value in more.items()]
    return "[[signer]]\n" + "\n".join(lines) + "\n"


def expect(done, *words):
    """A program said these words."""
    said = done.stdout + done.stderr
    for word in words:
        if word not in said:
            raise Failed(f"expected {word!r} in:\n{said}")
    return done
