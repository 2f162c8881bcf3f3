//! Canonical JSON, the form of OLPC and `securesystemslib`, over which TUF signatures and key ids are made.
//!
//! It is not RFC 8785: strings escape `"` and `\` and nothing else, and keep every other character as it is; members
//! are in the order of their code points; numbers are integers. (TUF specification §4.2.)

use serde_json::Value;

/// The value has no canonical form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CanonicalError {
    /// It holds a number that is not an integer of 64 bits.
    #[error("a number in the metadata is not an integer")]
    NotAnInteger,
}

/// The canonical form of `value`.
///
/// # Errors
///
/// [`CanonicalError`].
pub fn canonical_json(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(out)
}

// The depth is that of a parsed `Value`, which serde_json bounds at 128.
fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::Number(_) => return Err(CanonicalError::NotAnInteger),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // The order of UTF-8 bytes is that of code points.
            members.sort_by_key(|(name, _)| *name);
            out.push(b'{');
            for (position, (name, member)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write(member, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' || byte == b'\\' {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(value: &Value) -> String {
        String::from_utf8(canonical_json(value).unwrap()).unwrap()
    }

    #[test]
    fn members_are_sorted_and_nothing_stands_between_them() {
        let value = json!({"b": [1, -2, true, null], "a": {"é": "x", "z": "y"}, "B": {}});
        assert_eq!(check(&value), r#"{"B":{},"a":{"z":"y","é":"x"},"b":[1,-2,true,null]}"#);
    }

    #[test]
    fn strings_escape_quote_and_backslash_only() {
        assert_eq!(check(&json!("a\"b\\c\n\u{1}/")), "\"a\\\"b\\\\c\n\u{1}/\"");
        // The decomposed form is not composed: other bytes are another string.
        assert_eq!(check(&json!("e\u{301}")), "\"e\u{301}\"");
    }

    #[test]
    fn a_fraction_has_no_canonical_form() {
        assert_eq!(canonical_json(&json!({"a": 1.5})), Err(CanonicalError::NotAnInteger));
        assert_eq!(canonical_json(&json!([1e30])), Err(CanonicalError::NotAnInteger));
    }

    proptest! {
        #[test]
        fn two_strings_never_have_the_same_form(a in ".{0,6}", b in ".{0,6}") {
            prop_assert_eq!(a == b, check(&json!(a)) == check(&json!(b)));
        }
    }
}
