//! PEM text, RFC 7468, as Go's decoder reads it and its encoder writes it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The longest PEM text that is read: a chain of ten large certificates is a tenth of it.
const MAX_TEXT: usize = 1 << 20;

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
/// does the same, and servers and clients of Sigstore rely on it.
///
/// # Errors
///
/// [`PemError::Missing`] if there is no block, [`PemError::TooLong`] above one mebibyte.
pub fn decode_pem(text: &[u8]) -> Result<(Pem, &[u8]), PemError> {
    if text.len() > MAX_TEXT {
        return Err(PemError::TooLong);
    }
    let mut rest = text;
    while let Some(begin) = find_line_start(rest, b"-----BEGIN ") {
        let after = &rest[begin + b"-----BEGIN ".len()..];
        rest = after;
        if let Some(found) = block(after) {
            return Ok(found);
        }
    }
    Err(PemError::Missing)
}

/// Reads a block whose `-----BEGIN ` has been passed.
fn block(text: &[u8]) -> Option<(Pem, &[u8])> {
    let (line, mut body) = split_line(text);
    let label = std::str::from_utf8(trim_end(line).strip_suffix(b"-----")?).ok()?;
    let mut has_headers = false;
    // Headers are `Name: value` lines before the base64 text.
    loop {
        let (line, next) = split_line(body);
        if line.starts_with(b"-----") || !line.contains(&b':') {
            break;
        }
        has_headers = true;
        body = next;
    }
    let end_marker = format!("-----END {label}-----");
    let end = if body.starts_with(end_marker.as_bytes()) {
        0
    } else {
        find(body, format!("\n{end_marker}").as_bytes())? + 1
    };
    let after = &body[end + end_marker.len()..];
    let (tail, rest) = split_line(after);
    if !trim_end(tail).is_empty() {
        return None;
    }
    let base64: Vec<u8> =
        body[..end].iter().copied().filter(|byte| !b" \t\r\n".contains(byte)).collect();
    let contents = LENIENT.decode(base64).ok()?;
    Some((Pem { label: label.to_owned(), has_headers, contents }, rest))
}

/// Writes a block as Go's `pem.EncodeToMemory` does: 64 columns, a final newline.
#[must_use]
pub fn encode_pem(label: &str, contents: &[u8]) -> String {
    let base64 = base64::engine::general_purpose::STANDARD.encode(contents);
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

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// Where `needle` stands at the start of a line.
fn find_line_start(text: &[u8], needle: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = find(&text[from..], needle) {
        let at = from + found;
        if at == 0 || text[at - 1] == b'\n' {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[]),
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
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
}
