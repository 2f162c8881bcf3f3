"""Where the foreign programs and our own are."""

import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def versions():
    lines = (HERE / "versions.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


V = versions()
FOREIGN = pathlib.Path(os.environ.get("BULLA_FOREIGN", pathlib.Path.home() / ".cache/bulla/foreign"))
BULLA = os.environ.get("BULLA", str(ROOT / "target/release/bulla"))
COSIGN = str(FOREIGN / f"cosign-{V['COSIGN_V3']}/bin/cosign")
COSIGN2 = str(FOREIGN / f"cosign-{V['COSIGN_V2']}/bin/cosign")
PYTHON = str(FOREIGN / f"python-{V['SIGSTORE_PYTHON']}-{V['TUF_PYTHON']}/bin/python")
SIGSTORE_PYTHON = str(pathlib.Path(PYTHON).parent / "sigstore")
NODE_MODULES = str(FOREIGN / f"js-{V['SIGSTORE_JS']}-{V['PLAYWRIGHT_CORE']}/node_modules")
MODEL_SIGNING = str(FOREIGN / f"model-signing-{V['MODEL_SIGNING']}/bin/model_signing")
MODEL_SIGNING_PYTHON = str(pathlib.Path(MODEL_SIGNING).parent / "python")
SHARED = pathlib.Path(os.environ.get("BULLA_SHARED", ROOT.parent / "shared"))


def missing(*programs):
    """The programs that are not there."""
    return [p for p in programs if not (pathlib.Path(p).exists() or shutil.which(p))]


class Failed(Exception):
    """A program did not do as it should."""


def run(*command, ok=True, env=None, cwd=None, timeout=120, stdin=None):
    """Runs a program; fails with what it printed unless its exit code is as expected (ok=None: any)."""
    done = subprocess.run(
        [str(c) for c in command],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if ok is not None and (done.returncode == 0) != ok:
        verb = "failed" if ok else "should have been refused"
        raise Failed(f"{' '.join(map(str, command))}\n{verb} ({done.returncode}):\n{done.stdout}\n{done.stderr}")
    return done
