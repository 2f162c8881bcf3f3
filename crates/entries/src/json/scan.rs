//! The grammar of RFC 8259, checked without recursion.

use std::borrow::Cow;

/// How deep values may be nested. Go's decoder has the same limit.
const MAX_DEPTH: usize = 10_000;

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonError {
    /// Another byte was expected here, or the end comes too early.
    #[error("the JSON is not well-formed at byte {at}")]
    Unexpected {
        /// Where, counted from zero.
        at: usize,
    },
    /// Values are nested too deep.
    #[error("the JSON is nested more than {MAX_DEPTH} deep at byte {at}")]
    TooDeep {
        /// Where, counted from zero.
        at: usize,
    },
}

/// A place in a text.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) const fn unexpected(&self) -> JsonError {
        JsonError::Unexpected { at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    /// Steps past `byte` and the white space around it, in a text that was checked before.
    pub(super) fn past(&mut self, byte: u8) {
        self.white_space();
        if self.peek() == Some(byte) {
            self.at += 1;
        }
        self.white_space();
    }

    /// Enters an object or array of a text that was checked before. Says whether anything is in it.
    pub(super) fn enter(&mut self, open: u8, close: u8) -> bool {
        if self.peek() != Some(open) {
            return false;
        }
        self.past(open);
        self.peek() != Some(close)
    }

    /// Steps to the next member or element. Says whether there is one.
    pub(super) fn next(&mut self, close: u8) -> bool {
        self.white_space();
        if self.peek() == Some(close) {
            return false;
        }
        self.past(b',');
        true
    }

    /// Steps past one value, however deep.
    pub(super) fn value(&mut self) -> Result<(), JsonError> {
        // The bytes that close what is open.
        let mut open = Vec::new();
        loop {
            self.white_space();
            match self.peek() {
                Some(b'{') => {
                    self.open(&mut open, b'}')?;
                    if self.peek() != Some(b'}') {
                        self.name()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.open(&mut open, b']')?;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                Some(b'"') => {
                    self.string()?;
                }
                Some(b't') => self.word(b"true")?,
                Some(b'f') => self.word(b"false")?,
                Some(b'n') => self.word(b"null")?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => return Err(self.unexpected()),
            }
            if !self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    fn open(&mut self, open: &mut Vec<u8>, close: u8) -> Result<(), JsonError> {
        if open.len() >= MAX_DEPTH {
            return Err(JsonError::TooDeep { at: self.at });
        }
        open.push(close);
        self.at += 1;
        self.white_space();
        Ok(())
    }

    /// Steps past what ends after a value. Says whether another value follows inside what is open.
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool, JsonError> {
        while let Some(&close) = open.last() {
            self.white_space();
            if self.peek() == Some(close) {
                self.at += 1;
                open.pop();
                continue;
            }
            self.expect(b',')?;
            self.white_space();
            if close == b'}' {
                self.name()?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn name(&mut self) -> Result<(), JsonError> {
        self.string()?;
        self.white_space();
        self.expect(b':')
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self.rest().starts_with(word) {
            return Err(self.unexpected());
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(()) }
    }

    /// Steps past a string and returns what is between its quotes.
    pub(super) fn string(&mut self) -> Result<&'a [u8], JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
        loop {
            self.at += self.rest().iter().position(is_special).unwrap_or(self.rest().len());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) | None => return Err(self.unexpected()),
            }
        }
        let inside = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(inside)
    }

    /// Steps past one value of a text that was checked before: a long string costs next to nothing, however often
    /// what is around it is looked through.
    pub(super) fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {
                    self.at += 1;
                    continue;
                }
                _ => self.skip_word(),
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(next) = memchr::memchr2(b'"', b'\\', self.rest()) {
            self.at += next + 1;
            if self.text.get(self.at - 1) == Some(&b'"') {
                return;
            }
            // What follows a backslash ends no string.
            self.at += 1;
        }
        self.at = self.text.len();
    }

    fn skip_word(&mut self) {
        let is_end = |byte: &u8| b",:]} \t\r\n".contains(byte);
        self.at += self.rest().iter().position(is_end).unwrap_or(self.rest().len());
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        let digits = match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 0,
            Some(b'u') => 4,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        for _ in 0..digits {
            if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(())
    }
}

/// What the inside of a well-formed string means.
pub(super) fn decode_string(inside: &[u8]) -> Cow<'_, str> {
    let mut rest = inside;
    let mut bytes = Vec::new();
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(backslash);
        bytes.extend_from_slice(before);
        rest = unescape(escape.strip_prefix(b"\\").unwrap_or(escape), &mut bytes);
    }
    if bytes.is_empty() {
        return replace_invalid(rest);
    }
    bytes.extend_from_slice(rest);
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(replace_invalid(error.as_bytes()).into_owned()),
    }
}

/// Decodes the escape that begins after its backslash, and returns what follows it.
fn unescape<'a>(escape: &'a [u8], to: &mut Vec<u8>) -> &'a [u8] {
    let Some((&letter, rest)) = escape.split_first() else { return escape };
    let byte = match letter {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unescape_unicode(rest, to),
        other => other,
    };
    to.push(byte);
    rest
}

