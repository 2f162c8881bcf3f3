//! The targets.

/// Name and parser.
pub(crate) const ALL: &[(&str, fn(&[u8]))] = &[
    // crypto
    ("pem", pem),
    ("public_key", |data| drop(crypto::PublicKey::from_spki_der(data))),
    ("signing_key", |data| drop(crypto::SigningKey::from_pem(data))),
    ("cosign_key", cosign_key),
    ("key_file", key_file),
    // merkle
    ("note", note),
    ("checkpoint", checkpoint),
    ("tile_path", tile_path),
    // pki
    ("certificate", certificate),
    ("sct", sct),
    ("csr", |data| drop(pki::csr::CertificationRequest::from_pem(data))),
    ("timestamp_request", |data| drop(pki::tsp::Request::from_der(data))),
    ("timestamp_response", |data| drop(pki::tsp::Token::from_der(data))),
    ("detached_signature", |data| drop(pki::cms::DetachedSignature::from_der(data))),
    // foreign
    ("x509_key", |data| drop(foreign::x509::Key::from_pem(data))),
    // wire
    ("bundle", bundle),
    ("trusted_root", |data| drop(wire::trusted_root::TrustedRoot::parse(data))),
    ("signing_config", |data| drop(wire::signing_config::SigningConfig::parse(data))),
    ("client_trust_config", |data| drop(wire::client_trust_config::ClientTrustConfig::parse(data))),
    ("statement", |data| drop(wire::statement::Statement::parse(data))),
    ("model_manifest", model_manifest),
    ("envelope", |data| drop(wire::dsse::Envelope::parse(data))),
    ("simple_signing", simple_signing),
    ("legacy_annotations", legacy_annotations),
    ("body", |data| drop(wire::body::Body::parse(data))),
    ("rekor_v2_request", |data| drop(wire::rekor_v2::CreateEntryRequest::from_json(data))),
    ("timestamp_json", |data| drop(wire::tsa::JsonRequest::parse(data))),
    ("fulcio_request", fulcio_request),
    ("log_entry", |data| drop(wire::bundle::TransparencyLogEntry::parse(data))),
    ("log_entry_protobuf", log_entry_protobuf),
    ("compact_jwt", compact_jwt),
    ("oidc", oidc),
    // storage
    ("record", storage::fuzzing::record),
    ("segment", storage::fuzzing::segment),
    ("anchor", storage::fuzzing::anchor),
    ("format", storage::fuzzing::format),
    ("entry_bundle", storage::fuzzing::bundle),
    // oci
    ("oci_document", oci::fuzzing::document),
    ("oci_reference", |data| text(data, oci::fuzzing::reference)),
    ("oci_header", |data| text(data, oci::fuzzing::header)),
    ("docker_configuration", oci::fuzzing::configuration),
    // entries
    ("rekor_v1_entry", |data| drop(entries::admit_v1(entries::V1, data))),
    ("rekor_v2_entry", rekor_v2_entry),
    // tuf
    ("tuf_metadata", tuf_metadata),
    // services
    ("fulcio_config", |data| drop(services::ca::Config::read(data))),
    ("id_token", id_token),
    ("jwk_set", jwk_set),
    ("fulcio_template", |data| text(data, services::ca::fuzz_template)),
    ("ct_data_tile", |data| drop(services::ct::TileLeaf::read_tile(data))),
    ("redirect_uri", |data| text(data, |uri| drop(services::idp::RedirectUri::parse(uri)))),
    ("authorization_request", authorization_request),
    // web
    ("form", web::oidc::fuzz_form),
    ("ct_submission", web::rfc6962::fuzz_submission),
    // client
    ("identity_token", identity_token),
    ("fulcio_answer", client::fulcio::fuzz_answer),
    ("rekor_v1_answer", client::rekor::fuzz_answer_v1),
    ("git_object", client::git::object::fuzz),
    ("allowed_signers", |data| drop(client::git::allowed::AllowedSigners::parse(data))),
    ("git_agent", client::git::agent::fuzz),
    ("checksums", |data| drop(client::checksums::Checksums::parse(data))),
    ("predicate", predicate),
];

fn text(data: &[u8], read: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(data) {
        read(text);
    }
}

fn pem(data: &[u8]) {
    if let Ok((block, _)) = crypto::decode_pem(data) {
        let text = crypto::encode_pem(&block.label, &block.contents);
        let (again, _) = crypto::decode_pem(text.as_bytes()).expect("what was written is read");
        assert_eq!(again.contents, block.contents);
    }
}

fn cosign_key(data: &[u8]) {
    // A password that never fits: the parameters are checked before any work is done with them.
    let _ = crypto::cosign_key::open(data, b"");
}

fn key_file(data: &[u8]) {
    // As above: the costs that are accepted are bounded.
    let cost = crypto::key_file::Cost::Random;
    let _ = crypto::key_file::Keyring::new(Vec::new().into(), cost).open(data);
}

fn simple_signing(data: &[u8]) {
    use wire::legacy::SimpleSigning;

    if let Ok(payload) = SimpleSigning::parse(data) {
        assert_eq!(SimpleSigning::parse(&payload.to_json()), Ok(payload));
    }
}

