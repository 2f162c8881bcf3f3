"""A private Sigstore in a directory of its own, and sign-ins to it."""

import base64
import hashlib
import html.parser
import http.cookiejar
import json
import os
import pathlib
import secrets
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from foreign import BULLA, Failed, run

EMAIL = "alice@example.com"
PASSWORD = "correct horse battery staple"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """`bulla init` and `bulla serve`."""

    def __init__(self, url=None, config=None, roles=None, host="localhost", env=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bulla-test-"))
        self.data = self.directory / "server"
        self.port = free_port()
        self.local = f"http://{host}:{self.port}"
        self.url = url or self.local
        self.extra = env or {}
        # Anchors and the client's own trust go below the temporary directory too.
        self.env = {
            "XDG_STATE_HOME": str(self.directory / "state"),
            "XDG_DATA_HOME": str(self.directory / "data"),
            "HOME": str(self.directory / "home"),
            **self.extra,
        }
        (self.directory / "home").mkdir()
        init = [BULLA, "init", self.data, "--url", self.url, "--listen", f"127.0.0.1:{self.port}"]
        if roles:
            init += ["--roles", ",".join(roles)]
        self.init_output = run(*init, env=self.env)
        for key, value in (config or {}).items():
            file = self.data / "bulla.toml"
            file.write_text(add_config(file.read_text(), key, value))
        if roles is None or "idp" in roles:
            run(BULLA, "user", "add", EMAIL, "--dir", self.data, env={**self.env, "BULLA_PASSWORD": PASSWORD})
        self.process = None
        self.start()

    def start(self):
        log = open(self.directory / "serve.log", "ab")
        self.process = subprocess.Popen(
            [BULLA, "serve", str(self.data)], env={**os.environ, **self.env}, stdout=log, stderr=log
        )
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"{self.local}/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise Failed("the server did not start:\n" + self.log())

    def wait_until_ready(self):
        """After a crash a log indexes its newest entries before it takes or finds any."""
        for _ in range(600):
            try:
                self.get("/readyz")
                return
            except urllib.error.HTTPError:
                time.sleep(0.05)
        raise Failed("the server is not ready:\n" + self.log())

    def log(self):
        return (self.directory / "serve.log").read_text(errors="replace")[-8000:]

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def get(self, path):
        with urllib.request.urlopen(self.local + path, timeout=10) as answer:
            return answer.read()

    def issuer(self):
        return self.url + "/auth"

    def token(self, email=EMAIL, password=PASSWORD):
        """An ID token from the ordinary code flow."""
        redirect = "http://localhost:0/auth/callback"
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        state = secrets.token_urlsafe(16)
        query = urllib.parse.urlencode(
            {
                "response_type": "code",
                "client_id": "sigstore",
                "redirect_uri": redirect,
                "scope": "openid email",
                "state": state,
                "nonce": secrets.token_urlsafe(16),
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        discovery = json.loads(self.get("/auth/.well-known/openid-configuration"))
        back = sign_in(f"{discovery['authorization_endpoint']}?{query}", redirect, email, password)
        answer = urllib.parse.parse_qs(urllib.parse.urlparse(back).query)
        if answer.get("state") != [state]:
            raise Failed(f"no code came back: {back}")
        form = urllib.parse.urlencode(
            {
                "grant_type": "authorization_code",
                "client_id": "sigstore",
                "code": answer["code"][0],
                "redirect_uri": redirect,
                "code_verifier": verifier,
            }
        ).encode()
        with urllib.request.urlopen(discovery["token_endpoint"], form, timeout=10) as reply:
            return json.load(reply)["id_token"]

    def token_file(self, **who):
        path = self.directory / f"token-{secrets.token_hex(4)}"
        path.write_text(self.token(**who))
        return path


def add_config(text, key, value):
    """Sets a key at the top of a configuration, unless it is set."""
    already = any(line.split("=")[0].strip() == key for line in text.splitlines() if "=" in line)
    return text if already else f"{key} = {value}\n{text}"


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes, and its fields."""

    def __init__(self):
        super().__init__()
        self.action, self.fields, self.inside = None, {}, False

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.action is None:
            self.action, self.inside = attributes.get("action", ""), True
        if tag in ("input", "button") and self.inside and attributes.get("name"):
            if tag == "input" or attributes.get("value"):
                self.fields.setdefault(attributes["name"], attributes.get("value", ""))

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False


class StopAt(urllib.request.HTTPRedirectHandler):
    def __init__(self, redirect):
        self.redirect = redirect

    def redirect_request(self, request, fp, code, message, headers, url):
        if url.startswith(self.redirect):
            raise Arrived(url)
        return super().redirect_request(request, fp, code, message, headers, url)


class Arrived(Exception):
    pass


def sign_in(url, redirect, email, password):
    """Does what a person does on the login page, and returns the URL that the browser is sent back to."""
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https")))
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(jar),
        StopAt(redirect),
        urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),
    )
    try:
        page = opener.open(url, timeout=10)
        for _ in range(4):
            form = Form()
            form.feed(page.read().decode())
            if form.action is None:
                break
            for name in form.fields:
                if name in ("login", "email", "username"):
                    form.fields[name] = email
                if name == "password":
                    form.fields[name] = password
            action = urllib.parse.urljoin(page.url, form.action)
            page = opener.open(action, urllib.parse.urlencode(form.fields).encode(), timeout=10)
    except Arrived as arrived:
        return str(arrived)
    raise Failed(f"the sign-in at {url} did not come back")
