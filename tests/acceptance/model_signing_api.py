"""The model-signing package where its command line has no flags: run by the Python of its own environment.

    sign   MODEL BUNDLE METHOD HASH SHARD KEY | sign   MODEL BUNDLE METHOD HASH SHARD TRUST TOKEN
    verify MODEL BUNDLE METHOD HASH SHARD KEY | verify MODEL BUNDLE METHOD HASH SHARD TRUST IDENTITY ISSUER
"""

import pathlib
import sys

import model_signing
from in_toto_attestation.v1 import statement
from model_signing._signing import sign_ec_key


def hashing(method, algorithm, shard, bundle, model):
    config = model_signing.hashing.Config()
    if method == "shards":
        config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=int(shard))
    else:
        config.use_file_serialization(hashing_algorithm=algorithm)
    inside = bundle.is_relative_to(model)
    return config.set_ignored_paths(paths=[bundle.relative_to(model)] if inside else [])


class Older:
    """The payload of the experimental version 0.1: a subject for each file."""

    def __init__(self, manifest):
        subjects = [
            statement.ResourceDescriptor(name=one.identifier, digest={"sha256": one.digest.digest_hex}).pb
            for one in manifest.resource_descriptors()
        ]
        kind = "https://model_signing/Digests/v0.1"
        self.statement = statement.Statement(subjects=subjects, predicate_type=kind, predicate={"unused": "x"})


def main(verb, model, bundle, method, algorithm, shard, *who):
    model, bundle = pathlib.Path(model).resolve(), pathlib.Path(bundle).resolve()
    config = hashing(method, algorithm, shard, bundle, model)
    if method == "v0.1":
        sign_ec_key.Signer(pathlib.Path(who[0])).sign(Older(config.hash(model))).write(bundle)
        return
    if verb == "sign":
        signing = model_signing.signing.Config().set_hashing_config(config)
        if len(who) == 1:
            signing.use_elliptic_key_signer(private_key=pathlib.Path(who[0]))
        else:
            signing.use_sigstore_signer(trust_config=pathlib.Path(who[0]), identity_token=who[1])
        signing.sign(model, bundle)
        return
    verifying = model_signing.verifying.Config().set_hashing_config(config)
    if len(who) == 1:
        verifying.use_elliptic_key_verifier(public_key=pathlib.Path(who[0]))
    else:
        verifying.use_sigstore_verifier(trust_config=pathlib.Path(who[0]), identity=who[1], oidc_issuer=who[2])
    verifying.verify(model, bundle)


if __name__ == "__main__":
    main(*sys.argv[1:])
