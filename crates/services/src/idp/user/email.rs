//! E-mail addresses that a certificate can bear.

/// The longest address (RFC 5321 §4.5.3.1.3, without the angle brackets).
const MAX_ADDRESS: usize = 254;

/// The longest part before the `@` (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// Checks an address and writes its domain in lower case.
///
/// Only what every part of the way takes: ASCII, because a certificate's rfc822Name is an IA5String; no quotes and no
/// comments; a domain with a dot.
pub(super) fn normalise(address: &str) -> Result<String, &'static str> {
    if address.len() > MAX_ADDRESS {
        return Err("it is too long");
    }
    let (local, domain) = address.rsplit_once('@').ok_or("it has no @")?;
    if local.len() > MAX_LOCAL {
        return Err("the part before the @ is too long");
    }
    if !local.split('.').all(is_atom) {
        return Err("the part before the @ has a character that is not allowed there");
    }
    let labels: Vec<_> = domain.split('.').collect();
    if !labels.iter().all(|label| is_label(label)) {
        return Err("the part after the @ is no domain");
    }
    // The last label of a domain begins with a letter; otherwise it would be an IP address.
    let top = labels.last().and_then(|label| label.bytes().next());
    if labels.len() < 2 || !top.is_some_and(|first| first.is_ascii_alphabetic()) {
        return Err("the part after the @ is no full domain, such as example.com");
    }
    Ok(format!("{local}@{}", domain.to_ascii_lowercase()))
}

/// Whether two addresses are one person's. By RFC 5321 §2.3.11 the case of the local part could count; no
/// provider lets it.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// RFC 5322 §3.2.3.
fn is_atom(part: &str) -> bool {
    let is_atext = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
    !part.is_empty() && part.bytes().all(is_atext)
}

/// RFC 1123 §2.1.
fn is_label(label: &str) -> bool {
    let inner = label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_are_taken() {
        for address in
            ["alice@example.com", "a.b+c@sub.example.org", "o'neil@x-y.example", "x@1.example"]
        {
            assert_eq!(normalise(address).as_deref(), Ok(address));
        }
        assert_eq!(normalise("Bob@EXAMPLE.Com").as_deref(), Ok("Bob@example.com"));
    }

    #[test]
    fn others_are_not() {
        let long = format!("{}@example.com", "a".repeat(65));
        for address in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "alice@localhost",
            "alice@127.0.0.1",
            "a b@example.com",
            "a@b@example.com",
            "\"a b\"@example.com",
            "a(b)@example.com",
            "a\0@example.com",
            "a\n@example.com",
            ".a@example.com",
            "a..b@example.com",
            "ä@example.com",
            "a@exämple.com",
            "a@-x.example",
            "a@x..example",
            "a@example.com.",
            "a@[::1]",
            long.as_str(),
        ] {
            normalise(address).expect_err(address);
        }
    }
}