/// Decodes four hex digits, and with them the next escape if the two are a surrogate pair.
fn unescape_unicode<'a>(digits: &'a [u8], to: &mut Vec<u8>) -> &'a [u8] {
    let (unit, mut rest) = utf16_unit(digits);
    let mut units = vec![unit];
    if let (0xd800..=0xdbff, Some(second)) = (unit, rest.strip_prefix(b"\\u")) {
        let (low, after) = utf16_unit(second);
        if (0xdc00..=0xdfff).contains(&low) {
            units.push(low);
            rest = after;
        }
    }
    to.extend(String::from_utf16_lossy(&units).into_bytes());
    rest
}

fn utf16_unit(digits: &[u8]) -> (u16, &[u8]) {
    let (unit, rest) = digits.split_at_checked(4).unwrap_or((digits, &[]));
    let value = |unit: u16, digit: &u8| {
        let digit = char::from(*digit).to_digit(16).and_then(|digit| u16::try_from(digit).ok());
        unit << 4 | digit.unwrap_or(0)
    };
    (unit.iter().fold(0, value), rest)
}

/// Go puts one U+FFFD in the place of each byte that is not part of a valid sequence.
fn replace_invalid(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_json(text: &[u8]) -> bool {
        let mut scanner = Scanner::new(text);
        let value = scanner.value();
        scanner.white_space();
        value.is_ok() && scanner.rest().is_empty()
    }

    #[test]
    fn the_grammar_is_that_of_rfc_8259() {
        for good in [
            "0",
            "-0",
            "1e400",
            "-1.5E+3",
            "\"\\u00e9\\n\"",
            "[[],{}]",
            "{\"a\":[1,2]}",
            " null ",
            "[true,false]",
            "\"\u{7f}\"",
        ] {
            assert!(is_json(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "nul",
            "True",
            "[1,]",
            "{,}",
            "{\"a\":1,}",
            "{a:1}",
            "[1 2]",
            "{\"a\" 1}",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "\"",
            "[",
            "{\"a\":",
            "]",
            "\u{feff}1",
            "'a'",
        ] {
            assert!(!is_json(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn values_nested_as_deep_as_go_allows_are_read_and_deeper_ones_refused() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(is_json(&nested(MAX_DEPTH)));
        let error = Scanner::new(&nested(MAX_DEPTH + 1)).value();
        assert_eq!(error, Err(JsonError::TooDeep { at: MAX_DEPTH }));
        assert!(Scanner::new(&vec![b'['; 1 << 20]).value().is_err());
    }

    #[test]
    fn what_is_no_unicode_becomes_replacement_characters() {
        assert_eq!(decode_string(br"\u00e9\ud83d\ude00\/"), "é😀/");
        assert_eq!(decode_string(br"\ud800x"), "\u{fffd}x");
        assert_eq!(decode_string(br"\ud800\u0041\udc00"), "\u{fffd}A\u{fffd}");
        assert_eq!(decode_string(b"a\xff\xfe"), "a\u{fffd}\u{fffd}");
        // A truncated sequence of three bytes is two bytes that are not valid.
        assert_eq!(decode_string(b"\xe2\x82"), "\u{fffd}\u{fffd}");
    }

    proptest! {
        #[test]
        fn serde_json_and_we_agree_on_what_is_json(text in r#"[\[\]{},:"\\ute0-9.\-+ ntrufalse\n]{0,24}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            // A number that does not fit and a lone surrogate are JSON, but serde_json cannot hold them.
            prop_assert!(!theirs || is_json(text.as_bytes()), "{text}");
            if !theirs && is_json(text.as_bytes()) {
                prop_assert!(text.contains(['e', 'u', 'E']) , "{text}");
            }
        }

        #[test]
        fn skipping_ends_where_checking_ends(text in r#"[\[\]{},:"\\u09.e\-+ truefalsn\n]{0,24}"#) {
            let mut checking = Scanner::new(text.as_bytes());
            checking.white_space();
            let mut skipping = Scanner::new(checking.rest());
            // Only within a text that was checked as a whole is anything skipped.
            if checking.value().is_ok() && is_json(text.as_bytes()) {
                skipping.skip();
                prop_assert_eq!(skipping.rest(), checking.rest());
            }
        }

        #[test]
        fn any_bytes_are_scanned_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = is_json(&bytes);
            let _ = decode_string(&bytes);
        }
    }
}
