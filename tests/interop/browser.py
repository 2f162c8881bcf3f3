#!/usr/bin/env python3
"""Acceptance 3: the browser flows of cosign and sigstore-python and the device flow of cosign, in a real Chromium."""

import os
import re
import subprocess
import sys
import threading

from clients import Bulla, Cosign3, SigstorePython
from foreign import COSIGN, HERE, NODE_MODULES, SIGSTORE_PYTHON, Failed, run
from server import EMAIL, PASSWORD, Server


def browser_script(server):
    """A program that behaves as a browser does when it is given a URL."""
    folder = server.directory / "bin"
    folder.mkdir(exist_ok=True)
    script = folder / "xdg-open"
    script.write_text(
        # As with a real browser, the opener is back before the page is.
        f"#!/bin/sh\nNODE_MODULES='{NODE_MODULES}' HOME='{server.directory}/home' "
        f"node '{HERE}/js/browser.js' \"$1\" '{EMAIL}' '{PASSWORD}' >>'{server.directory}/browser.log' 2>&1 </dev/null &\n"
    )
    script.chmod(0o755)
    return script


def cosign_browser(server, artifact, out):
    client = Cosign3(server)
    script = browser_script(server)
    env = {**client.env, "PATH": f"{script.parent}:{os.environ['PATH']}"}
    run(COSIGN, "sign-blob", "--fulcio-auth-flow", "normal", "--bundle", out, "--yes", artifact, env=env)


def python_browser(server, artifact, out):
    client = SigstorePython(server)
    env = {**client.env, "BROWSER": f"{browser_script(server)} %s"}
    run(SIGSTORE_PYTHON, "--instance", client.tuf, "sign", "--bundle", out, artifact, env=env)


def cosign_device(server, artifact, out):
    client = Cosign3(server)
    process = subprocess.Popen(
        [COSIGN, "sign-blob", "--fulcio-auth-flow", "device", "--bundle", str(out), "--yes", str(artifact)],
        env={**os.environ, **client.env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    timer = threading.Timer(60, process.kill)
    timer.start()
    said = []
    for line in process.stdout:
        said.append(line)
        url = re.search(r"https?://\S*user_code\S*", line)
        if url:
            run("node", HERE / "js/browser.js", url[0], EMAIL, PASSWORD, env={"NODE_MODULES": NODE_MODULES})
    timer.cancel()
    if process.wait() != 0:
        raise Failed("".join(said))


FLOWS = {
    "cosign, browser": cosign_browser,
    "sigstore-python, browser": python_browser,
    "cosign, device": cosign_device,
}


def main():
    server = Server()
    failures = 0
    try:
        ours = Bulla(server)
        for name, flow in FLOWS.items():
            artifact = ours.write(name.replace(", ", "-") + ".txt", name.encode())
            out = artifact.with_suffix(".sigstore.json")
            try:
                flow(server, artifact, out)
                ours.verify("file", artifact, out, EMAIL, server.issuer())
                print(f"{name:28} pass", flush=True)
            except Failed as error:
                failures += 1
                print(f"{name:28} FAIL\n{error}", flush=True)
                log = server.directory / "browser.log"
                print(log.read_text() if log.exists() else "", file=sys.stderr)
    finally:
        server.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
