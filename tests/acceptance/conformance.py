#!/usr/bin/env python3
"""Acceptance 2: the public conformance protocol, driven over every case, by path and by digest."""

import hashlib
import os
import pathlib
import subprocess
import sys

CASES = pathlib.Path(os.environ["BULLA_SHARED"]) / "data/conformance/bundle-verify"
CLIENT = pathlib.Path(os.environ["BULLA"]).parent / "conformance-client"
IDENTITY = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon"
    "/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ISSUER = "https://token.actions.githubusercontent.com"


def command(case, artifact):
    def said(name, default):
        file = case / name
        return file.read_text().strip() if file.exists() else default

    words = [str(CLIENT), "verify-bundle", "--bundle", str(case / "bundle.sigstore.json")]
    if (case / "key.pub").exists():
        words += ["--key", str(case / "key.pub")]
    else:
        words += ["--certificate-identity", said("identity", IDENTITY)]
        words += ["--certificate-oidc-issuer", said("issuer", ISSUER)]
    if (case / "trusted_root.json").exists():
        words += ["--trusted-root", str(case / "trusted_root.json")]
    return words + [artifact]


def main():
    if not CASES.is_dir():
        print(f"there is no {CASES}")
        return 77
    right = wrong = 0
    for case in sorted(path for path in CASES.iterdir() if path.is_dir()):
        artifact = case / "artifact"
        if not artifact.exists():
            artifact = CASES / "a.txt"
        digest = "sha256:" + hashlib.sha256(artifact.read_bytes()).hexdigest()
        for given in (str(artifact), digest):
            done = subprocess.run(command(case, given), capture_output=True, text=True, timeout=60)
            if (done.returncode != 0) == case.name.endswith("_fail") and done.returncode in (0, 1):
                right += 1
            else:
                wrong += 1
                print(f"{case.name} ({given[:12]}): exit {done.returncode}\n{done.stdout}{done.stderr}")
    print(f"REPORT conformance: {right} of {right + wrong}")
    return 0 if wrong == 0 and right == 140 else 1


if __name__ == "__main__":
    sys.exit(main())
