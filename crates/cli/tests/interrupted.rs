//! `quickstart` that somebody stops: it says so, and leaves nothing behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A run of `quickstart` that has a home and a directory for temporary files of its own.
struct Run {
    place: TempDir,
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Run {
    fn start(flags: &[&str]) -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("tmp")).unwrap();
        std::fs::write(place.path().join("file"), "content").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bulla"))
            .arg("quickstart")
            .args(flags)
            .arg("file")
            .current_dir(place.path())
            .env("TMPDIR", place.path().join("tmp"))
            .env("HOME", place.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { place, child, said }
    }

    /// Reads what it says, up to a line with this.
    fn until(&mut self, words: &str) -> String {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "it never said {words:?}");
        }
        line
    }

    /// Stops it. How it ended, and what it said at last.
    fn stop(&mut self, signal: Signal) -> (Option<i32>, String) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).unwrap();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }

    /// How it ended of itself, and what it said.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }

    fn left(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.place.path().join("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[test]
fn whoever_stops_it_in_the_middle_is_told_and_nothing_is_left() {
    let mut stopped = 0;
    for signal in [Signal::INT, Signal::TERM] {
        // While it makes keys, and before it signs.
        for moment in [None, Some("made keys"), Some("ready")] {
            let mut run = Run::start(&[]);
            match moment {
                Some(words) => drop(run.until(words)),
                None => std::thread::sleep(Duration::from_millis(60)),
            }
            let (code, said) = run.stop(signal);
            assert!(run.left().is_empty(), "{moment:?}: {said}");
            // A machine that is fast enough may have come to the end before.
            if code == Some(3) {
                assert!(said.contains("stopped before"), "{said}");
                assert!(said.contains("temporary directory is gone"), "{said}");
                stopped += 1;
            } else {
                assert!(matches!(code, Some(0) | None), "{code:?}: {said}");
            }
        }
    }
    assert!(stopped > 0, "no signal came before the end");
}

#[test]
fn whoever_stops_what_is_to_be_kept_is_told_where_it_is_and_can_go_on() {
    let place = tempfile::tempdir().unwrap();
    let named = place.path().join("server");
    for flags in [&["--keep"][..], &["--dir", named.to_str().unwrap()]] {
        for moment in [None, Some("made keys")] {
            let _ = std::fs::remove_dir_all(&named);
            let mut run = Run::start(flags);
            match moment {
                Some(words) => drop(run.until(words)),
                None => std::thread::sleep(Duration::from_millis(60)),
            }
            let (code, said) = run.stop(Signal::INT);
            // A machine that is fast enough may have come to the end before.
            if code != Some(3) {
                continue;
            }
            assert!(!said.contains("is gone"), "{said}");
            let directory = said.split("--dir ").nth(1).unwrap().split(": ").next().unwrap();
            let (code, said) = Run::start(&["--dir", directory]).end();
            assert!(code == Some(0) && said.contains("was there already"), "{code:?}: {said}");
        }
    }
}

#[test]
fn a_server_has_its_place_in_a_directory_with_a_bare_name() {
    let (code, said) = Run::start(&["--dir", "server"]).end();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_server_that_is_kept_ends_with_ctrl_c_and_answers_no_more() {
    let place = tempfile::tempdir().unwrap();
    let server = place.path().join("server");
    let mut run = Run::start(&["--keep", "--dir", server.to_str().unwrap()]);
    let line = run.until("the server goes on at");
    let port = line.split("localhost:").nth(1).unwrap().split(';').next().unwrap();
    let address = format!("127.0.0.1:{port}");
    TcpStream::connect(&address).unwrap();
    let (code, said) = run.stop(Signal::INT);
    assert_eq!(code, Some(0), "{said}");
    assert!(TcpStream::connect(&address).is_err());
    // What is to be kept is kept.
    assert!(server.join("bulla.toml").exists());
}
