//! Signing in at an issuer that is good, and at some that are not.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use net::{Retry, Settings, Url};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::form_urlencoded;

use super::*;

/// A request that a test server got.
pub(super) struct Asked {
    pub(super) target: String,
    /// Headers and body.
    pub(super) text: String,
}

impl Asked {
    fn field(&self, name: &str) -> Option<String> {
        let (_, body) = self.text.split_once("\r\n\r\n")?;
        let mut fields = form_urlencoded::parse(body.as_bytes());
        fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// What it answers.
pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn ok(body: &str) -> Self {
        Self { status: "200 OK", body: body.to_owned() }
    }

    fn refusal(error: &str) -> Self {
        Self { status: "400 Bad Request", body: json!({ "error": error }).to_string() }
    }
}

/// Serves on loopback; gives the URL. `answer` is told the request and how many came before.
pub(super) async fn serve(
    answer: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for turn in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let text = read_request(&mut stream).await;
            let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
            let Answer { status, body } = answer(&Asked { target, text }, turn);
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        if read == 0 || body.is_some_and(|body| body >= length) {
            return text;
        }
    }
}

/// How the issuer of a test behaves.
#[derive(Clone, Default)]
struct Habits {
    /// Added to the discovery document.
    document: Value,
    /// Added to the claims.
    claims: Value,
    /// What the device is told before it gets its token.
    refusals: Vec<&'static str>,
}

/// What the issuer remembers of a sign-in.
#[derive(Default)]
struct Memory {
    challenge: String,
    nonce: Option<String>,
    polls: usize,
}

/// An issuer that gives the token for the code `right`.
async fn issuer(habits: Habits) -> (String, Arc<Mutex<Memory>>) {
    let memory = Arc::new(Mutex::new(Memory::default()));
    let (inside, place) = (memory.clone(), Arc::new(Mutex::new(String::new())));
    let url_inside = place.clone();
    let url = serve(move |request, _| {
        let url = url_inside.lock().unwrap().clone();
        let mut memory = inside.lock().unwrap();
        match request.target.as_str() {
            "/.well-known/openid-configuration" => Answer::ok(&document(&url, &habits).to_string()),
            "/device/code" => {
                memory.challenge = request.field("code_challenge").unwrap();
                let begun = json!({
                    "device_code": "d", "user_code": "BDWP-HQPK", "verification_uri": format!("{url}/device"),
                    "expires_in": 600, "interval": 1,
                });
                Answer::ok(&begun.to_string())
            }
            _ => token(request, &url, &habits, &mut memory),
        }
    })
    .await;
    (*place.lock().unwrap()).clone_from(&url);
    (url, memory)
}

fn document(url: &str, habits: &Habits) -> Value {
    let mut document = json!({
        "issuer": url, "authorization_endpoint": format!("{url}/auth"), "token_endpoint": format!("{url}/token"),
        "device_authorization_endpoint": format!("{url}/device/code"), "code_challenge_methods_supported": ["S256"],
    });
    merge(&mut document, &habits.document);
    document
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().into_iter().flatten() {
        into[name] = value.clone();
    }
}

fn token(request: &Asked, url: &str, habits: &Habits, memory: &mut Memory) -> Answer {
    if request.field("device_code").is_some() {
        memory.polls += 1;
        if let Some(refusal) = habits.refusals.get(memory.polls - 1) {
            return Answer::refusal(refusal);
        }
    } else if request.field("code").as_deref() != Some("right") {
        return Answer::refusal("invalid_grant");
    }
    let verifier = request.field("code_verifier").unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(crypto::sha256(verifier.as_bytes())), memory.challenge);
    let exp = Timestamp::now().as_second() + 600;
    let mut claims = json!({
        "iss": url, "sub": "s", "aud": "sigstore", "exp": exp, "nonce": memory.nonce,
        "email": "alice@example.com", "email_verified": true,
    });
    merge(&mut claims, &habits.claims);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.AAAA", encode(&json!({ "alg": "RS256" })), encode(&claims));
    Answer::ok(
        &json!({ "access_token": "other", "token_type": "bearer", "id_token": token }).to_string(),
    )
}

/// Somebody who signs in: what they do at the browser, and what they were invited to.
struct Somebody {
    terminal: bool,
    /// Comes back with this added to the redirect, instead of code and state.
    comes_back: Option<&'static str>,
    memory: Arc<Mutex<Memory>>,
    invited: Mutex<Vec<String>>,
}

impl Somebody {
    fn new(memory: &Arc<Mutex<Memory>>) -> Self {
        Self {
            terminal: true,
            comes_back: Some("code=right"),
            memory: memory.clone(),
            invited: Mutex::new(Vec::new()),
        }
    }

    fn look_at(&self, url: &Url) -> (String, String) {
        let get = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        assert_eq!(
            (get("scope").as_str(), get("client_id").as_str()),
            ("openid email", "sigstore")
        );
        assert_eq!((get("state").len(), get("nonce").len()), (128, 128));
        let mut memory = self.memory.lock().unwrap();
        memory.challenge = get("code_challenge");
        memory.nonce = Some(get("nonce"));
        (get("redirect_uri"), get("state"))
    }
}

#[async_trait::async_trait]
impl Person for Somebody {
    fn has_terminal(&self) -> bool {
        self.terminal
    }

    fn open_browser(&self, url: &Url) -> bool {
        let Some(comes_back) = self.comes_back else { return false };
        let (redirect, state) = self.look_at(url);
        let back = Url::parse(&format!("{redirect}?{comes_back}&state={state}")).unwrap();
        let http = Client::new(Settings::default());
        tokio::spawn(async move { http.get(back).retry(Retry::NEVER).send().await });
        true
    }

