#!/usr/bin/env python3
"""Files and images signed with certificates of a company's own authority, by cosign and by us, each verified by the other.

cosign takes the roots from a trusted root, as of version 3; we take them from PEM files.
"""

import itertools
import json
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from clients import Bulla, Cosign3  # noqa: E402
from company import NAME, Company  # noqa: E402
from foreign import BULLA, COSIGN, Failed, run  # noqa: E402
from registries import REGISTRIES  # noqa: E402
from server import Server  # noqa: E402

TYPE = "https://example.com/predicate/v1"


def words(kind, verb):
    command = {"file": f"{verb}-blob", "attestation": "attest-blob" if verb == "sign" else "verify-blob-attestation"}
    return [command[kind], *(["--type", TYPE] if kind == "attestation" else [])]


def credential(key, certificate, chain):
    with_chain = ["--certificate-chain", chain] if chain else []
    return ["--key", key.with_suffix(".key"), "--certificate", certificate, *with_chain, "--yes"]


def services(client, api):
    config = "signing_config_rekor_v1.v0.2.json" if api == "v1" else "signing_config.v0.2.json"
    return ["--signing-config", client.targets[config]]


class Ours(Bulla):
    def sign_own(self, kind, api, file, out, who, trusted_root, ok=True):
        predicate = ["--predicate", self.predicate] if kind == "attestation" else []
        more = [*services(self, api), "--trusted-root", trusted_root, "--bundle", out]
        return run(BULLA, *words(kind, "sign"), *who, *predicate, *more, file, env=self.env, ok=ok)

    def verify_own(self, kind, file, bundle, company, ok=True, who=("--certificate-identity", NAME), roots=None):
        roots = roots or ["--certificate-chain", company.chain]
        command = [BULLA, *words(kind, "verify"), "--bundle", bundle, *who, *roots, file]
        done = run(*command, env=self.env, ok=ok)
        if not ok and done.returncode != 1:
            raise Failed(f"not a refusal but exit code {done.returncode}: {done.stderr}")
        return done


class Theirs(Cosign3):
    def sign_own(self, kind, api, file, out, who, trusted_root, ok=True):
        predicate = ["--predicate", self.predicate] if kind == "attestation" else []
        more = [*services(self, api), "--trusted-root", trusted_root, "--bundle", out]
        return run(COSIGN, *words(kind, "sign"), *who, *predicate, *more, file, env=self.env, ok=ok)

    def verify_own(self, kind, file, bundle, company, ok=True, who=("--certificate-identity", NAME)):
        roots = ["--trusted-root", company.trusted_root, "--insecure-ignore-sct"]
        if "x509CertificateChain" in json.loads(bundle.read_text())["verificationMaterial"]:
            roots.append("--allow-certificate-chain")
        # The certificates name no issuer of tokens; cosign asks for one all the same.
        command = [COSIGN, *words(kind, "verify"), "--bundle", bundle, *who, "--certificate-oidc-issuer-regexp", ".*"]
        return run(*command, *roots, file, env=self.env, ok=ok)


def trusted_root(ours, company):
    """What cosign wants instead of PEM: the logs and clocks of the server, and the company's authority."""
    out = company.place / "trusted_root.json"
    authority = f"url=https://ca.corp.example,certificate-chain={company.chain}"
    less = ["--with-default-services", "--no-default-fulcio", "--no-default-ctfe"]
    run(BULLA, "trusted-root", "create", *less, "--fulcio", authority, "--out", out, env=ours.env)
    company.trusted_root = out


def both_ways(file, company, ours, theirs, employee):
    """kind x log x form of the bundle: with the chain, or with the certificate alone."""
    certificate, count = employee.with_suffix(".crt"), 0
    for kind, api, chain in itertools.product(["file", "attestation"], ["v1", "v2"], [company.chain, None]):
        who = credential(employee, certificate, chain)
        for signer, verifier in itertools.permutations([ours, theirs]):
            if signer is theirs and api == "v2" and chain:
                cannot_log(kind, file, company, theirs, who)
                continue
            bundle = file.with_suffix(f".{signer.name}.{kind}.{api}.{bool(chain)}.json")
            signer.sign_own(kind, api, file, bundle, who, company.trusted_root)
            material = json.loads(bundle.read_text())["verificationMaterial"]
            certificates = material["x509CertificateChain"]["certificates"] if chain else [material["certificate"]]
            if len(certificates) != (2 if chain else 1):
                raise Failed(f"{signer.name} writes {len(certificates)} certificates")
            verifier.verify_own(kind, file, bundle, company)
            signer.verify_own(kind, file, bundle, company)
            count += 1
    print(f"{count} bundles of files and attestations, on both logs, with and without chain: verified by both")


