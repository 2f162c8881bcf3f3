//! `save` that somebody stops: it says so, and leaves nothing of the layers that it was writing.

#![allow(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// What the configuration of the image holds.
const CONFIG: &str = "{}";
/// The length that the layer is said to have. It never comes to its end.
const LAYER: u64 = 1 << 30;

fn manifest() -> String {
    let config = hex::encode(crypto::sha256(CONFIG.as_bytes()));
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{config}","size":{}}},
            "layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:{}","size":{LAYER}}}]}}"#,
        CONFIG.len(),
        "ab".repeat(32),
    )
}

/// Answers one request. Of the layer it sends the beginning, and then nothing, until the other side has gone.
fn answer(mut stream: TcpStream) {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default();
    let mut send = |status: &str, length: u64, body: &str| {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        let body = if line.starts_with("HEAD") { "" } else { body };
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
    };
    let length = |text: &str| u64::try_from(text.len()).unwrap();
    if path.contains("/manifests/sha256:") || path.ends_with("/manifests/1") {
        send("200 OK", length(&manifest()), &manifest());
    } else if path.ends_with(&"ab".repeat(32)) && path.contains("/blobs/") {
        send("200 OK", LAYER, "the beginning");
        let _ = stream.read(&mut [0]);
    } else if path.contains("/blobs/") {
        send("200 OK", length(CONFIG), CONFIG);
    } else {
        send("404 Not Found", 0, "");
    }
}

/// Was wrong: what had come of the layers stayed in the directory, under names that nobody could tell.
#[test]
fn whoever_stops_it_finds_no_half_written_layers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let registry = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(stream.unwrap()));
        }
    });
    let place = tempfile::tempdir().unwrap();
    let left = || std::fs::read_dir(place.path()).unwrap().count();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["save", &format!("{registry}/app:1"), "--dir", "image.tar"])
        .current_dir(place.path())
        .env("HOME", "/nonexistent")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Archive and layer have a file each while they are written.
    while left() < 2 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended of itself");
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{said}");
    assert!(said.contains("stopped before") && said.contains("hint: run it again"), "{said}");
    assert_eq!(left(), 0);
}
