//! PEM text, RFC 7468, as Go's decoder reads it and its encoder writes it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// The longest PEM text that is read: a chain of ten large certificates is a tenth of it.
const MAX_TEXT: usize = 1 << 20;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Trailing bits that are not zero are let pass, as by Go's decoder.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// One PEM block.
#[derive(Clone, Eq, PartialEq)]
pub struct Pem {
    /// What stands between `BEGIN` and the dashes, such as `CERTIFICATE`.
    pub label: String,
    /// Whether the block has header lines (`Proc-Type` and the like). They are dropped.
    pub has_headers: bool,
    /// The decoded bytes.
    pub contents: Vec<u8>,
}

/// Why there is no PEM block.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PemError {
    /// No well-formed block begins in the text.
    #[error("there is no PEM block")]
    Missing,
    /// The text is longer than any that is read.
    #[error("the PEM text is longer than {MAX_TEXT} bytes")]
    TooLong,
}

/// Finds the first PEM block in `text` and returns it with what follows it.
///
/// Text before the block is passed over, as is a block that is not well-formed: Go's `pem.Decode`
/// does the same, and servers and clients of Sigstore rely on it. As there, a block is looked for from its end: from
/// the first `END` line back to the last `BEGIN` line before it, so that each byte is looked at once however many
/// lines begin a block that does not end.
///
/// # Errors
///
/// [`PemError::Missing`] if there is no block, [`PemError::TooLong`] above one mebibyte.
pub fn decode_pem(text: &[u8]) -> Result<(Pem, &[u8]), PemError> {
    if text.len() > MAX_TEXT {
        return Err(PemError::TooLong);
    }
    let mut rest = text;
    while let Some(end) = first_line_start(rest, END) {
        let (before, from_end) = rest.split_at(end);
        let (end_line, after) = split_line(&from_end[END.len()..]);
        if let Some(begin) = last_line_start(before, BEGIN)
            && let Some(pem) = block(&before[begin + BEGIN.len()..], end_line)
        {
            return Ok((pem, after));
        }
        rest = after;
    }
    Err(PemError::Missing)
}

/// Reads a block from after its `-----BEGIN ` to its `END` line, of which `end_line` is what follows the `-----END `.
fn block(text: &[u8], end_line: &[u8]) -> Option<Pem> {
    let (line, mut body) = split_line(text);
    let label = std::str::from_utf8(line.trim_ascii_end().strip_suffix(DASHES)?).ok()?;
    if end_line.trim_ascii_end().strip_suffix(DASHES)? != label.as_bytes() {
        return None;
    }
    let mut has_headers = false;
    // Headers are `Name: value` lines before the base64 text.
    loop {
        let (line, next) = split_line(body);
        if !line.contains(&b':') {
            break;
        }
        has_headers = true;
        body = next;
    }
    // A private key passes through here as well.
    let base64: Zeroizing<Vec<u8>> =
        body.iter().copied().filter(|byte| !b" \t\r\n".contains(byte)).collect::<Vec<_>>().into();
    let contents = LENIENT.decode(&*base64).ok()?;
    Some(Pem { label: label.to_owned(), has_headers, contents })
}

/// Writes a block as Go's `pem.EncodeToMemory` does: 64 columns, a final newline.
#[must_use]
pub fn encode_pem(label: &str, contents: &[u8]) -> String {
    let base64 = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(contents));
    let mut text = String::with_capacity(base64.len() + base64.len() / 64 + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = next;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// Where the first line that starts with `prefix` starts.
fn first_line_start(text: &[u8], prefix: &[u8]) -> Option<usize> {
    (0..text.len()).find(|at| starts_line(text, *at, prefix))
}

/// Where the last line that starts with `prefix` starts.
fn last_line_start(text: &[u8], prefix: &[u8]) -> Option<usize> {
    (0..text.len()).rev().find(|at| starts_line(text, *at, prefix))
}

fn starts_line(text: &[u8], at: usize, prefix: &[u8]) -> bool {
    (at == 0 || text[at - 1] == b'\n') && text[at..].starts_with(prefix)
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded_and_the_rest_is_left() {
        for length in [0_usize, 1, 47, 48, 49, 200] {
            let contents = vec![7; length];
            let text = format!("{}tail", encode_pem("TEST KEY", &contents));
            let (pem, rest) = decode_pem(text.as_bytes()).unwrap();
            assert_eq!((pem.label.as_str(), pem.contents), ("TEST KEY", contents));
            assert_eq!(rest, b"tail");
        }
    }

    #[test]
    fn text_before_and_a_broken_block_are_passed_over() {
        let good = encode_pem("A", b"good");
        let text = format!("hello\n-----BEGIN A-----\n!!!\n-----END A-----\n{good}");
        assert_eq!(decode_pem(text.as_bytes()).unwrap().0.contents, b"good");
    }

    #[test]
    fn a_block_without_end_is_missing() {
        assert!(matches!(decode_pem(b"-----BEGIN A-----\nAAAA\n"), Err(PemError::Missing)));
    }

    #[test]
    fn the_end_may_follow_the_beginning_at_once_and_has_its_label() {
        let empty = b"-----BEGIN A-----\n-----END A-----";
        assert_eq!(decode_pem(empty).unwrap().0.contents, b"");
        let other = b"-----BEGIN A-----\n-----END B-----";
        assert!(matches!(decode_pem(other), Err(PemError::Missing)));
        let followed = b"-----BEGIN A-----\n-----END A-----x";
        assert!(matches!(decode_pem(followed), Err(PemError::Missing)));
    }

    /// When each of these lines made its own search for an end, this took minutes.
    #[test]
    fn a_block_behind_a_mebibyte_of_beginnings_is_found_and_without_it_there_is_none() {
        let good = encode_pem("A", b"good");
        let line = "-----BEGIN A-----\n";
        let beginnings = line.repeat((MAX_TEXT - good.len()) / line.len());
        assert!(matches!(decode_pem(beginnings.as_bytes()), Err(PemError::Missing)));
        let text = format!("{beginnings}{good}");
        assert_eq!(decode_pem(text.as_bytes()).unwrap().0.contents, b"good");
        let pair = "-----BEGIN A-----\n-----END B-----\n";
        let text = format!("{}{good}", pair.repeat((MAX_TEXT - good.len()) / pair.len()));
        assert_eq!(decode_pem(text.as_bytes()).unwrap().0.contents, b"good");
    }
}
