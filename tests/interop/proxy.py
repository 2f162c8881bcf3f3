#!/usr/bin/env python3
"""Acceptance 3: a server reached through a TLS-terminating proxy (nginx), signed and verified by cosign and by us."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from clients import Bulla, Cosign3
from foreign import Failed, run
from matrix import cell
from server import Server, free_port

NGINX = """
daemon off; pid {d}/nginx.pid; error_log {d}/error.log; events {{}}
http {{
  access_log off; client_max_body_size 64m;
  client_body_temp_path {d}/body; proxy_temp_path {d}/proxy; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  server {{
    listen 127.0.0.1:{tls} ssl; server_name localhost;
    ssl_certificate {d}/tls.pem; ssl_certificate_key {d}/tls.key;
    location / {{
      proxy_pass http://127.0.0.1:{plain}; proxy_http_version 1.1;
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https;
    }}
  }}
}}
"""


def make_certificate(folder):
    """A certificate for localhost, and the authority that issued it."""
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(
        "openssl", "req", "-x509", *new_key, "-days", "2", "-subj", "/CN=proxy test",
        "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
    )  # fmt: skip
    run("openssl", "req", *new_key, "-subj", "/CN=localhost", "-keyout", folder / "tls.key", "-out", folder / "tls.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n")
    run(
        "openssl", "x509", "-req", "-in", folder / "tls.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
        "-CAcreateserial", "-days", "2", "-extfile", folder / "names", "-out", folder / "tls.pem",
    )  # fmt: skip


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bulla-proxy-"))
    make_certificate(folder)
    tls = free_port()
    trust = {"SSL_CERT_FILE": str(folder / "ca.pem")}
    server = Server(
        url=f"https://localhost:{tls}", config={"trusted_proxies": '["127.0.0.1"]'}, env=trust, host="localhost"
    )
    (folder / "nginx.conf").write_text(NGINX.format(d=folder, tls=tls, plain=server.port))
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.DEVNULL)
    os.environ.update(trust)
    failures = 0
    try:
        time.sleep(1)
        ours, theirs = Bulla(server), Cosign3(server)
        for kind in ("file", "dsse"):
            for signer, verifier in ((theirs, ours), (ours, theirs)):
                name = f"through a proxy: {signer.name} signs a {kind}, {verifier.name} verifies"
                try:
                    cell(signer, verifier, kind, "v2")
                    print(f"{name:70} pass", flush=True)
                except Failed as error:
                    failures += 1
                    print(f"{name:70} FAIL\n{error}", flush=True)
    finally:
        nginx.terminate()
        server.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
