//! Submissions to the CT log that are not what they seem, and reads of what is not there.

use std::fs;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use crypto::{KeyKind, SigningKey};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::SignedDuration;
use pki::asn1::{self, Reader, tag};
use pki::chain::{PathError, Purpose};
use pki::fulcio::{LeafContents, San};
use pki::issue::{Issuer, LeafRequest, Precertificate, Serial, Validity, root};
use pki::sct::EntryError;
use pki::{CertificateError, DistinguishedName, Oid, oid};
use services::clock::Clock;
use services::ct::{AddError, CtLog, Endpoint, Parts, SubmissionError};
use tempfile::TempDir;
use tlog::LogOptions;
use tower::ServiceExt;

use crate::authority::{CLIENT_KEY, now};

/// A CT log, and an authority whose certificates it takes.
struct House {
    log: Arc<CtLog>,
    top: Issuer,
    issuer: Issuer,
    key: Arc<SigningKey>,
    _directory: TempDir,
}

fn serial() -> Serial {
    Serial::from_random(crypto::random_array())
}

fn validity() -> Validity {
    Validity::starting(now(), SignedDuration::from_hours(24))
}

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap())
}

fn intermediate(top: &Issuer, key: &Arc<SigningKey>, purpose: Purpose) -> Issuer {
    let name = DistinguishedName::new("sigstore.example", "intermediate").unwrap();
    let certificate =
        top.intermediate(key.public_key(), &name, purpose, validity(), serial()).unwrap();
    Issuer::new(certificate, Arc::clone(key)).unwrap()
}

impl House {
    fn new() -> Self {
        let (top_key, key) = (key(), key());
        let name = DistinguishedName::new("sigstore.example", "root").unwrap();
        let certificate = root(&top_key, &name, validity(), serial()).unwrap();
        let top = Issuer::new(certificate, top_key).unwrap();
        let issuer = intermediate(&top, &key, Purpose::CodeSigning);

        let directory = TempDir::new().unwrap();
        let anchors = directory.path().join("anchors");
        fs::create_dir(&anchors).unwrap();
        let options = LogOptions::new(directory.path().join("ct"), anchors, "localhost/ct/1");
        let log_key = self::key();
        CtLog::create(&options, Arc::clone(&log_key)).unwrap();
        let roots = vec![top.certificate().clone()];
        let clock = Clock::fixed(now());
        let log = CtLog::open(Parts { options, key: log_key, roots, clock }).unwrap();
        Self { log: Arc::new(log), top, issuer, key, _directory: directory }
    }

    fn precertificate(&self) -> Precertificate {
        let contents =
            LeafContents { san: San::Email("a@b.co".to_owned()), extensions: Vec::new() };
        let request = LeafRequest {
            key: CLIENT_KEY.public_key(),
            contents: &contents,
            serial: serial(),
            validity: Validity::starting(now(), SignedDuration::from_mins(10)),
        };
        self.issuer.precertificate(&request).unwrap()
    }

    async fn add(&self, endpoint: Endpoint, leaf: &[u8]) -> Result<(), SubmissionError> {
        self.add_under(endpoint, leaf, &self.issuer).await
    }

