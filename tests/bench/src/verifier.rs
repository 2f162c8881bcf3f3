//! What a verification costs: as a process, beside a driver of another library, and in a loop.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::process::program;

const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon\
     /.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Runs every conformance case by path and by digest as a process of its own, ours and the peer's in turn.
pub(crate) fn measure(rounds: usize, peers: bool) -> anyhow::Result<String> {
    let shared = std::env::var_os("BULLA_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let cases = shared.join("data/conformance/bundle-verify");
    let mut text = String::from(
        "\nverification as a process, median over the conformance cases by path and by digest\n",
    );
    if !cases.exists() {
        let _ = writeln!(text, "  there is no {}", cases.display());
        return Ok(text);
    }
    let ours = program("conformance-client")?;
    let peer = program("peer-verify")?;
    let commands = commands(&cases)?;
    let rounds = rounds.div_ceil(commands.len()).max(1);
    let mut programs = vec![("bulla", ours)];
    if peers && peer.exists() {
        programs.push(("sigstore-verify", peer));
    }
    let mut times = vec![Vec::new(); programs.len()];
    for _ in 0..rounds {
        for arguments in &commands {
            for (times, (_, program)) in times.iter_mut().zip(&programs) {
                times.push(run(program, arguments)?);
            }
        }
    }
    for (times, (name, _)) in times.iter_mut().zip(&programs) {
        times.sort_unstable();
        let ms = times[times.len() / 2].as_secs_f64() * 1e3;
        let _ = writeln!(text, "  {name:28} {ms:>9.2} ms");
    }
    Ok(text)
}

fn run(program: &Path, arguments: &[String]) -> anyhow::Result<Duration> {
    let started = Instant::now();
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| program.display().to_string())?;
    Ok(started.elapsed())
}

/// The arguments of every case, in the public conformance protocol.
fn commands(cases: &Path) -> anyhow::Result<Vec<Vec<String>>> {
    let mut commands = Vec::new();
    for case in std::fs::read_dir(cases)? {
        let case = case?.path();
        if !case.is_dir() {
            continue;
        }
        let said = |name: &str, default: &str| {
            std::fs::read_to_string(case.join(name))
                .map_or_else(|_| default.to_owned(), |text| text.trim().to_owned())
        };
        let path = |name: &str| case.join(name).display().to_string();
        let mut command =
            vec!["verify-bundle".to_owned(), "--bundle".to_owned(), path("bundle.sigstore.json")];
        if case.join("key.pub").exists() {
            command.extend(["--key".to_owned(), path("key.pub")]);
        } else {
            command.extend(["--certificate-identity".to_owned(), said("identity", IDENTITY)]);
            command.extend(["--certificate-oidc-issuer".to_owned(), said("issuer", ISSUER)]);
        }
        if case.join("trusted_root.json").exists() {
            command.extend(["--trusted-root".to_owned(), path("trusted_root.json")]);
        }
        let own = case.join("artifact");
        let artifact = if own.exists() { own } else { cases.join("a.txt") };
        let digest = crypto::sha256(&std::fs::read(&artifact)?);
        for given in [artifact.display().to_string(), format!("sha256:{}", hex::encode(digest))] {
            commands.push([command.clone(), vec![given]].concat());
        }
    }
    Ok(commands)
}