    fn invite(&self, invitation: &Invitation<'_>) {
        let name = match invitation {
            Invitation::Browser { .. } => "browser".to_owned(),
            Invitation::OutOfBand { url } => {
                assert_eq!(self.look_at(url).0, "urn:ietf:wg:oauth:2.0:oob");
                "out of band".to_owned()
            }
            Invitation::Device { user_code, .. } => format!("device {user_code}"),
        };
        self.invited.lock().unwrap().push(name);
    }

    async fn ask_for_code(&self) -> Option<String> {
        Some(" right\n".to_owned())
    }
}

/// Signs in at `url`; gives what came of it, and what the person was invited to.
async fn run(
    url: &str,
    somebody: &Somebody,
    flow: Flow,
) -> (Result<IdentityToken, AcquireError>, Vec<String>) {
    let http = Client::new(Settings::default());
    let sign_in =
        SignIn { issuer: url, client_id: "sigstore", http: &http, person: somebody, flow };
    let outcome = sign_in.run().await;
    let invited = somebody.invited.lock().unwrap().clone();
    (outcome, invited)
}

#[tokio::test]
async fn a_browser_brings_a_token() {
    let (url, memory) = issuer(Habits::default()).await;
    let (token, invited) = run(&url, &Somebody::new(&memory), Flow::Automatic).await;
    assert_eq!(token.unwrap().subject(), &Subject::Email("alice@example.com".into()));
    assert_eq!(invited, ["browser"]);
}

#[tokio::test]
async fn without_a_browser_the_person_copies_a_code() {
    let (url, memory) = issuer(Habits::default()).await;
    let somebody = Somebody { comes_back: None, ..Somebody::new(&memory) };
    let (token, invited) = run(&url, &somebody, Flow::Automatic).await;
    token.unwrap();
    assert_eq!(invited, ["out of band"]);
}

#[tokio::test]
async fn without_a_terminal_another_device_confirms() {
    let refusals = vec!["authorization_pending"];
    let (url, memory) = issuer(Habits { refusals, ..Habits::default() }).await;
    let somebody = Somebody { terminal: false, ..Somebody::new(&memory) };
    let (token, invited) = run(&url, &somebody, Flow::Automatic).await;
    token.unwrap();
    assert_eq!((invited, memory.lock().unwrap().polls), (vec!["device BDWP-HQPK".to_owned()], 2));
}

#[tokio::test]
async fn a_device_that_is_denied_or_forgotten_stops_asking() {
    for refusal in ["access_denied", "expired_token"] {
        let (url, memory) = issuer(Habits { refusals: vec![refusal], ..Habits::default() }).await;
        let (token, _) = run(&url, &Somebody::new(&memory), Flow::Device).await;
        match token.unwrap_err() {
            AcquireError::Refused { error, .. } => assert_eq!(error, "access_denied"),
            error => assert!(matches!(error, AcquireError::Expired), "{error}"),
        }
        assert_eq!(memory.lock().unwrap().polls, 1);
    }
}

#[tokio::test]
async fn a_token_of_another_sign_in_is_refused() {
    let claims = json!({ "nonce": "another" });
    let (url, memory) = issuer(Habits { claims, ..Habits::default() }).await;
    let (token, _) = run(&url, &Somebody::new(&memory), Flow::Browser).await;
    assert!(matches!(token.unwrap_err(), AcquireError::Nonce));
}

#[tokio::test]
async fn a_browser_that_comes_back_from_elsewhere_is_refused() {
    let (url, memory) = issuer(Habits::default()).await;
    let comes_back = Some("code=right&iss=https%3A%2F%2Fother.example");
    let somebody = Somebody { comes_back, ..Somebody::new(&memory) };
    let (token, _) = run(&url, &somebody, Flow::Browser).await;
    assert!(matches!(token.unwrap_err(), AcquireError::MixedUp { .. }));

    let comes_back = Some("error=access_denied");
    let somebody = Somebody { comes_back, ..Somebody::new(&memory) };
    let (token, _) = run(&url, &somebody, Flow::Browser).await;
    assert!(matches!(token.unwrap_err(), AcquireError::Browser(LoopbackError::Refused { .. })));

    let somebody = Somebody { comes_back: Some("code=wrong"), ..Somebody::new(&memory) };
    let (token, _) = run(&url, &somebody, Flow::Browser).await;
    assert!(matches!(token.unwrap_err(), AcquireError::Refused { .. }));
}

#[tokio::test]
async fn an_issuer_must_be_what_it_was_asked_as() {
    for document in [
        json!({ "issuer": "https://other.example" }),
        json!({ "code_challenge_methods_supported": ["plain"] }),
        json!({ "authorization_endpoint": "file:///etc/passwd" }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "token_endpoint": "http://other.example/token" }),
    ] {
        let (url, memory) =
            issuer(Habits { document: document.clone(), ..Habits::default() }).await;
        let (token, _) = run(&url, &Somebody::new(&memory), Flow::Browser).await;
        assert!(matches!(token.unwrap_err(), AcquireError::Unfit { .. }), "{document}");
    }
    let claims = json!({ "iss": "https://other.example" });
    let (url, memory) = issuer(Habits { claims, ..Habits::default() }).await;
    let (token, _) = run(&url, &Somebody::new(&memory), Flow::Browser).await;
    assert!(matches!(token.unwrap_err(), AcquireError::Unfit { .. }));
}
