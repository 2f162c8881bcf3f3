//! By which name a server is asked for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use net::{AddressPolicy, Alias, Client, RequestError, Settings, TlsTrust, Url};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

// Nobody believes this certificate: which one a server has is checked elsewhere.
const CERTIFICATE: &[u8] = include_bytes!("../src/tls/fixtures/client.pem");
const KEY: &[u8] = include_bytes!("../src/tls/fixtures/client-key.pem");

/// A server for one request, which takes HTTP/2 where that is `new`, and cannot speak it: its port, and how it was asked
/// for, in the handshake and in the request.
fn serve(new: bool) -> (u16, JoinHandle<(Option<String>, String)>) {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    if new {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        stream.write_all(answer).unwrap();
        stream.flush().unwrap();
        let request = String::from_utf8(request[..length].to_vec()).unwrap().to_lowercase();
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        (stream.conn.server_name().map(str::to_owned), host.to_owned())
    });
    (port, asked)
}

fn settings(alias: Option<(&str, &str)>) -> Settings {
    let alias = alias.map(|(host, name)| Alias { host: host.into(), name: name.parse().unwrap() });
    Settings { alias, tls: TlsTrust::DangerouslyUnverified, ..Settings::default() }
}

/// By which names a server at `host` is asked for, in the handshake and in the request.
async fn asked(host: &str, alias: Option<(&str, &str)>) -> (Option<String>, String) {
    // Where the host cannot be told, HTTP/2 is not spoken.
    let (port, asked) = serve(alias.is_some_and(|(_, name)| name.parse::<IpAddr>().is_err()));
    let url = Url::parse(&format!("https://{host}:{port}/x?y")).unwrap();
    let answer = Client::new(settings(alias)).get(url.clone()).send().await.unwrap();
    assert_eq!((answer.url, &answer.body[..]), (url, &b"ok"[..]));
    let (name, told) = asked.join().unwrap();
    (name, told.strip_suffix(&format!(":{port}")).unwrap().to_owned())
}

#[tokio::test]
async fn a_host_with_an_alias_is_asked_for_by_it_and_told_its_own_name() {
    let name = "registry.example";
    for (host, alias, expected) in [
        ("localhost", None, Some("localhost")),
        ("127.0.0.1", None, None),
        ("localhost", Some(("localhost", name)), Some(name)),
        ("127.0.0.1", Some(("127.0.0.1", name)), Some(name)),
        // A server with an address for a name is asked for by none.
        ("localhost", Some(("localhost", "10.0.0.1")), None),
    ] {
        let (found, told) = asked(host, alias).await;
        assert_eq!((found.as_deref(), told.as_str()), (expected, host), "{alias:?}");
    }
}

#[tokio::test]
async fn an_alias_leads_nowhere_where_the_host_itself_does_not() {
    let alias = Some(("a.localhost", "registry.example"));
    let settings = Settings { addresses: AddressPolicy::PublicOnly, ..settings(alias) };
    let url = Url::parse("https://a.localhost:1/").unwrap();
    let error = Client::new(settings).get(url).send().await.unwrap_err();
    let RequestError::Address { host, .. } = error else { panic!("{error}") };
    assert_eq!(host, "a.localhost");
}
