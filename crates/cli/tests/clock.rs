//! A server on a machine whose clock nobody keeps in step: it starts, says why it is not ready, and signs nothing.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use net::{Client, Response, Retry, Settings, Url};

/// What says whether the kernel's clock is kept in step, as the kernel of a test would.
fn timedatectl(place: &Path, answer: &str) {
    let program = place.join("timedatectl");
    std::fs::write(&program, format!("#!/bin/sh\necho {answer}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Our program, on this machine.
fn bulla(place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
    let path = format!("{}:{}", place.display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).env("HOME", place).env("XDG_STATE_HOME", place.join("state"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

struct Running {
    child: Child,
    url: Url,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    async fn start(place: &Path, url: &Url) -> Self {
        let child = bulla(place).arg("serve").arg(place.join("server")).spawn().unwrap();
        let running = Self { child, url: url.clone() };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            let client = Client::new(Settings::default());
            let alive = client.get(running.at("/healthz")).retry(Retry::NEVER).send().await;
            if alive.is_ok_and(|answer| answer.status.is_success()) {
                return running;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server did not start");
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    async fn ready(&self) -> Response {
        let client = Client::new(Settings::default());
        client.get(self.at("/readyz")).retry(Retry::NEVER).send().await.unwrap()
    }

    /// Asks for a timestamp of the digest of nothing (RFC 3161, in JSON).
    async fn stamp(&self) -> Response {
        let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let query = format!(r#"{{"artifactHash":"{digest}","hashAlgorithm":"sha256"}}"#);
        let request = Client::new(Settings::default()).post(self.at("/api/v1/timestamp"));
        let request = request.body("application/json", query.into_bytes());
        request.retry(Retry::NEVER).send().await.unwrap()
    }
}

#[tokio::test]
async fn a_clock_that_nobody_keeps_in_step_signs_nothing_where_that_is_required() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url: Url = format!("http://localhost:{port}").parse().unwrap();
    timedatectl(place, "yes");
    let mut init = bulla(place);
    init.arg("init").arg(place.join("server")).args(["--url", url.as_str()]);
    init.args(["--listen", &format!("127.0.0.1:{port}")]);
    assert!(init.status().unwrap().success());
    let config = std::fs::read_to_string(place.join("server/bulla.toml")).unwrap();
    assert!(config.contains("require_sync = true"), "{config}");

    // The twin: in step, all is well.
    let server = Running::start(place, &url).await;
    assert!(server.ready().await.status.is_success());
    assert!(server.stamp().await.status.is_success());
    drop(server);

    timedatectl(place, "no");
    let server = Running::start(place, &url).await;
    let ready = server.ready().await;
    let said = String::from_utf8_lossy(&ready.body).into_owned();
    assert_eq!(ready.status.as_u16(), 503, "{said}");
    assert!(said.contains("not synchronised"), "{said}");
    let refused = server.stamp().await;
    let said = String::from_utf8_lossy(&refused.body).into_owned();
    assert_eq!(refused.status.as_u16(), 503, "{said}");
}
