//! Texts of statements as they are printed: JSON on one line, strings as what they say.

/// The same JSON without the space between its tokens. Everything else stays as the signer wrote it.
///
/// Only for text that is JSON.
pub(super) fn on_one_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' if !in_string => continue,
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = in_string && c == '\\' && !escaped;
        line.push(c);
    }
    line
}

/// A JSON value for printing: of a string its text, of anything else the JSON on one line.
pub(super) fn of_value(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| on_one_line(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_space_between_tokens_goes() {
        let json = "{\r\n\t\"a b\": [ 1.0e+2 , \"c \\\" d \\\\\" ],\n \"e\" : \"\\u00e9\\t\" }";
        assert_eq!(on_one_line(json), r#"{"a b":[1.0e+2,"c \" d \\"],"e":"\u00e9\t"}"#);
    }

    #[test]
    fn a_string_is_printed_as_its_text() {
        assert_eq!(of_value(r#""SPDXVersion: SPDX-2.3\nx""#), "SPDXVersion: SPDX-2.3\nx");
        assert_eq!(of_value("[ 1, 2 ]"), "[1,2]");
    }
}