def cannot_log(kind, file, company, theirs, who):
    """cosign 3.1.3 shows a log of version 2 the certificate as a public key where the bundle has a chain; no log takes it."""
    refused = theirs.sign_own(kind, "v2", file, file.with_suffix(".none"), who, company.trusted_root, ok=False)
    if "adding rekor v2 entry" not in refused.stderr:
        raise Failed(f"cosign fails otherwise than it did: {refused.stderr}")


def images(company, other, ours, theirs, employee):
    """Container images, in both forms. In the older one, PEM files with roots are cosign's way, too."""
    registry, count = REGISTRIES[-1](), 0
    who = credential(employee, employee.with_suffix(".crt"), company.chain)
    name = ["--certificate-identity", NAME]
    loose = ["--certificate-oidc-issuer-regexp", ".*", "--insecure-ignore-sct"]
    # Without a trusted root, cosign wants the log's key for itself.
    log_key = company.place / "rekor.pub"
    server = ours.server
    run(BULLA, "public-key", "--role", "rekor-v1", "--dir", server.data, "--outfile", log_key, env=server.env)
    try:
        for form, signer in itertools.product(["bundle", "legacy"], [ours, theirs]):
            image = registry.push(f"{form}-{signer.name}", form)
            if signer is ours:
                run(BULLA, "sign", "--format", form, "--rekor", "v1", *who, image, env=ours.env)
            elif form == "bundle":
                more = [*services(theirs, "v1"), "--trusted-root", company.trusted_root]
                run(COSIGN, "sign", *who, *more, image, env=theirs.env)
            else:
                old = ["--new-bundle-format=false", "--use-signing-config=false", "--rekor-url", theirs.server.url]
                run(COSIGN, "sign", *who, *old, image, env=theirs.env)
            for root, ok in [(company, True), (other, False)]:
                for own in (["--certificate-chain", root.chain], ["--ca-roots", root.root]):
                    done = run(BULLA, "verify", *name, *own, image, env=ours.env, ok=ok)
                    if not ok and done.returncode != 1:
                        raise Failed(f"not a refusal but exit code {done.returncode}: {done.stderr}")
                roots, env = ["--trusted-root", root.trusted_root, "--allow-certificate-chain"], theirs.env
                if form == "legacy":
                    # We write the intermediate certificate beside the signature and then the root, as cosign reads it: it
                    # passes the last one over, also where it has written no root itself.
                    given = ["--ca-intermediates", root.intermediate] if signer is theirs else []
                    roots = ["--new-bundle-format=false", "--ca-roots", root.root, *given]
                    env = {**env, "SIGSTORE_REKOR_PUBLIC_KEY": str(log_key)}
                run(COSIGN, "verify", *name, *loose, *roots, image, env=env, ok=ok)
            count += 1
    finally:
        registry.stop()
    print(f"{count} signatures of images, as bundles and in the older form: verified by both, refused under another root")


def refusals(place, file, company, other, ours, theirs, employee):
    """What the other party must not accept."""
    bundle, count = place / "bundle.json", 0
    who = credential(employee, employee.with_suffix(".crt"), None)
    changed = place / "changed"
    changed.write_text("something else")
    for signer in (ours, theirs):
        signer.sign_own("file", "v2", file, bundle, who, company.trusted_root)
        for verifier in (ours, theirs):
            verifier.verify_own("file", file, bundle, company)
            verifier.verify_own("file", file, bundle, other, ok=False)
            verifier.verify_own("file", changed, bundle, company, ok=False)
            verifier.verify_own("file", file, bundle, company, ok=False, who=("--certificate-identity", "mallory"))
            count += 3
    root = ["--ca-roots", company.root]
    ours.verify_own("file", file, bundle, company, roots=[*root, "--ca-intermediates", company.intermediate])
    ours.verify_own("file", file, bundle, company, who=("--any-identity",))
    # Nothing leads to the root, unless the bundle has it.
    ours.verify_own("file", file, bundle, company, roots=root, ok=False)
    who = credential(employee, employee.with_suffix(".crt"), company.chain)
    ours.sign_own("file", "v2", file, bundle, who, company.trusted_root)
    ours.verify_own("file", file, bundle, company, roots=root)
    print(f"{count} refusals: another root, another file, another name, by both")


