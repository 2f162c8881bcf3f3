#!/usr/bin/env python3
"""Acceptance 4.4: a rebase of fifty commits asks for one sign-in. Browsers and certificates are counted."""

import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from gitsign import Person, Repository, signer  # noqa: E402
from foreign import BULLA, Failed, run  # noqa: E402
from server import EMAIL, PASSWORD, Server  # noqa: E402

COMMITS = 50

# What opens browsers on desktops: signs in as a person would, and writes down that it did.
BROWSER = """#!{python}
import sys
sys.path.insert(0, {interop!r})
from server import sign_in
import urllib.request
with open({log!r}, "a") as log:
    log.write("a sign-in\\n")
redirect = "http://localhost"
back = sign_in(sys.argv[1], redirect, {email!r}, {password!r})
urllib.request.urlopen(back, timeout=10).read()
"""


class Desktop:
    """A desktop with a browser that counts."""

    def __init__(self, home):
        self.log = home / "browser.log"
        self.log.write_text("")
        folder = home / "desktop"
        folder.mkdir()
        program = folder / "xdg-open"
        interop = str(pathlib.Path(__file__).resolve().parent.parent / "interop")
        program.write_text(
            BROWSER.format(python=sys.executable, interop=interop, log=str(self.log), email=EMAIL, password=PASSWORD)
        )
        program.chmod(0o755)
        self.env = {"PATH": f"{folder}:{os.environ['PATH']}", "DISPLAY": ":1"}

    def sign_ins(self):
        return len(self.log.read_text().splitlines())


def certificates(repository, count):
    """The serial numbers of the certificates of the last commits, by what was verified."""
    import json

    said = repository.verify(f"HEAD~{count}..HEAD", json_output=True)
    return [one["signer"]["serial"] for one in json.loads(said.stdout)["verified"]]


def rebase(person, desktop):
    repository = Repository(person, "rebased")
    repository.git("config", "commit.gpgSign", "false")
    for number in range(COMMITS + 1):
        repository.git("commit", "--quiet", "--allow-empty", "-m", f"commit {number}")
    began = time.monotonic()
    repository.git("rebase", "--quiet", "--force-rebase", "--gpg-sign", f"HEAD~{COMMITS}", env=desktop.env)
    seconds = time.monotonic() - began
    serials = certificates(repository, COMMITS)
    if len(serials) != COMMITS or len(set(serials)) != 1:
        raise Failed(f"{len(serials)} commits with {len(set(serials))} certificates")
    if desktop.sign_ins() != 1:
        raise Failed(f"{desktop.sign_ins()} sign-ins")
    repository.allow(signer(EMAIL, person.server.issuer()))
    good = repository.git("log", f"-{COMMITS}", "--format=%G?").stdout.split()
    if good != ["G"] * COMMITS:
        raise Failed(f"git log says {good}")
    print(f"REPORT a rebase of {COMMITS} commits: 1 sign-in, 1 certificate, {COMMITS} good signatures, {seconds:.1f} s")


def agent_manners(person, desktop):
    """Who the agent keeps, that other committers get their own, that it forgets, and that nothing is needed of it."""
    kept = run(BULLA, "git", "agent", "--list", env=person.env).stdout
    if kept.count(EMAIL) != 1:
        raise Failed(f"the agent keeps {kept!r}")
    socket = pathlib.Path(person.env["XDG_RUNTIME_DIR"]) / "bulla/git-agent.sock"
    if socket.stat().st_mode & 0o777 != 0o600 or socket.parent.stat().st_mode & 0o777 != 0o700:
        raise Failed("others could reach the agent")
    repository = Repository(person, "another")
    repository.commit("still the same certificate", env=desktop.env)
    before = desktop.sign_ins()
    other = {**desktop.env, "GIT_COMMITTER_EMAIL": "another@example.com"}
    repository.commit("another committer", env=other)
    if (before, desktop.sign_ins()) != (1, 2):
        raise Failed(f"{before} and {desktop.sign_ins()} sign-ins")
    person.dismiss_agent()
    repository.commit("after it forgot", env=desktop.env)
    if desktop.sign_ins() != 3:
        raise Failed("the agent did not forget")
    person.dismiss_agent()
    for _ in range(100):
        if not socket.exists():
            break
        time.sleep(0.05)
    else:
        raise Failed("the agent did not end")
    repository.git("config", "bulla.agent", "false")
    repository.commit("without an agent", env=desktop.env)
    if desktop.sign_ins() != 4 or socket.exists():
        raise Failed("an agent was started that nobody wanted")
    print("REPORT the agent keeps committers apart, forgets, ends, and is not needed")


def parallel(person, desktop):
    """Several repositories at once: whoever comes second waits for the first to have signed in."""
    person.dismiss_agent()
    before = desktop.sign_ins()
    repositories = [Repository(person, f"parallel-{number}") for number in range(8)]
    env = {**os.environ, **person.env, **desktop.env}
    command = ["git", "commit", "--quiet", "--allow-empty", "-m", "at once"]
    running = [subprocess.Popen(command, cwd=one.path, env=env, stderr=subprocess.PIPE) for one in repositories]
    for process in running:
        _, said = process.communicate(timeout=60)
        if process.returncode != 0:
            raise Failed(said.decode())
    if desktop.sign_ins() != before + 1:
        raise Failed(f"{desktop.sign_ins() - before} sign-ins for eight commits at once")
    print("REPORT eight commits at once: 1 sign-in")


def main():
    server = Server()
    try:
        person = Person(server)
        desktop = Desktop(person.client.home)
        try:
            rebase(person, desktop)
            agent_manners(person, desktop)
            parallel(person, desktop)
        finally:
            person.dismiss_agent()
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
