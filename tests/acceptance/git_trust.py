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
    # What is typed is written with the ref's full name.
    run(
        BULLA, "git", "setup", "--write", "--allowed-signers", "trusted:signers.toml",
        cwd=repository.path, env=repository.person.env,
    )  # fmt: skip
    equal(repository.git("config", "bulla.allowedSigners").stdout.strip(), "refs/heads/trusted:signers.toml")
    repository.git("verify-commit", ours)
    for commit in (foreign, added):
        expect(repository.git("verify-commit", commit, ok=False), "is not an allowed signer")
    for checked_out in (
        "signers.toml", "HEAD:signers.toml", ":signers.toml", "refs/heads/main:signers.toml", file, "FETCH_HEAD:signers.toml",
    ):  # fmt: skip
        repository.git("config", "bulla.allowedSigners", checked_out)
        expect(repository.git("verify-commit", added, ok=False), "say whom to trust")
    check("a signer who adds herself to the list is refused, and a list that is checked out is never read")
    return ours, added


def names_that_mean_two_things(repository, ours, added):
    """Git takes a tag before a branch of the same name, and a tag can be called as a remote's branch, or as its full name."""
    repository.git("-c", "tag.gpgSign=false", "tag", "trusted", added)
    repository.git("config", "bulla.allowedSigners", "trusted:signers.toml")
    expect(repository.git("verify-commit", ours, ok=False), "the name of several refs", "in full")
    repository.git("config", "bulla.allowedSigners", "refs/heads/trusted:signers.toml")
    repository.git("verify-commit", ours)
    expect(repository.git("verify-commit", added, ok=False), "is not an allowed signer")
    list_only(repository, "refs/heads/gone:signers.toml", "refs/heads/gone", added)
    who = ["--certificate-identity", MALLORY, "--certificate-oidc-issuer", repository.person.server.issuer()]
    for revision in ("trusted", "trusted~0", "HEAD~1..trusted", "trusted..HEAD"):
        said = run(BULLA, "git", "verify", *who, revision, cwd=repository.path, env=repository.person.env, ok=False)
        expect(said, '"trusted" is the name of refs/heads/trusted and of refs/tags/trusted')
    abbreviated = ours[:8]
    repository.git("-c", "tag.gpgSign=false", "tag", abbreviated, added)
    said = run(BULLA, "git", "verify", *who, abbreviated, cwd=repository.path, env=repository.person.env, ok=False)
    expect(said, f'"{abbreviated}" is the name of refs/tags/{abbreviated}')
    check("a tag that is called like a branch, a full name or an id takes nobody's place")


def list_only(repository, place, shadow, target):
    """A ref that is not there, and a tag that git would take for it."""
    repository.git("-c", "tag.gpgSign=false", "tag", shadow, target)
    repository.git("config", "bulla.allowedSigners", place)
    expect(repository.git("verify-commit", target, ok=False), "there is no ref")


def objects_in_disguise(repository, ours):
    """An old tag under a new name, a file with the bytes of a commit, a header without an end."""
    repository.tag("v2", env=repository.person.token())
    repository.git("update-ref", "refs/tags/v3", repository.git("rev-parse", "v2").stdout.strip())
    repository.verify("v2")
    expect(repository.verify("v3", ok=False), "check: tag-name", "found: v2")
    raw = repository.git("cat-file", "commit", ours).stdout
    expect(repository.verify(repository.store("blob", raw), ok=False), "is a blob, not a commit or tag")
    cut = repository.store("commit", raw.split("gpgsig ")[0] + "gpgsig")
    expect(repository.verify(cut, ok=False), "has the header \"gpgsig\", which nobody signs")
    check("renamed tags, files and cut headers are refused")


def histories_with_gaps(repository):
    """What a replacement jumps over is verified all the same, and a shallow clone is not taken for a whole."""
    first = repository.commit("first", env=repository.person.token())
    repository.git("commit", "--quiet", "--no-gpg-sign", "--allow-empty", "-m", "not signed")
    hole = repository.git("rev-parse", "HEAD").stdout.strip()
    last = repository.commit("last", env=repository.person.token())
    jumping = repository.git("cat-file", "commit", last).stdout.replace(hole, first)
    repository.git("replace", last, repository.store("commit", jumping))
    expect(repository.verify(f"{first}..{last}", ok=False), hole, "not signed", "not verified: 1")
    shallow = Repository(repository.person, "shallow")
    shallow.git("fetch", "--quiet", "--depth", "1", f"file://{repository.path}", "main")
    fetched = shallow.git("rev-parse", "FETCH_HEAD").stdout.strip()
    shallow.git("update-ref", "refs/heads/main", fetched)
    shallow.verify("HEAD")
    tree = shallow.git("mktree").stdout.strip()
    elsewhere = shallow.git("commit-tree", tree, "-m", "elsewhere").stdout.strip()
    said = expect(shallow.verify(f"{elsewhere}..HEAD", ok=False), "the clone is shallow", "git fetch --unshallow")
    equal(said.returncode, 3)
    shallow.commit("on top", env=repository.person.token())
    shallow.verify("HEAD~1..HEAD")
    check("what a replacement jumps over is verified, and what a shallow clone lacks is missed")


def trust_from_the_tree(repository, ours):
    """Whom to trust is never looked for among the files that are checked out."""
    (repository.path / "ctc.json").write_text("{}")
    repository.git("config", "bulla.trust", "ctc.json")
    expect(repository.git("verify-commit", ours, ok=False), "among the files that are checked out")
    repository.git("config", "--unset", "bulla.trust")
    expect(
        repository.git("verify-commit", ours, env={"BULLA_TRUST": "./ctc.json"}, ok=False),
        "among the files that are checked out",
    )
    repository.git("verify-commit", ours)
    check("a relative path does not say whom to trust")


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


def a_commit_s_signature_as_a_file(person):
    """Whoever has a file signed that is a set of signed attributes would have a commit signed."""
    digest = bytes(32)
    content_type = bytes.fromhex("301806092a864886f70d010903310b06092a864886f70d010701")
    message_digest = bytes.fromhex("302f06092a864886f70d01090431220420") + digest
    attributes = content_type + message_digest
    file = person.client.write("attributes", bytes([0x31, len(attributes)]) + attributes)
    said = run(BULLA, "sign-blob", "--yes", file, env={**person.env, **person.token()}, ok=False)
    expect(said, "the inside of a CMS signature")
    run(BULLA, "sign-blob", "--yes", person.client.write("file", b"1" + attributes), env={**person.env, **person.token()})
    check("a file that is the inside of a commit's signature is not signed")


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
        listed, added = lists_in_refs(repository, foreign, mallory)
        names_that_mean_two_things(repository, listed, added)
        what_was_changed(repository, ours)
        objects_in_disguise(repository, ours)
        histories_with_gaps(repository)
        trust_from_the_tree(repository, listed)
        a_commit_s_signature_as_a_file(alice)
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
