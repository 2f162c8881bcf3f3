//! The private key of a keyless signing stays in memory: what is sent and written is searched for the actual scalar.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::PublicKey;
use jiff::{SignedDuration, Timestamp};
use net::{Settings, Url};
use pki::fulcio::{ISSUER_V2, LeafContents, San};
use pki::issue::{self, Issuer, LeafRequest, Serial, Validity};
use pki::tsp::{Policy as TimestampPolicy, Request, TokenSigner};
use pki::{Certificate, DistinguishedName};
use serde_json::{Value, json};
use wire::trusted_root::{Authority, TimeRange};

use super::*;
use crate::file::{Readers, write};

const EMAIL: &str = "jane@example.com";
const ISSUER: &str = "https://issuer.example";

/// The certificate and timestamp authorities of the test, and all that anybody sent to them or to its log.
struct Sigstore {
    issuer: Issuer,
    timestamps: TokenSigner,
    received: Mutex<Vec<u8>>,
}

impl Sigstore {
    fn new() -> Arc<Self> {
        let key = || Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
        let name = |common| DistinguishedName::new("sigstore.example", common).unwrap();
        let serial = Serial::from_random([7; 20]);
        let validity = Validity::starting(Timestamp::now(), SignedDuration::from_hours(1));
        let (root_key, timestamp_key) = (key(), key());
        let root = issue::root(&root_key, &name("root"), validity, serial).unwrap();
        let issuer = Issuer::new(root.clone(), root_key).unwrap();
        let public = timestamp_key.public_key();
        let leaf = issuer.timestamp_signer(public, &name("tsa"), validity, serial).unwrap();
        let chain = vec![leaf, root];
        let timestamps =
            TokenSigner::new(timestamp_key, chain, None, false, Timestamp::now()).unwrap();
        Arc::new(Self { issuer, timestamps, received: Mutex::default() })
    }

    fn trusted_root(&self) -> TrustedRoot {
        let authority = |chain: &[Certificate]| Authority {
            organization: String::new(),
            common_name: String::new(),
            uri: String::new(),
            chain: chain.iter().map(|certificate| certificate.der().to_vec()).collect(),
            valid_for: TimeRange::since(Timestamp::UNIX_EPOCH),
            operator: String::new(),
        };
        TrustedRoot {
            certificate_authorities: vec![authority(&[self.issuer.certificate().clone()])],
            timestamp_authorities: vec![authority(self.timestamps.chain())],
            ..TrustedRoot::default()
        }
    }

    /// Serves on loopback; gives the URL.
    fn serve(self: &Arc<Self>) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let sigstore = Arc::clone(self);
        std::thread::spawn(move || {
            listener.incoming().for_each(|stream| sigstore.answer(&mut stream.unwrap()));
        });
        url
    }

    fn answer(&self, stream: &mut TcpStream) {
        let (path, body) = self.receive(stream);
        let (status, answer) = match path.as_str() {
            "/api/v2/signingCert" => ("200 OK", self.certify(&body)),
            "/timestamp" => ("201 Created", self.timestamp(&body)),
            // The log says no: what it was asked is all that matters here.
            _ => ("400 Bad Request", b"{}".to_vec()),
        };
        let length = answer.len();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &answer].concat()).unwrap();
    }

    /// Reads a request and keeps every byte of it. Gives path and body.
    fn receive(&self, stream: &mut TcpStream) -> (String, Vec<u8>) {
        let mut request = Vec::new();
        loop {
            let mut chunk = [0; 4096];
            let read = stream.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..read]);
            self.received().extend_from_slice(&chunk[..read]);
            let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
                assert_ne!(read, 0, "a whole request");
                continue;
            };
            let head = String::from_utf8(request[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let body = &request[end + 4..];
            if body.len() == length.unwrap().parse::<usize>().unwrap() {
                return (head.split(' ').nth(1).unwrap().to_owned(), body.to_vec());
            }
        }
    }

    fn received(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn certify(&self, body: &[u8]) -> Vec<u8> {
        let request: Value = serde_json::from_slice(body).unwrap();
        let pem = request["publicKeyRequest"]["publicKey"]["content"].as_str().unwrap();
        let contents = LeafContents {
            san: San::Email(EMAIL.to_owned()),
            extensions: vec![(ISSUER_V2.oid, ISSUER_V2.encode(ISSUER))],
        };
        let request = LeafRequest {
            key: &PublicKey::from_pem(pem.as_bytes()).unwrap(),
            contents: &contents,
            serial: Serial::from_random([8; 20]),
            validity: Validity::starting(Timestamp::now(), SignedDuration::from_mins(10)),
        };
        let leaf = self.issuer.unlogged_certificate(&request).unwrap();
        let chain = json!({ "certificates": [leaf.to_pem()] });
        json!({ "signedCertificateEmbeddedSct": { "chain": chain } }).to_string().into_bytes()
    }

    fn timestamp(&self, body: &[u8]) -> Vec<u8> {
        let request = Request::from_der(body).unwrap();
        let policy = TimestampPolicy::from_dotted("1.2.3").unwrap();
        self.timestamps.grant(&request, &policy, Timestamp::now(), [9; 20]).unwrap()
    }
}

