"""Acceptance 4.1: signing in to registries, by passwords that are kept and by certificates that are shown."""

import json
import os
import pathlib
import stat
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla  # noqa: E402
from foreign import BULLA, Failed, run  # noqa: E402
from guarded import CRANE, PASSWORD, USER, Registry  # noqa: E402
from server import EMAIL, Server  # noqa: E402

# A credential helper in the manner of docker-credential-helpers, which keeps what it is given in a file.
HELPER = """#!/usr/bin/env python3
import json, pathlib, sys
store = pathlib.Path(__file__).with_name("store.json")
kept = json.loads(store.read_text()) if store.exists() else {}
text = sys.stdin.read()
if sys.argv[1] == "store":
    entry = json.loads(text)
    kept[entry["ServerURL"]] = entry
elif sys.argv[1] == "erase":
    kept.pop(text.strip(), None)
elif text.strip() in kept:
    print(json.dumps(kept[text.strip()]))
else:
    sys.exit(print("credentials not found in native keychain") or 1)
store.write_text(json.dumps(kept))
"""


def expect(what, condition):
    if not condition:
        raise Failed(what)


class Docker:
    """An empty configuration of Docker's, and perhaps a helper."""

    def __init__(self, registry, name, config):
        self.registry = registry
        self.directory = registry.directory / name
        self.directory.mkdir()
        self.config = self.directory / "config.json"
        self.config.write_text(json.dumps(config))
        self.helper = self.directory / "docker-credential-test"
        self.helper.write_text(HELPER)
        self.helper.chmod(0o755)
        path = f"{self.directory}{os.pathsep}{os.environ['PATH']}"
        self.env = {**registry.env, "PATH": path, "DOCKER_CONFIG": str(self.directory), "REGISTRY_AUTH_FILE": ""}
        self.trust = ["--registry-cacert", registry.ca]

    def bulla(self, *arguments, ok=True, stdin=None):
        return run(BULLA, *arguments, env=self.env, ok=ok, stdin=stdin)

    def login(self, password, ok=True):
        return self.bulla("login", "-u", USER, *self.trust, self.registry.host, stdin=password + "\n", ok=ok)

    def kept(self):
        return json.loads(self.config.read_text())

    def tree(self, image, ok=True):
        return self.bulla("tree", *self.trust, image, ok=ok)


def sign_in(registry, image, name, config):
    docker = Docker(registry, name, config)
    refused = docker.tree(image, ok=False)
    expect(f"a hint: {refused.stderr}", "bulla login" in refused.stderr)
    wrong = docker.login("no", ok=False)
    expect(f"a wrong password: {wrong.stderr}", wrong.returncode == 1 and "does not take" in wrong.stderr)
    expect("nothing is kept", docker.kept() == config)
    docker.login(PASSWORD)
    docker.tree(image)
    # Whoever else reads Docker's configuration is signed in, too.
    run(CRANE, "digest", image, env=docker.env)
    entry = docker.kept()["auths"][registry.host]
    expect(f"where the password is: {entry}", ("auth" in entry) == ("credsStore" not in config))
    expect("nobody else reads it", stat.S_IMODE(docker.config.stat().st_mode) == 0o600)
    expect("the rest stays", docker.kept().get("psFormat") == config.get("psFormat"))
    docker.bulla("logout", registry.host)
    docker.tree(image, ok=False)
    expect("forgotten", registry.host not in docker.kept()["auths"])
    again = docker.bulla("logout", registry.host)
    expect(f"nothing to forget: {again.stdout}", "nothing was kept" in again.stdout)


def passwords():
    for kind, auth in (("debian", "basic"), ("debian", "bearer"), ("referrers", "bearer")):
        with Registry(kind, tls=True, auth=auth) as registry:
            image = registry.push_image("app:v1")
            sign_in(registry, image, "file", {"psFormat": "x"})
            sign_in(registry, image, "helper", {"credsStore": "test"})
            sign_in(registry, image, "old", {"auths": {f"https://{registry.host}/v2/": {"auth": "Ym9iOng="}}})
            print(f"{kind}, {auth} authentication: signed in and out, by the file and by a helper", flush=True)


def certificates():
    """A registry that wants to see a certificate, under another name than the one by which it is reached."""
    server = Server()
    try:
        with Registry("debian", tls=True, mutual=True) as registry, Registry("referrers") as plain:
            env = {**Bulla(server).env, **registry.env}
            layout, image = registry.directory / "layout", f"{registry.host}/app:v1"
            run(BULLA, "save", "--dir", layout, plain.push_image("app:v1"), env=env)
            trust, name = ["--registry-cacert", registry.ca], ["--registry-server-name", "localhost"]
            shown = ["--registry-client-cert", registry.cert, "--registry-client-key", registry.key]
            for missing in (trust, [*trust, *name], [*trust, *shown], [*name, *shown]):
                run(BULLA, "load", "--dir", layout, *missing, image, env={**env, "SSL_CERT_FILE": "/dev/null"}, ok=False)
            all_of_it = [*trust, *name, *shown]
            run(BULLA, "load", "--dir", layout, *all_of_it, image, env=env)
            run(BULLA, "sign", "--yes", "--identity-token", server.token_file(), *all_of_it, image, env=env)
            who = ["--certificate-identity", EMAIL, "--certificate-oidc-issuer", server.issuer()]
            run(BULLA, "verify", *who, *all_of_it, image, env=env)
            half = run(BULLA, "verify", *who, *trust, *shown[:2], image, env=env, ok=False)
            expect(f"half a pair: {half.stderr}", half.returncode == 2)
    finally:
        server.stop()
    print("a registry that wants a client's certificate, and is called otherwise in its own: loaded, signed, verified")


if __name__ == "__main__":
    try:
        passwords()
        certificates()
    except Failed as failed:
        sys.exit(str(failed))
