#!/usr/bin/env python3
"""Acceptance 4.4: plain git says good only for those whom the repository trusts, and for nothing that was changed."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from gitsign import Person, Repository, expect, signer  # noqa: E402
from foreign import BULLA, Failed, run  # noqa: E402
from server import EMAIL, PASSWORD, Server  # noqa: E402

MALLORY = "mallory@example.com"
checks = 0


def check(sentence):
    global checks
    checks += 1
    print(f"  {sentence}")


def letters(repository, *revisions):
    """What `git log` says of each: G is good, B bad, E cannot be checked, N no signature."""
    return repository.git("log", "--format=%G?", *revisions).stdout.split()


def equal(found, expected):
    if found != expected:
        raise Failed(f"found {found}, expected {expected}")


def setting(alice, mallory):
    """A repository with a commit of each."""
    repository = Repository(alice)
    ours = repository.commit("by alice", env=alice.token())
    foreign = repository.commit("by mallory", env={**mallory.env, **mallory.token()})
    return repository, ours, foreign


def without_a_list(repository, ours):
    expect(repository.git("verify-commit", ours, ok=False), "it is not said whose signatures count")
    equal(letters(repository), ["E", "E"])
    check("without a list nobody is good")


def with_a_list(repository, ours, foreign):
    issuer = repository.person.server.issuer()
    repository.allow(signer(EMAIL, issuer))
    expect(repository.git("verify-commit", ours), f"good signature by {EMAIL}")
    said = repository.git("verify-commit", foreign, ok=False)
    expect(said, f"{MALLORY} is not an allowed signer")
    equal(letters(repository), ["E", "G"])
    shown = repository.git("log", "--show-signature").stdout
    equal(shown.count("good signature by"), 1)
    equal(repository.git("log", "-1", "--format=%GS", ours).stdout.strip(), EMAIL)
    run(BULLA, "git", "verify", ours, cwd=repository.path, env=repository.person.env)
    everything = run(BULLA, "git", "verify", ours, foreign, cwd=repository.path, env=repository.person.env, ok=False)
    expect(everything, "allowed-signer", "verified: 1", "not verified: 1")
    check("a foreign identity is refused by git verify-commit, git log and bulla git verify")
    repository.allow(signer(EMAIL, "https://accounts.example.com"))
    expect(repository.git("verify-commit", ours, ok=False), "is not an allowed signer")
    check("the same name from another issuer is refused")


def lists_that_limit(repository, ours):
    issuer = repository.person.server.issuer()
    repository.tag("v1", env=repository.person.token())
    repository.allow(signer(EMAIL, issuer, objects=["tag"]))
    repository.git("verify-tag", "v1")
    expect(repository.git("verify-commit", ours, ok=False), "not objects of this kind")
    repository.allow(signer(EMAIL, issuer, valid_until="2026-01-01T00:00:00Z"))
    expect(repository.git("verify-commit", ours, ok=False), "is allowed to sign, but was not at")
    pattern = f'[[signer]]\nidentity-regexp = ".*@example\\\\.com"\nissuer = "{issuer}"\nvalid-from = "2020-01-01T00:00:00Z"\n'
    repository.allow(pattern)
    repository.git("verify-commit", ours)
    check("signers can be limited to kinds of objects and to times, and be named by patterns")


def lists_in_refs(repository, foreign, mallory):
    """Mallory adds herself to the list in her own commit. What counts is the list in the ref that the reader chose."""
    issuer = repository.person.server.issuer()
    file = repository.path / "signers.toml"
    file.write_text(signer(EMAIL, issuer))
    repository.git("add", "signers.toml")
    ours = repository.commit("the list", env=repository.person.token())
    repository.git("branch", "trusted")
    file.write_text(file.read_text() + signer(MALLORY, issuer))
    repository.git("add", "signers.toml")
    added = repository.commit("me too", env={**mallory.env, **mallory.token()})
    repository.git("config", "bulla.allowedSigners", "trusted:signers.toml")
    repository.git("verify-commit", ours)
    for commit in (foreign, added):
        expect(repository.git("verify-commit", commit, ok=False), "is not an allowed signer")
    for checked_out in ("signers.toml", "HEAD:signers.toml", ":signers.toml"):
        repository.git("config", "bulla.allowedSigners", checked_out)
        expect(repository.git("verify-commit", added, ok=False), "say whom to trust")
    check("a signer who adds herself to the list is refused, and a list that is checked out is never read")


def what_was_changed(repository, ours):
    """Objects as no honest git writes them."""
    repository.allow(signer(EMAIL, repository.person.server.issuer()))
    raw = repository.git("cat-file", "commit", ours).stdout
    changed = repository.store("commit", raw.replace("by alice", "by nobody"))
    expect(repository.git("verify-commit", changed, ok=False), "about an object with")
    expect(repository.verify(changed, ok=False), "about an object with")
    equal(letters(repository, "-1", changed), ["B"])
    tree = raw.split("\n")[0]
    twice = repository.store("commit", raw.replace(tree, f"{tree}\n{tree}", 1))
    expect(repository.verify(twice, ok=False), "the header \"tree\" twice")
    repository.git("verify-commit", twice, ok=False)
    header = raw[raw.index("gpgsig ") : raw.index("-----END")] + "-----END SIGNED MESSAGE-----\n"
    two = repository.store("commit", raw.replace("gpgsig ", header + "gpgsig ", 1))
    expect(repository.verify(two, ok=False), "the header \"gpgsig\" twice")
    expect(repository.git("verify-commit", two, ok=False), "more than one signature")
    replacing = repository.store("commit", raw.split("gpgsig ")[0] + "\nanother\n")
    repository.git("replace", replacing, ours)
    expect(repository.verify(replacing, ok=False), "not signed")
    check("changed, doubled and replaced objects are refused, over the bytes that are stored")


def in_the_committer_s_name(repository, mallory):
    repository.git("config", "bulla.matchCommitter", "true")
    repository.commit("mine", env=repository.person.token())
    repository.git("commit", "--allow-empty", "-m", "not mine", env=mallory.token(), ok=False)
    # Older versions of git keep to themselves what their signing program says.
    said = run(
        BULLA, "--status-fd=2", "-bsau", EMAIL, cwd=repository.path, env={**repository.person.env, **mallory.token()},
        stdin=f"tree 1\ncommitter Alice <{EMAIL}> 1 +0000\n\nnot mine\n", ok=False,
    )  # fmt: skip
    expect(said, "somebody else than the committer")
    check("with bulla.matchCommitter nobody signs in another's name")


def main():
    server = Server()
    try:
        password = {**server.env, "BULLA_PASSWORD": PASSWORD}
        run(BULLA, "user", "add", MALLORY, "--dir", server.data, env=password)
        alice, mallory = Person(server), Person(server, MALLORY)
        repository, ours, foreign = setting(alice, mallory)
        without_a_list(repository, ours)
        with_a_list(repository, ours, foreign)
        lists_that_limit(repository, ours)
        lists_in_refs(repository, foreign, mallory)
        what_was_changed(repository, ours)
        in_the_committer_s_name(repository, mallory)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        server.stop()
    print(f"REPORT allowed signers: {checks} statements hold")
    return 0


if __name__ == "__main__":
    sys.exit(main())