/// The annotations of a layer, given as a JSON object of texts.
fn legacy_annotations(data: &[u8]) {
    use wire::legacy::{Annotations, attestation_bundle, signature_bundle};

    let Ok(map) = serde_json::from_slice(data) else { return };
    let Ok(annotations) = Annotations::read(&map) else { return };
    let again = Annotations::read(&annotations.to_map()).expect("what was written is read");
    assert_eq!(again, annotations);
    let _ = signature_bundle(annotations.clone());
    let _ = attestation_bundle(annotations, data);
}

fn log_entry_protobuf(data: &[u8]) {
    if let Ok(entry) = wire::bundle::TransparencyLogEntry::from_protobuf(data) {
        let again = wire::bundle::TransparencyLogEntry::from_protobuf(&entry.to_protobuf());
        assert_eq!(again, Ok(entry));
    }
}

fn compact_jwt(data: &[u8]) {
    text(data, |token| drop(wire::oidc::CompactJwt::parse(token)));
}

/// All documents of OpenID Connect that others send.
fn oidc(data: &[u8]) {
    let _ = serde_json::from_slice::<wire::oidc::Discovery>(data);
    let _ = serde_json::from_slice::<wire::oidc::TokenResponse>(data);
    let _ = serde_json::from_slice::<wire::oidc::ErrorResponse>(data);
    let _ = serde_json::from_slice::<wire::oidc::DeviceAuthorization>(data);
    let _ = serde_json::from_slice::<wire::oidc::IdTokenClaims>(data);
}

fn authorization_request(data: &[u8]) {
    let parameters = url::form_urlencoded::parse(data).into_owned();
    if let Ok(request) = services::idp::AuthorizationRequest::read(parameters) {
        let _ = request.refusal("http://localhost/auth", "access_denied");
    }
}

/// The name of a type on the first line, a predicate on those below.
fn predicate(data: &[u8]) {
    text(data, |text| {
        let (name, predicate) = text.split_once('\n').unwrap_or((text, ""));
        let Ok(kind) = name.parse() else { return };
        let time = Default::default();
        if let Ok(said) = client::predicate::statement(Vec::new(), &kind, predicate.as_bytes(), time) {
            // As it is written: JSON has numbers that no value of a program can hold.
            let json = said.to_json();
            serde_json::from_slice::<Box<serde_json::value::RawValue>>(&json).expect("a statement is JSON");
        }
    });
}

fn identity_token(data: &[u8]) {
    text(data, |token| {
        let _ = client::oidc::IdentityToken::parse(token, "sigstore", Default::default());
    });
}

fn fulcio_request(data: &[u8]) {
    let _ = wire::fulcio::CertificateRequest::read(data);
    let _ = wire::fulcio::LegacyCertificateRequest::read(data);
}

fn id_token(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = services::ca::claimed_issuer(text);
    }
}

fn jwk_set(data: &[u8]) {
    let _ = services::ca::FetchedKeys { algorithms: Vec::new(), jwks: data.to_vec() }.usable();
}

fn note(data: &[u8]) {
    let _ = merkle::note::SignedNote::parse(data);
}

fn checkpoint(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(checkpoint) = text.parse::<merkle::Checkpoint>()
    {
        assert_eq!(checkpoint.to_string(), text);
    }
}

fn tile_path(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(path) = text.parse::<merkle::TilePath>()
    {
        assert_eq!(path.to_string(), text);
    }
}

fn certificate(data: &[u8]) {
    if let Ok(certificate) = pki::Certificate::from_der(data) {
        assert_eq!(certificate.der(), data);
        let _ = (certificate.sans(), certificate.public_key());
    }
}

fn sct(data: &[u8]) {
    if let Ok(sct) = pki::sct::Sct::decode(data) {
        assert_eq!(sct.encode(), data);
    }
}

fn bundle(data: &[u8]) {
    if let Ok(bundle) = wire::bundle::Bundle::parse(data) {
        let again = wire::bundle::Bundle::parse(bundle.to_json().as_bytes());
        assert_eq!(again.expect("what was written is read"), bundle);
    }
}

fn rekor_v2_entry(data: &[u8]) {
    if let Ok(request) = wire::rekor_v2::CreateEntryRequest::from_json(data) {
        let _ = entries::admit_v2(request);
    }
}

fn tuf_metadata(data: &[u8]) {
    let _ = tuf::Unverified::<tuf::Root>::parse(data);
    let _ = tuf::Unverified::<tuf::Targets>::parse(data);
    let _ = tuf::Unverified::<tuf::Snapshot>::parse(data);
    let _ = tuf::Unverified::<tuf::Timestamp>::parse(data);
}

fn model_manifest(data: &[u8]) {
    let Ok(statement) = wire::statement::Statement::parse(data) else { return };
    let Ok(manifest) = wire::model::Manifest::from_statement(&statement) else { return };
    // What was read can be written, and means the same.
    let again = wire::model::Manifest::from_statement(&manifest.to_statement()).unwrap();
    assert_eq!(again.resources().len(), manifest.resources().len());
}