fn token() -> IdentityToken {
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let expires = Timestamp::now().as_second() + 600;
    let claims = json!({
        "iss": ISSUER, "sub": "1", "aud": "sigstore", "exp": expires, "email": EMAIL, "email_verified": true,
    });
    let token = format!("{}.{}.AAAA", encode(json!({ "alg": "RS256" })), encode(claims));
    IdentityToken::parse(&token, "sigstore", Timestamp::now()).unwrap()
}

/// The PKCS#8 of the ephemeral key that the signer uses.
async fn export(signer: &Signer) -> Vec<u8> {
    match &signer.ready().await.unwrap().key {
        credential::Key::Own(key) => key.to_pkcs8_der().unwrap().to_vec(),
        credential::Key::Held(_) => panic!("the key is our own"),
    }
}

/// The private scalar: RFC 5915 §3, `version INTEGER (1), privateKey OCTET STRING`.
fn scalar(pkcs8: &[u8]) -> [u8; 32] {
    let prefix = [2, 1, 1, 4, 32];
    let at = pkcs8.windows(prefix.len()).position(|bytes| bytes == prefix).unwrap() + prefix.len();
    pkcs8[at..at + 32].try_into().unwrap()
}

/// The form in which `bytes` holds the scalar, if it does: as it is, in hexadecimal, or somewhere inside of Base64.
fn find(bytes: &[u8], scalar: &[u8; 32]) -> Option<String> {
    let has = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
    // Lines are joined, also those of a PEM text in JSON, and both alphabets are one.
    let text = String::from_utf8_lossy(bytes).replace("\\n", "").replace(char::is_whitespace, "");
    let text = text.replace('-', "+").replace('_', "/");
    let in_base64 = |offset: &usize| {
        let encoded = STANDARD.encode([&[0; 2][..*offset], scalar].concat());
        // Only the characters that depend on nothing but the scalar.
        let part = &encoded[(offset * 8).div_ceil(6)..(offset + 32) * 8 / 6];
        has(text.as_bytes(), part.as_bytes())
    };
    if has(bytes, scalar) {
        return Some("raw".to_owned());
    }
    if has(text.to_lowercase().as_bytes(), hex::encode(scalar).as_bytes()) {
        return Some("hex".to_owned());
    }
    (0..3).find(in_base64).map(|offset| format!("base64, {offset}"))
}

#[tokio::test]
async fn acceptance_8_the_scalar_of_a_keyless_key_is_in_nothing_that_is_sent_or_written() {
    let sigstore = Sigstore::new();
    let url = sigstore.serve();
    let services = Services {
        ca: Some(url.clone()),
        issuer: None,
        logs: Vec::new(),
        timestamp_authorities: vec![url.join("/timestamp").unwrap()],
    };
    let (http, trust) = (Client::new(Settings::default()), Arc::new(sigstore.trusted_root()));
    let mut signer = Signer::keyless(services, http, trust, token()).unwrap();
    let digest = HashAlgorithm::Sha256.digest(b"artifact");
    let signed = signer.sign(&digest).await.unwrap();
    for log in [Log::V1(url.clone()), Log::V2(url)] {
        signer.services.logs = vec![log];
        let error = signer.sign(&digest).await.err().unwrap();
        assert!(matches!(error, SignError::Log(LogError::Refused(_))), "{error:?}");
    }

    let directory = tempfile::tempdir().unwrap();
    let bundle = signed.bundle.to_json();
    let path = directory.path().join("artifact.sigstore.json");
    write(&path, bundle.as_bytes(), Readers::Everyone).unwrap();

    let scalar = scalar(&export(&signer).await);
    let received = sigstore.received().clone();
    let requests = received.windows(5).filter(|bytes| *bytes == b"POST ").count();
    assert_eq!(requests, 6, "a certificate, three timestamps, two entries");
    assert_eq!(find(&received, &scalar), None);
    let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(find(&fs::read(files[0].path()).unwrap(), &scalar), None);
    for said in [format!("{signed:?}"), format!("{:?}", token())] {
        assert_eq!(find(said.as_bytes(), &scalar), None);
    }
}

#[test]
fn the_search_finds_a_scalar_in_every_form_in_which_a_key_is_exported() {
    let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    let pkcs8 = key.to_pkcs8_der().unwrap();
    let scalar = scalar(&pkcs8);
    assert_eq!(find(&pkcs8, &scalar).unwrap(), "raw");
    assert_eq!(find(hex::encode_upper(&*pkcs8).as_bytes(), &scalar).unwrap(), "hex");
    let pem = key.to_pkcs8_pem().unwrap();
    assert!(find(pem.as_bytes(), &scalar).unwrap().starts_with("base64"));
    assert!(find(json!({ "key": *pem }).to_string().as_bytes(), &scalar).is_some());
    for offset in 0..3 {
        let shifted = [vec![0x5a; offset], pkcs8.to_vec()].concat();
        assert!(find(URL_SAFE_NO_PAD.encode(shifted).as_bytes(), &scalar).is_some(), "{offset}");
    }
    let another = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
    assert_eq!(find(&another.to_pkcs8_der().unwrap(), &scalar), None);
}
