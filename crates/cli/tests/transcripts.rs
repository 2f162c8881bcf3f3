//! Every file in `tests/transcripts` is a session at a shell: lines that begin with `$` are commands, what follows is what
//! the program says, stdout first, then stderr, then the exit code if it is not 0. Sessions begin in an empty directory
//! with `hello.txt` in it. With `BULLA_WRITE_TRANSCRIPTS` set, they are written anew, to be read before they are
//! committed.

#![expect(clippy::unwrap_used, reason = "a test that cannot play a session has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bulla");
const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts");

#[test]
fn every_session_goes_as_it_is_written() {
    let Some(shared) = shared() else { return };
    let mut different = Vec::new();
    let mut count = 0;
    let mut sessions: Vec<PathBuf> =
        fs::read_dir(SESSIONS).unwrap().map(|entry| entry.unwrap().path()).collect();
    sessions.sort();
    for path in sessions {
        count += 1;
        let written = fs::read_to_string(&path).unwrap();
        let played = play(&written, &shared);
        if std::env::var_os("BULLA_WRITE_TRANSCRIPTS").is_some() {
            fs::write(&path, &played).unwrap();
        } else if played != written {
            different.push(format!("--- {}\n{played}", path.display()));
        }
    }
    println!("golden transcripts: {count} cases, {} equal, 0 exceptions", count - different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The shared test data, or nothing where there are none.
fn shared() -> Option<PathBuf> {
    // The sessions name files below the directory that holds the data.
    testdata::path("").and_then(|data| data.parent().map(Path::to_owned))
}

/// Plays the commands of a session and writes down what happens.
fn play(session: &str, shared: &Path) -> String {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("hello.txt"), "hello\n").unwrap();
    let mut played = String::new();
    for line in session.lines().filter(|line| line.starts_with(['$', '#'])) {
        played.push_str(line);
        played.push('\n');
        if let Some(command) = line.strip_prefix("$ ") {
            played.push_str(&run(command, directory.path(), shared));
        }
    }
    played
}

fn run(command: &str, directory: &Path, shared: &Path) -> String {
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(directory)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", Path::new(PROGRAM).parent().unwrap().display()))
        .env("HOME", directory)
        .env("SHARED", shared)
        .env("CASES", shared.join("data/conformance/bundle-verify"))
        .env("COSIGN_PASSWORD", "a password")
        .output()
        .unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        text.push_str(&format!("[exit code {}]\n", output.status.code().unwrap_or(-1)));
    }
    // The same words on every machine.
    let home = directory.display().to_string();
    text.replace(&shared.display().to_string(), "$SHARED").replace(&home, "~")
}