    async fn add_under(
        &self,
        endpoint: Endpoint,
        leaf: &[u8],
        issuer: &Issuer,
    ) -> Result<(), SubmissionError> {
        let issuers = [issuer.certificate(), self.top.certificate()];
        let mut chain = vec![leaf.to_vec()];
        chain.extend(issuers.iter().map(|certificate| certificate.der().to_vec()));
        match self.log.add(endpoint, &chain).await {
            Ok(_) => Ok(()),
            Err(AddError::Refused(error)) => Err(error),
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Submits a precertificate that was changed and signed again, and says why it is refused.
    async fn refused(&self, change: impl FnOnce(&mut Tbs)) -> SubmissionError {
        self.add(Endpoint::AddPreChain, &self.changed(change)).await.unwrap_err()
    }

    /// The twin: signed again without a change.
    async fn accepts_the_unchanged(&self) {
        self.add(Endpoint::AddPreChain, &self.changed(|_| {})).await.unwrap();
    }

    fn changed(&self, change: impl FnOnce(&mut Tbs)) -> Vec<u8> {
        let mut tbs = Tbs::read(self.precertificate().certificate().tbs_der());
        change(&mut tbs);
        signed(&tbs.write(), &self.key)
    }
}

/// A `TBSCertificate` in pieces.
struct Tbs {
    serial: Vec<u8>,
    /// What stands between serial number and extensions.
    middle: Vec<u8>,
    extensions: Vec<Vec<u8>>,
}

impl Tbs {
    fn read(der: &[u8]) -> Self {
        let mut fields = Reader::only(der, tag::SEQUENCE).unwrap();
        let mut elements = Vec::new();
        while let Ok(element) = fields.any() {
            elements.push(element.der().to_vec());
        }
        let list = elements.pop().unwrap();
        let mut list = Reader::only(&list, tag::constructed(3)).unwrap().sequence().unwrap();
        let mut extensions = Vec::new();
        while let Ok(extension) = list.any() {
            extensions.push(extension.der().to_vec());
        }
        Self { serial: elements[1].clone(), middle: elements[2..].concat(), extensions }
    }

    fn write(&self) -> Vec<u8> {
        let version = asn1::explicit(0, &asn1::integer(2));
        let extensions: Vec<&[u8]> = self.extensions.iter().map(Vec::as_slice).collect();
        let extensions = asn1::explicit(3, &asn1::sequence(&extensions));
        asn1::sequence(&[&version, &self.serial, &self.middle, &extensions])
    }

    /// The poison is the last extension.
    fn poison(&mut self) -> &mut Vec<u8> {
        self.extensions.last_mut().unwrap()
    }
}

fn signed(tbs: &[u8], key: &SigningKey) -> Vec<u8> {
    let algorithm = asn1::sequence(&[&asn1::oid(Oid::new_unwrap("1.2.840.10045.4.3.2"))]);
    asn1::sequence(&[tbs, &algorithm, &asn1::bit_string(&key.sign(tbs).unwrap())])
}

fn extension(oid: Oid, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { asn1::boolean_true() } else { Vec::new() };
    asn1::sequence(&[&asn1::oid(oid), &critical, &asn1::octet_string(value)])
}

fn is_malformed(error: &SubmissionError) -> bool {
    matches!(error, SubmissionError::Certificate { position: 0, .. })
}

#[tokio::test]
pub(super) async fn a_serial_number_that_is_negative_or_too_long_is_refused() {
    let house = House::new();
    for serial in [vec![0xff], vec![0x80, 0], vec![0x7f; 64]] {
        let error = house.refused(|tbs| tbs.serial = asn1::tlv(tag::INTEGER, &[&serial])).await;
        assert!(is_malformed(&error), "{serial:?}: {error:?}");
    }
    house.accepts_the_unchanged().await;
}

#[tokio::test]
pub(super) async fn an_object_identifier_without_end_is_refused() {
    let house = House::new();
    let huge = asn1::tlv(tag::OID, &[&[0x2a], &[0xff; 4000], &[1]]);
    let huge = asn1::sequence(&[&huge, &asn1::octet_string(&[5, 0])]);
    let error = house.refused(|tbs| tbs.extensions.insert(0, huge)).await;
    assert!(is_malformed(&error), "{error:?}");
    house.accepts_the_unchanged().await;
}

#[tokio::test]
pub(super) async fn a_length_that_is_not_minimal_is_refused() {
    let house = House::new();
    let good = house.precertificate().certificate().der().to_vec();
    // 30 82 xx xx becomes 30 83 00 xx xx: the outermost length, which no signature covers.
    let long = [&[good[0], 0x83, 0], &good[2..]].concat();
    let error = house.add(Endpoint::AddPreChain, &long).await.unwrap_err();
    let expected = CertificateError::Malformed { part: "certificate" };
    assert!(is_malformed(&error), "{error:?}, not {expected:?}");
    house.add(Endpoint::AddPreChain, &good).await.unwrap();
}

#[tokio::test]
pub(super) async fn a_poison_that_is_not_critical_is_refused() {
    let house = House::new();
    let harmless = extension(oid::POISON, false, &[tag::NULL, 0]);
    let error = house.refused(|tbs| *tbs.poison() = harmless).await;
    assert_eq!(error, SubmissionError::Entry(EntryError::Poison));
    house.accepts_the_unchanged().await;
}

#[tokio::test]
pub(super) async fn a_second_poison_is_refused() {
    let house = House::new();
    let second = extension(oid::POISON, true, &[tag::NULL, 0]);
    let error = house.refused(|tbs| tbs.extensions.push(second)).await;
    assert!(is_malformed(&error), "{error:?}");
    house.accepts_the_unchanged().await;
}

#[tokio::test]
pub(super) async fn a_precertificate_with_timestamps_is_refused() {
    let house = House::new();
    let list = extension(oid::SCT_LIST, false, &asn1::octet_string(&[0, 0]));
    let error = house.refused(|tbs| tbs.extensions.push(list)).await;
    assert!(matches!(error, SubmissionError::Entry(_)), "{error:?}");
    house.accepts_the_unchanged().await;
}

#[tokio::test]
pub(super) async fn an_issuer_for_another_purpose_is_refused() {
    let house = House::new();
    let leaf = house.precertificate();
    let stamping = intermediate(&house.top, &house.key, Purpose::TimeStamping);
    let error = house
        .add_under(Endpoint::AddPreChain, leaf.certificate().der(), &stamping)
        .await
        .unwrap_err();
    let expected = matches!(error, SubmissionError::Chain(PathError::Purpose { .. }));
    assert!(expected, "{error:?}");
    house.add(Endpoint::AddPreChain, leaf.certificate().der()).await.unwrap();
}

#[tokio::test]
pub(super) async fn a_certificate_at_the_wrong_endpoint_is_refused() {
    let house = House::new();
    let precertificate = house.changed(|_| {});
    let certificate = house.changed(|tbs| {
        tbs.extensions.pop();
    });
    for (endpoint, leaf) in
        [(Endpoint::AddChain, &precertificate), (Endpoint::AddPreChain, &certificate)]
    {
        assert_eq!(house.add(endpoint, leaf).await, Err(SubmissionError::WrongEndpoint));
    }
    house.add(Endpoint::AddPreChain, &precertificate).await.unwrap();
    house.add(Endpoint::AddChain, &certificate).await.unwrap();
}

/// The log with one entry, over HTTP.
async fn router() -> (House, Router) {
    let house = House::new();
    house.accepts_the_unchanged().await;
    let log = || Arc::clone(&house.log);
    let router = web::rfc6962::routes(log()).merge(web::static_ct::routes(log()));
    (house, router)
}

async fn read(router: &Router, path: &str) -> StatusCode {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap().status()
}

#[tokio::test]
pub(super) async fn a_range_of_entries_has_limits() {
    let (_house, router) = router().await;
    for range in [
        "start=-1&end=0",
        "start=0&end=-1",
        "start=1&end=0",
        "start=1&end=1",
        "start=0&end=99999999999999999999999",
        "start=18446744073709551616&end=18446744073709551616",
        "start=0x0&end=0",
        "start=0",
        "end=0",
        "",
    ] {
        let status = read(&router, &format!("/ct/v1/get-entries?{range}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{range}");
    }
    for range in ["start=0&end=0", "start=0&end=18446744073709551615"] {
        let status = read(&router, &format!("/ct/v1/get-entries?{range}")).await;
        assert_eq!(status, StatusCode::OK, "{range}");
    }
}

async fn no_tile(paths: &[&str]) {
    let (_house, router) = router().await;
    for path in paths {
        assert_eq!(read(&router, path).await, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/tile/0/000.p/1", "/tile/data/000.p/1"] {
        assert_eq!(read(&router, path).await, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
pub(super) async fn no_tile_leads_out_of_the_log() {
    no_tile(&[
        "/tile/../checkpoint",
        "/tile/0/../../../../etc/passwd",
        "/tile/0/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/tile/0/..%2f..%2fjournal",
        "/tile/data//etc/passwd",
        "/tile/0/000.p/1/../2",
        "/issuer/..%2f..%2fcheckpoint",
    ])
    .await;
}

#[tokio::test]
pub(super) async fn a_partial_tile_has_one_to_255_leaves_and_no_more_than_the_tree() {
    no_tile(&[
        "/tile/0/000.p/0",
        "/tile/0/000.p/2",
        "/tile/0/000.p/255",
        "/tile/0/000.p/256",
        "/tile/0/000.p/257",
        "/tile/0/000.p/-1",
        "/tile/0/000.p/01",
        "/tile/0/000",
    ])
    .await;
}

#[tokio::test]
pub(super) async fn a_tile_has_one_name() {
    no_tile(&["/tile/0/x000/000.p/1", "/tile/00/000.p/1", "/tile/0/0.p/1", "/tile/0/0000.p/1"])
        .await;
}

/// RFC 9110: HEAD has no body, and whoever does not serve ranges or compare tags answers in full.
#[tokio::test]
pub(super) async fn reads_are_whole_whatever_the_client_has() {
    let (_house, router) = router().await;
    let ask = async |method: Method, header: &str, value: &str| {
        let request =
            Request::builder().method(method).uri("/tile/0/000.p/1").header(header, value);
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        (status, response.into_body().collect().await.unwrap().to_bytes().len())
    };
    assert_eq!(ask(Method::GET, "Accept", "*/*").await, (StatusCode::OK, 32));
    assert_eq!(ask(Method::HEAD, "Accept", "*/*").await, (StatusCode::OK, 0));
    assert_eq!(ask(Method::GET, "Range", "bytes=0-3").await, (StatusCode::OK, 32));
    assert_eq!(ask(Method::GET, "If-None-Match", "*").await, (StatusCode::OK, 32));
    assert_eq!(ask(Method::PUT, "Accept", "*/*").await.0, StatusCode::METHOD_NOT_ALLOWED);
}
