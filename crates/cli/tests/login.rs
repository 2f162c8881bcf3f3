//! `login` and `logout`, with a registry that takes everybody and credential helpers that are scripts.

#![allow(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A credential helper that was asked before it had anything.
const KNOWS_NOTHING: &str = "echo credentials not found in native keychain; exit 1";

/// A user's home, with Docker's configuration in it, and helpers.
struct Home(TempDir);

/// How a command ended.
struct Ended {
    code: Option<i32>,
    printed: String,
    said: String,
}

impl Home {
    fn new(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.docker()).unwrap();
        fs::write(home.config(), config).unwrap();
        home
    }

    fn docker(&self) -> PathBuf {
        self.0.path().join(".docker")
    }

    fn config(&self) -> PathBuf {
        self.docker().join("config.json")
    }

    fn written(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.config()).unwrap()).unwrap()
    }

    /// Makes `docker-credential-test`.
    fn helper(self, script: &str) -> Self {
        let path = self.0.path().join("docker-credential-test");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn bulla(&self, arguments: &[&str]) -> Ended {
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        let mut child = Command::new(env!("CARGO_BIN_EXE_bulla"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who refuses the flags does not read.
        let _ = child.stdin.take().unwrap().write_all(b"sesame\n");
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code(),
            printed: String::from_utf8(output.stdout).unwrap(),
            said: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A registry that takes everybody, and does something first. Its name.
fn registry(first: impl Fn() + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            first();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    name
}

fn written_meanwhile(config: &Path) -> impl Fn() + Send + 'static {
    let config = config.to_owned();
    move || fs::write(&config, r#"{"auths":{"other.example":{"auth":"YTpi"}}}"#).unwrap()
}

#[test]
fn what_others_keep_while_the_registry_is_asked_stays() {
    let home = Home::new("{}");
    let registry = registry(written_meanwhile(&home.config()));
    let ended = home.bulla(&["login", "-u", "alice", &registry]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let auths = &home.written()["auths"];
    assert_eq!(auths["other.example"]["auth"], "YTpi");
    assert!(auths[&registry]["auth"].is_string());
}

#[test]
fn what_others_keep_while_a_helper_is_asked_stays() {
    let meanwhile = r#"echo '{"psFormat":"x","credsStore":"test"}' > "$HOME/.docker/config.json""#;
    let home =
        Home::new(r#"{"credsStore":"test"}"#).helper(&format!("cat > /dev/null; {meanwhile}"));
    let registry = registry(|| ());
    let ended = home.bulla(&["login", "-u", "alice", &registry]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(home.written()["psFormat"], "x");
    assert_eq!(home.written()["auths"][&registry], serde_json::json!({}));
}

#[test]
fn of_several_who_sign_in_at_once_all_are_kept() {
    let home = Home::new("{}");
    let registries: Vec<_> = (0..8).map(|_| registry(|| ())).collect();
    std::thread::scope(|scope| {
        for registry in &registries {
            let home = &home;
            scope.spawn(move || {
                let ended = home.bulla(&["login", "-u", "alice", registry]);
                assert_eq!(ended.code, Some(0), "{}", ended.said);
            });
        }
    });
    let auths = &home.written()["auths"];
    assert!(registries.iter().all(|registry| auths[registry]["auth"].is_string()), "{auths}");
}

#[test]
fn the_directory_is_made_for_its_owner_alone_and_left_as_it_is() {
    let home = Home(tempfile::tempdir().unwrap());
    let mode = || fs::metadata(home.docker()).unwrap().permissions().mode() & 0o777;
    let ended = home.bulla(&["logout", "a.example"]);
    assert_eq!((ended.code, home.docker().exists()), (Some(0), false), "{}", ended.said);
    for expected in [0o700, 0o755] {
        let ended = home.bulla(&["login", "-u", "alice", &registry(|| ())]);
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        assert_eq!(mode(), expected);
        fs::set_permissions(home.docker(), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_written_whether_or_not_it_is_there() {
    for (link, target, there) in [
        ("../dotfiles/docker.json", "dotfiles/docker.json", true),
        ("../dotfiles/docker.json", "dotfiles/docker.json", false),
        ("config.real.json", ".docker/config.real.json", false),
    ] {
        let home = Home(tempfile::tempdir().unwrap());
        fs::create_dir(home.docker()).unwrap();
        std::os::unix::fs::symlink(link, home.config()).unwrap();
        let target = home.0.path().join(target);
        if there {
            fs::create_dir(target.parent().unwrap()).unwrap();
            fs::write(&target, "{}").unwrap();
        }
        let ended = home.bulla(&["login", "-u", "alice", &registry(|| ())]);
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        assert_eq!(fs::read_link(home.config()).unwrap(), Path::new(link));
        assert!(!fs::symlink_metadata(&target).unwrap().is_symlink());
        assert!(home.written()["auths"].is_object());
    }
}

#[test]
fn a_helper_that_finds_nothing_has_kept_nothing() {
    let home = Home::new(r#"{"credsStore":"test"}"#).helper(KNOWS_NOTHING);
    let ended = home.bulla(&["login", "-u", "alice", &registry(|| ())]);
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    assert!(ended.said.contains("credentials not found"), "{}", ended.said);
    assert!(ended.printed.is_empty());
    assert!(home.written().get("auths").is_none());
}

#[test]
fn a_name_that_would_be_read_as_another_is_refused() {
    let home = Home::new("{}");
    for name in ["", "corp:alice"] {
        for command in [
            vec!["login", "ghcr.io", "-u", name],
            vec!["tree", "ghcr.io/a/b", "--registry-password", "x", "--registry-username", name],
        ] {
            let ended = home.bulla(&command);
            assert_eq!(ended.code, Some(2), "{command:?}: {}", ended.said);
            assert!(ended.said.contains("user's name"), "{}", ended.said);
        }
    }
    assert_eq!(home.written(), serde_json::json!({}));
}

#[test]
fn what_only_the_helper_had_was_kept() {
    let script = r#"file="$HOME/kept"
case $1 in
get) [ -e "$file" ] && cat "$file" || { echo credentials not found; exit 1; } ;;
erase) rm -f "$file" ;;
esac"#;
    let home = Home::new(r#"{"credsStore":"test"}"#).helper(script);
    fs::write(home.0.path().join("kept"), r#"{"Username":"alice","Secret":"sesame"}"#).unwrap();
    for said in ["signed out of a.example\n", "nothing was kept for a.example\n"] {
        let ended = home.bulla(&["logout", "a.example"]);
        assert_eq!(ended.printed, said, "{}", ended.said);
    }
}

#[test]
fn where_credentials_remain_is_said() {
    let entries = r#"{"auths":{"a.example":{"auth":"YTpi"},"a.example/team":{"auth":"YTpi"}}}"#;
    let home = Home::new(entries);
    let other = home.0.path().join(".config/containers/auth.json");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(&other, entries).unwrap();
    let ended = home.bulla(&["logout", "a.example"]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(!ended.printed.contains("signed out"), "{}", ended.printed);
    for file in [home.config(), other] {
        assert!(ended.said.contains(file.to_str().unwrap()), "{}", ended.said);
    }
    assert!(home.written()["auths"].get("a.example").is_none());
}
