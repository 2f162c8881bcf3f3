//! `strconv.Quote`: text between double quotes, with everything that is not printable escaped.

use std::fmt::Write;

/// Quotes `text` as Go's `%q` does.
pub(in crate::ca) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            _ if is_printable(character) => quoted.push(character),
            _ => escape(&mut quoted, u32::from(character)),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(quoted: &mut String, code: u32) {
    // Writing to a String cannot fail.
    let _ = match code {
        0..0x20 | 0x7f => write!(quoted, "\\x{code:02x}"),
        0x80..0x1_0000 => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
}

/// `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
fn is_printable(character: char) -> bool {
    // Rust's escaping for debug output follows the same classes, but for combining marks, which it lets
    // pass only behind another character.
    let pair: String = ['a', character].iter().collect();
    pair.escape_debug().count() == 2 || matches!(character, '\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printable_stays_and_the_rest_is_escaped_as_in_go() {
        for (text, quoted) in [
            ("ä@b.рф 広", "\"ä@b.рф 広\""),
            ("a\"b\\c'd", "\"a\\\"b\\\\c'd\""),
            ("\u{0}\u{1f}\u{7f}\u{7}\n", "\"\\x00\\x1f\\x7f\\a\\n\""),
            ("\u{a0}\u{200b}\u{202e}", "\"\\u00a0\\u200b\\u202e\""),
            ("e\u{301}\u{e0001}", "\"e\u{301}\\U000e0001\""),
        ] {
            assert_eq!(quote(text), quoted);
        }
    }
}