def certificates_that_do_not_sign(place, file, company, ours, theirs, employee):
    """Each is refused before anything is signed or logged, with the reason; cosign looks at fewer of them."""
    other = company.employee("other")
    twin = employee.with_suffix(".crt"), company.chain
    cases = {
        "an expired leaf": (company.employee("expired", days=-1), None, "is valid from"),
        "a leaf for web servers": (
            company.employee("web", extendedKeyUsage="serverAuth"),
            None,
            "is not for code signing",
        ),
        "an authority's certificate": (
            company.employee("authority", basicConstraints="critical,CA:TRUE", keyUsage="critical,keyCertSign"),
            None,
            "is a certificate authority",
        ),
        "a certificate for another key": (employee, (other.with_suffix(".crt"), company.chain), "is for another key"),
        "a chain in the wrong order": (employee, (twin[0], company.turned), "not each issued by the next"),
        "a chain without the issuer": (employee, (twin[0], company.root), "no trusted certificate authority issued"),
    }
    by_both = []
    for what, (key, named, reason) in cases.items():
        certificate, chain = named or (key.with_suffix(".crt"), company.chain)
        who = credential(key, certificate, chain)
        refused = ours.sign_own("file", "v2", file, place / "none.json", who, company.trusted_root, ok=False)
        if refused.returncode != 1 or reason not in refused.stderr or (place / "none.json").exists():
            raise Failed(f"{what}: {refused.returncode} {refused.stderr}")
        done = theirs.sign_own("file", "v1", file, place / "theirs.json", who, company.trusted_root, ok=None)
        by_both += [what] if done.returncode else []
    ours.sign_own("file", "v2", file, place / "twin.json", credential(employee, *twin), company.trusted_root)
    print(f"not signed with: {', '.join(cases)}")
    print(f"by cosign neither: {', '.join(by_both)}")


def names(place, file, company, ours):
    """Whom a certificate names: each of its alternative names, or its subject where it has none."""
    bundle, count = place / "named.json", 0
    hosts = company.employee("hosts", subjectAltName="DNS:build.corp.example,IP:192.0.2.1,URI:https://corp.example/ci")
    plain = company.employee("plain", subjectAltName="")
    for key, good, bad in [
        (hosts, ["build.corp.example", "192.0.2.1", "https://corp.example/ci"], "O=Corp, CN=hosts"),
        (plain, ["O=Corp, CN=plain"], "plain"),
    ]:
        who = credential(key, key.with_suffix(".crt"), company.chain)
        ours.sign_own("file", "v2", file, bundle, who, company.trusted_root)
        for name in good:
            ours.verify_own("file", file, bundle, company, who=("--certificate-identity", name))
            count += 1
        ours.verify_own("file", file, bundle, company, who=("--certificate-identity", bad), ok=False)
    print(f"{count} forms of names: a host, an address, a URI, a subject")


def without_log(place, file, company, ours, employee):
    """A company without log or clock: the certificate must be valid when somebody verifies."""
    config = place / "none.signing_config.json"
    config.write_text('{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}')
    who = credential(employee, employee.with_suffix(".crt"), company.chain)
    bundle = place / "alone.json"
    run(BULLA, "sign-blob", *who, "--signing-config", config, "--bundle", bundle, file, env=ours.env)
    ours.verify_own("file", file, bundle, company, ok=False)
    ours.verify_own("file", file, bundle, company, who=("--certificate-identity", NAME, "--insecure-ignore-tlog"))
    print("without a log it is verified where that was asked for")


def main():
    server = Server()
    place = pathlib.Path(tempfile.mkdtemp(dir=server.directory))
    try:
        ours, theirs = Ours(server), Theirs(server)
        for client in (ours, theirs):
            client.env["COSIGN_PASSWORD"] = ""
        company, other = Company(place), Company(place, "Other")
        for one in (company, other):
            trusted_root(ours, one)
        file = place / "release.tar"
        file.write_bytes(b"what is released")
        employee = company.employee("employee")
        both_ways(file, company, ours, theirs, employee)
        refusals(place, file, company, other, ours, theirs, employee)
        images(company, other, ours, theirs, employee)
        certificates_that_do_not_sign(place, file, company, ours, theirs, employee)
        names(place, file, company, ours)
        without_log(place, file, company, ours, employee)
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
