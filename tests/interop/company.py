"""A company's certificate authority, made with OpenSSL: a root, an intermediate, and certificates for those who sign."""

from foreign import BULLA, run

# What an employee's certificate says; tests change one of them.
EMPLOYEE = {
    "keyUsage": "critical,digitalSignature",
    "extendedKeyUsage": "codeSigning",
    "subjectAltName": "email:release@corp.example",
}
NAME = "release@corp.example"
AUTHORITY = {"basicConstraints": "critical,CA:TRUE", "keyUsage": "critical,keyCertSign,cRLSign"}


def make_key(prefix, curve="P-256"):
    """A key as OpenSSL writes it (.pem), and as cosign does (.key, .pub)."""
    generate(f"{prefix}.pem", curve)
    env = {"COSIGN_PASSWORD": ""}
    run(BULLA, "import-key-pair", "--key", f"{prefix}.pem", "--output-key-prefix", prefix, env=env)
    return prefix


def generate(path, curve):
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", path)


class Company:
    def __init__(self, place, name="Corp"):
        self.place, self.name = place / name.lower(), name
        self.place.mkdir()
        self.root = self.authority("root", None)
        self.intermediate = self.authority("intermediate", "root")
        # As people have it: from the issuer up to the root.
        self.chain = self.join("chain.pem", self.intermediate, self.root)
        self.turned = self.join("turned.pem", self.root, self.intermediate)

    def join(self, name, *files):
        path = self.place / name
        path.write_text("".join(file.read_text() for file in files))
        return path

    def employee(self, name, curve="P-256", days=30, **changes):
        """The prefix of a key in both forms (.pem, .key) and a certificate (.crt)."""
        extensions = {k: v for k, v in {**EMPLOYEE, **changes}.items() if v}
        prefix = make_key(self.place / name, curve)
        self.certify(name, "intermediate", extensions, days)
        return prefix

    def authority(self, name, issuer):
        generate(self.place / f"{name}.pem", "P-256")
        return self.certify(name, issuer, AUTHORITY)

    def certify(self, name, issuer, extensions, days=30):
        """A certificate for a key that is there."""
        prefix, subject = self.place / name, f"/O={self.name}/CN={name}"
        key, request, certificate = f"{prefix}.pem", f"{prefix}.csr", f"{prefix}.crt"
        run("openssl", "req", "-new", "-key", key, "-subj", subject, "-out", request)
        config = self.place / f"{name}.ext"
        config.write_text("".join(f"{key}={value}\n" for key, value in extensions.items()))
        above = self.place / (issuer or name)
        by = ["-CA", f"{above}.crt", "-CAkey", f"{above}.pem", "-CAcreateserial"] if issuer else ["-signkey", key]
        run("openssl", "x509", "-req", "-in", request, *by, "-extfile", config, "-days", days, "-out", certificate)
        return prefix.with_suffix(".crt")
