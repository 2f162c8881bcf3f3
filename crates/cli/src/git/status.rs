//! GnuPG's status lines, by which git learns what came of it (GnuPG's `doc/DETAILS`).
//!
//! Git looks for `SIG_CREATED` and `GOODSIG` at the beginning of a line that is not the first one, so that a line goes
//! before each.

use std::fs::OpenOptions;
use std::io::{self, Write};

use jiff::Timestamp;
use pki::Certificate;
use pki::fulcio::{San, identities};

use crate::failure::{Failure, OrFail};

/// `ECDSA` and `SHA-256` of RFC 4880's lists: what the keys here are.
const ALGORITHMS: &str = "19 8";

/// Where the lines go.
pub(super) struct Status(Option<Box<dyn Write>>);

/// Whose signature a line is about.
pub(super) struct Whose {
    fingerprint: String,
    name: String,
}

impl Status {
    /// Writes to the file descriptor that git names, which is standard output or error as a rule.
    pub(super) fn to(descriptor: Option<u32>) -> Result<Self, Failure> {
        Ok(Self(match descriptor {
            None => None,
            Some(1) => Some(Box::new(io::stdout())),
            Some(2) => Some(Box::new(io::stderr())),
            Some(other) => {
                let path = format!("/dev/fd/{other}");
                let file = OpenOptions::new().write(true).open(path);
                Some(Box::new(file.or_undecided("the status cannot be told to git")?))
            }
        }))
    }

    fn line(&mut self, line: &str) {
        if let Some(output) = &mut self.0 {
            // A reader that has gone away no longer wants to know.
            let _ = writeln!(output, "[GNUPG:] {line}");
            let _ = output.flush();
        }
    }

    /// The key is there, and a signature is being made.
    pub(super) fn begin_signing(&mut self) {
        self.line("BEGIN_SIGNING");
    }

    /// It was made.
    pub(super) fn created(&mut self, certificate: &Certificate) {
        let (now, whose) = (Timestamp::now().as_second(), Whose::of(certificate));
        self.line(&format!("SIG_CREATED D {ALGORITHMS} 00 {now} {}", whose.fingerprint));
    }

    /// A signature is being looked at.
    pub(super) fn new_signature(&mut self) {
        self.line("NEWSIG");
    }

    /// It holds, and its signer is one who is allowed.
    pub(super) fn good(&mut self, whose: &Whose, time: Timestamp) {
        let Whose { fingerprint, name } = whose;
        self.line(&format!("GOODSIG {fingerprint} {name}"));
        let (date, seconds) = (time.strftime("%Y-%m-%d"), time.as_second());
        let line =
            format!("VALIDSIG {fingerprint} {date} {seconds} 0 4 0 {ALGORITHMS} 00 {fingerprint}");
        self.line(&line);
        self.line("TRUST_FULLY 0 shell");
    }

    /// It does not hold.
    pub(super) fn bad(&mut self, whose: &Whose) {
        self.line(&format!("BADSIG {} {}", whose.fingerprint, whose.name));
    }

    /// It cannot be said to be good: nobody vouches for the signer here, or nothing could be judged.
    pub(super) fn unknown(&mut self, whose: &Whose) {
        let now = Timestamp::now().as_second();
        // 9: the key is not known.
        self.line(&format!("ERRSIG {} {ALGORITHMS} 00 {now} 9", whose.fingerprint));
        self.line(&format!("NO_PUBKEY {}", whose.fingerprint));
    }
}

impl Whose {
    /// The holder of this certificate, or whoever says so.
    pub(super) fn of(certificate: &Certificate) -> Self {
        let names = identities(certificate);
        let name = names.first().map(San::text).unwrap_or_default();
        Self { fingerprint: hex::encode_upper(certificate.fingerprint()), name: escaped(name) }
    }

    /// Somebody of whom nothing can be read.
    pub(super) fn nobody() -> Self {
        Self { fingerprint: "0".repeat(64), name: "unknown".to_owned() }
    }
}

/// A name in one line: what is not printable ASCII, and the escape itself, as `%XX`.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' || byte == b' ' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_a_line_and_begin_another() {
        assert_eq!(escaped("jane@example.com"), "jane@example.com");
        assert_eq!(escaped("x\n[GNUPG:] GOODSIG 1 y%"), "x%0A[GNUPG:] GOODSIG 1 y%25");
    }
}
