#!/usr/bin/env python3
"""Acceptance 4.4: gitsign and we verify each other's commits and tags. Prints what was verified by whom."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from gitsign import GITSIGN, Person, Repository, expect  # noqa: E402
from foreign import Failed, run  # noqa: E402
from server import EMAIL, Server  # noqa: E402

checks = 0


def check(what, outcome):
    global checks
    checks += 1
    print(f"  {what}: {outcome}")


def theirs(repository, command, name, env, identity=EMAIL, ok=True):
    """gitsign's own command, with an identity."""
    who = ["--certificate-identity", identity, "--certificate-oidc-issuer", repository.person.server.issuer()]
    return run(GITSIGN, command, *who, name, cwd=repository.path, env=env, ok=ok)


def we_sign(person, gitsign):
    """Rekor v1, which gitsign reads: by its own commands, and as git's program."""
    repository = Repository(person, "ours")
    repository.git("config", "bulla.rekor", "v1")
    commit = repository.commit("one", env=person.token())
    repository.tag("v1", env=person.token())
    repository.verify(commit, "v1")
    for command, name in (("verify", commit), ("verify-tag", "v1")):
        theirs(repository, command, name, gitsign)
        theirs(repository, command, name, gitsign, identity="mallory@example.com", ok=False)
    repository.git("verify-commit", commit, env=gitsign, program=GITSIGN)
    repository.git("verify-tag", "v1", env=gitsign, program=GITSIGN)
    check("we sign with Rekor v1, gitsign verifies", "a commit and a tag, and refuses another identity")


def we_sign_v2(person, gitsign):
    """Rekor v2 and a timestamp: gitsign makes the entry's body again in the form of version 1 only."""
    repository = Repository(person, "ours-v2")
    commit = repository.commit("one", env=person.token())
    repository.tag("v1", env=person.token())
    expect(repository.verify(commit, "v1"), "hashedrekord 0.0.2", "timestamp authority")
    theirs(repository, "verify", commit, gitsign, ok=False)
    check("we sign with Rekor v2, we verify", "a commit and a tag; gitsign knows no Rekor v2")


def they_sign(person, gitsign):
    repository = Repository(person, "theirs")
    stamped = {**gitsign, "GITSIGN_TIMESTAMP_SERVER_URL": f"{person.server.url}/api/v1/timestamp"}
    for name, env in (("plain", gitsign), ("stamped", stamped)):
        env = {**env, **person.token()}
        commit = repository.commit(name, env=env, program=GITSIGN)
        tag = repository.tag(name, env=env, program=GITSIGN)
        said = repository.verify(commit, tag)
        expect(said, "hashedrekord 0.0.1", *(["timestamp authority"] if name == "stamped" else []))
        expect(repository.verify(commit, tag, identity="mallory@example.com", ok=False), "check: identity")
        repository.allow(f'[[signer]]\nidentity = "{EMAIL}"\nissuer = "{person.server.issuer()}"\n')
        repository.git("verify-commit", commit)
        repository.git("verify-tag", tag)
    check("gitsign signs, we verify", "commits and tags, with and without a timestamp, and refuse another identity")


def they_sign_online(person, gitsign):
    """Its default keeps the log's proof apart: only a search would find it, which logs are giving up, as ours has."""
    repository = Repository(person, "theirs-online")
    env = {**gitsign, **person.token(), "GITSIGN_REKOR_MODE": "online"}
    commit = repository.commit("online", env=env, program=GITSIGN)
    expect(repository.verify(commit, ok=False), "check: log-entry", "gitsign.rekorMode is offline")
    check("gitsign signs in its mode online", "refused, with what to do")


def sha_256(person, gitsign):
    """A repository of SHA-256: the signature is in another header."""
    repository = Repository(person, "sha256", object_format="sha256")
    repository.git("config", "bulla.rekor", "v1")
    ours = repository.commit("ours", env=person.token())
    repository.tag("ours", env=person.token())
    expect(repository.git("cat-file", "commit", ours), "gpgsig-sha256 -----BEGIN SIGNED MESSAGE-----")
    other = repository.commit("theirs", env={**gitsign, **person.token()}, program=GITSIGN)
    repository.verify(ours, other, "ours")
    repository.allow(f'[[signer]]\nidentity = "{EMAIL}"\nissuer = "{person.server.issuer()}"\n')
    for commit in (ours, other):
        repository.git("verify-commit", commit)
        repository.git("verify-commit", commit, env=gitsign, program=GITSIGN)
    repository.git("verify-tag", "ours")
    check("SHA-256 repository", "both sign, both verify")


def main():
    server = Server()
    try:
        person = Person(server)
        gitsign = person.gitsign()
        for part in (we_sign, we_sign_v2, they_sign, they_sign_online, sha_256):
            part(person, gitsign)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        server.stop()
    print(f"REPORT gitsign and bulla: {checks} of 5 parts pass")
    return 0


if __name__ == "__main__":
    sys.exit(main())
