//! What the client does with servers that misbehave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use net::{AddressPolicy, Client, PlainHttp, Redirects, RequestError, Retry, Settings, Url};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server that gives its answers in turn, and the last one for ever; and the number of requests so far.
async fn serve(answers: Vec<Vec<u8>>) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let turn = counter.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(&answers[turn.min(answers.len() - 1)]).await;
        }
    });
    (url, count)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn quick() -> Retry {
    Retry { attempts: 3, first: Duration::from_millis(1), longest: Duration::from_millis(20) }
}

async fn get(settings: Settings, url: &str) -> Result<net::Response, RequestError> {
    Client::new(settings).get(Url::parse(url).unwrap()).retry(Retry::NEVER).send().await
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_however_it_is_sent() {
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n";
    for sent in [answer("200 OK", "", b"hello world"), chunked.to_vec()] {
        let (url, _) = serve(vec![sent]).await;
        let exact = Settings { max_body: 11, ..Settings::default() };
        assert_eq!(get(exact, url.as_str()).await.unwrap().body, "hello world");
        let less = Settings { max_body: 10, ..Settings::default() };
        let error = get(less, url.as_str()).await.unwrap_err();
        assert!(matches!(error, RequestError::TooLong { limit: 10, .. }), "{error}");
    }
}

#[tokio::test]
async fn a_compressed_body_counts_as_what_it_decompresses_to() {
    // The digit 0, sixty times, by gzip -9.
    let zeros = b"\x1f\x8b\x08\0\0\0\0\0\x02\x0330 \x1f\0\0\xd7\xe2\xdf<<\0\0\0";
    let (url, _) = serve(vec![answer("200 OK", "Content-Encoding: gzip\r\n", zeros)]).await;
    let settings = Settings { max_body: 30, ..Settings::default() };
    let error = get(settings, url.as_str()).await.unwrap_err();
    assert!(matches!(error, RequestError::TooLong { limit: 30, .. }), "{error:?}");
}

#[tokio::test]
async fn only_redirects_within_the_origin_are_followed_and_not_for_ever() {
    let (other, reached) = serve(vec![answer("200 OK", "", b"other")]).await;
    let away = answer("302 Found", &format!("Location: {other}\r\n"), b"");
    let home = answer("302 Found", "Location: /next\r\n", b"");
    let fine = answer("200 OK", "", b"fine");
    let follow = || Settings { redirects: Redirects::SameOrigin(2), ..Settings::default() };

    let (url, _) = serve(vec![home.clone(), fine.clone()]).await;
    let response = get(follow(), url.as_str()).await.unwrap();
    assert_eq!((response.url.path(), &response.body[..]), ("/next", &b"fine"[..]));

    let (url, _) = serve(vec![home.clone(), fine]).await;
    let error = get(Settings::default(), url.as_str()).await.unwrap_err();
    assert!(matches!(error, RequestError::Redirected { .. }));

    let (url, _) = serve(vec![away]).await;
    let error = get(follow(), url.as_str()).await.unwrap_err();
    let RequestError::Redirected { location, .. } = error else { panic!("{error}") };
    assert_eq!(location.as_deref(), Some(other.as_str()));
    assert_eq!(reached.load(Ordering::SeqCst), 0);

    let (url, count) = serve(vec![home]).await;
    get(follow(), url.as_str()).await.unwrap_err();
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_forbidden_address_is_refused_by_name_and_by_number() {
    let (url, count) = serve(vec![answer("200 OK", "", b"")]).await;
    let port = url.port().unwrap();
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "a.localhost"] {
        let url = format!("http://{host}:{port}/");
        let public = Settings { addresses: AddressPolicy::PublicOnly, ..Settings::default() };
        let error = get(public, &url).await.unwrap_err();
        assert!(matches!(error, RequestError::Address { .. }), "{host}: {error}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let loopback = Settings { addresses: AddressPolicy::PublicOrLoopback, ..Settings::default() };
    get(loopback, &format!("http://localhost:{port}/")).await.unwrap();
}

#[tokio::test]
async fn what_may_not_be_asked_is_not_asked() {
    for url in
        ["http://10.0.0.1/", "http://a:b@localhost/", "https://a@example.com/", "ftp://localhost/"]
    {
        let error = get(Settings::default(), url).await.unwrap_err();
        assert!(matches!(error, RequestError::Refused { .. }), "{url}: {error}");
        assert!(!error.to_string().contains('@'), "{error}");
    }
    let public = Settings {
        addresses: AddressPolicy::PublicOnly,
        plain_http: PlainHttp::Anywhere,
        ..Settings::default()
    };
    let error = get(public, "http://169.254.169.254/").await.unwrap_err();
    assert!(matches!(error, RequestError::Address { .. }), "{error}");
}

#[tokio::test]
async fn what_may_be_repeated_is_tried_again_and_nothing_else() {
    let busy = answer("503 Service Unavailable", "Retry-After: 1000000000\r\n", b"");
    let fine = answer("200 OK", "", b"fine");

    let (url, count) = serve(vec![busy.clone(), busy.clone(), fine.clone()]).await;
    let client = Client::new(Settings::default());
    let response = client.get(url).retry(quick()).send().await.unwrap();
    assert_eq!((response.status.as_u16(), count.load(Ordering::SeqCst)), (200, 3));

    let (url, count) = serve(vec![busy.clone(), fine]).await;
    let response = client.post(url).body("text/plain", "x").send().await.unwrap();
    assert_eq!((response.status.as_u16(), count.load(Ordering::SeqCst)), (503, 1));

    let (url, count) = serve(vec![busy]).await;
    let response = client.get(url).retry(quick()).send().await.unwrap();
    assert_eq!((response.status.as_u16(), count.load(Ordering::SeqCst)), (503, 3));
}

#[tokio::test]
async fn a_server_that_is_too_slow_is_left_in_the_middle() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    for sent in [Vec::new(), half] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&sent).await;
            std::future::pending::<()>().await;
        });
        let start = Instant::now();
        let settings = Settings { timeout: Duration::from_millis(100), ..Settings::default() };
        let error = get(settings, &url).await.unwrap_err();
        assert!(matches!(error, RequestError::Timeout { .. }), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn nobody_there_is_told_apart_from_a_broken_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?secret", listener.local_addr().unwrap());
    drop(listener);
    let error = get(Settings::default(), &url).await.unwrap_err();
    assert!(matches!(error, RequestError::Connect { .. }), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");

    let (url, _) = serve(vec![b"hello\r\n\r\n".to_vec()]).await;
    let error = get(Settings::default(), url.as_str()).await.unwrap_err();
    assert!(matches!(error, RequestError::Broken { .. }), "{error}");
}

#[tokio::test]
async fn a_header_with_a_line_break_is_never_sent() {
    let (url, count) = serve(vec![answer("200 OK", "", b"")]).await;
    let client = Client::new(Settings::default());
    let request = client.get(url).header(http::header::AUTHORIZATION, "bearer a\r\nx: y");
    let error = request.send().await.unwrap_err();
    assert!(matches!(error, RequestError::Refused { .. }), "{error}");
    assert_eq!(count.load(Ordering::SeqCst), 0);
}
