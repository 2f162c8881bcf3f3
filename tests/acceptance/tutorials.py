"""Runs the commands of tutorials as they are printed: tutorials.py FILE...

Every `sh` block is run, in order, in one shell and an empty directory. A `text` block says what the block before it prints:
its lines come in that order, where … is anything, and lines between them may be left out. Two things are done for the reader:
a person who signs in sits at the terminal and the browser, and the ports are others, so that this runs beside a server that
is there already.
"""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from foreign import BULLA, COSIGN, FOREIGN, Failed, V  # noqa: E402
from server import PASSWORD, free_port  # noqa: E402

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PERSON = pathlib.Path(__file__).with_name("person_at_browser.py")
TIMEOUT = 100
# What no program prints.
MARK = "--- tutorial: next block ---"


def blocks(document):
    """Pairs of commands and what they print, or None where that is not shown."""
    found = []
    for kind, text in FENCE.findall(document):
        if kind == "sh":
            found.append((text, None))
        elif kind == "text" and found and found[-1][1] is None:
            found[-1] = (found[-1][0], text)
        else:
            raise Failed(f"a block of the kind {kind} that belongs to nothing:\n{text}")
    return found


def other_ports(text):
    """The tutorial with free ports, each for one that it prints."""
    for port in sorted(set(re.findall(r"localhost:(\d+)", text))):
        text = text.replace(f"localhost:{port}", f"localhost:{free_port()}")
    return text


def shell(commands):
    """One script: a mark after each block, and the first that fails ends it."""
    return "set -e\n" + "".join(f"{block}\necho {MARK}\n" for block, _ in commands)


def environment(home, port):
    """A home of its own, the programs on the path, and Alice at the browser."""
    programs = home / "bin"
    programs.mkdir()
    crane = FOREIGN / f"crane-{V['GO_CONTAINERREGISTRY']}/bin/crane"
    for name, program in [("bulla", BULLA), ("cosign", COSIGN), ("crane", crane)]:
        (programs / name).symlink_to(pathlib.Path(program).resolve())
    browser = programs / "xdg-open"
    browser.write_text(f'#!/bin/sh\nexec {sys.executable} {PERSON} "$1" >>"{home}/browser.log" 2>&1\n')
    browser.chmod(0o755)
    keep = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    return {
        **keep,
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TERM": "xterm",
        "DISPLAY": ":0",
        "BULLA_PASSWORD": PASSWORD,
        "COSIGN_PASSWORD": "",
        # What `bulla init` is not told, as the tutorial prints no port there.
        "BULLA_URL": f"http://localhost:{port}",
        "BULLA_LISTEN": f"127.0.0.1:{port}",
    }


def compare(printed, expected, where):
    """Finds the expected lines among the printed ones, in order."""
    lines = iter(printed.splitlines())
    for line in expected.splitlines():
        pattern = re.compile(".*".join(re.escape(part) for part in line.strip().split("…")))
        if not any(pattern.fullmatch(candidate.strip()) for candidate in lines):
            raise Failed(f"{where}\nthe line {line!r} was not printed; this was:\n{printed}")


def clean(printed):
    """What is left on a terminal, without what moves about on it."""
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.replace("\r\n", "\n")).split("\n")
    return "\n".join(line.rsplit("\r", 1)[-1] for line in lines)


def at_terminal(script, work, env):
    """Runs a script as somebody at a terminal does; its exit code (None: it took too long) and all that it printed."""
    terminal, end = os.openpty()
    process = subprocess.Popen(
        ["bash", "-c", script], cwd=work, env=env, stdin=end, stdout=end, stderr=end, start_new_session=True
    )
    os.close(end)
    printed, deadline = b"", time.monotonic() + TIMEOUT
    try:
        while process.poll() is None and time.monotonic() < deadline:
            printed += read_some(terminal, 0.2)
        while more := read_some(terminal, 0.2):
            printed += more
        return process.poll(), clean(printed.decode(errors="replace"))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        os.close(terminal)


def read_some(terminal, patience):
    ready, _, _ = select.select([terminal], [], [], patience)
    try:
        return os.read(terminal, 65536) if ready else b""
    except OSError:
        return b""


def play(path):
    document = other_ports(path.read_text())
    port = re.search(r"localhost:(\d+)/readyz", document)[1]
    commands = blocks(document)
    home = pathlib.Path(tempfile.mkdtemp(prefix="tutorial-"))
    work = home / "work"
    work.mkdir()
    try:
        status, printed = at_terminal(shell(commands), work, environment(home, port))
        parts = printed.split(f"{MARK}\n")
        if status != 0:
            how = "took too long" if status is None else f"ended with {status}"
            browser = home / "browser.log"
            said = browser.read_text() if browser.exists() else ""
            raise Failed(f"{path.name}: this {how}:\n{commands[len(parts) - 1][0]}\n{parts[-1]}{said}")
        for (block, expected), part in zip(commands, parts):
            compare(part, expected or "", f"{path.name}: {block}")
        shown = sum(1 for _, expected in commands if expected)
        print(f"{path.name}: {len(commands)} blocks run, {shown} printed what they should")
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    try:
        for name in sys.argv[1:]:
            play(pathlib.Path(name))
    except Failed as failed:
        sys.exit(str(failed))
