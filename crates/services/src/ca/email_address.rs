//! What counts as an e-mail address.
//!
//! The rule is that of the existing server, which uses a well-known regular expression (govalidator's): an
//! address with a dot in its domain, whose characters may lie outside ASCII. Such an address is then refused
//! when the certificate is made, because an `rfc822Name` is an `IA5String` (RFC 5280 §4.2.1.6).

/// Whether `text` is an e-mail address.
pub(super) fn is_email_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain))
}

fn is_local(local: &str) -> bool {
    is_quoted(local) || local.split('.').all(is_atom)
}

fn is_atom(atom: &str) -> bool {
    let is_allowed = |character: char| {
        character.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(character)
            || is_international(character)
    };
    !atom.is_empty() && atom.chars().all(is_allowed)
}

/// One character between quotes, with blanks around it: what the expression means to be any quoted text
/// matches no more than this. (It also matches unbalanced quotes; those are refused here.)
fn is_quoted(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut characters = inner.trim_matches([' ', '\t']).chars();
    let one = characters.next();
    let is_allowed = |character: char| {
        let code = u32::from(character);
        let is_control = (code < 0x20 && !"\0\t\n\r".contains(character)) || code == 0x7f;
        is_control
            || character.is_ascii_graphic() && !"\"\\".contains(character)
            || is_international(character)
    };
    one.is_some_and(is_allowed) && characters.next().is_none()
}

fn is_domain(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain.rsplit_once('.').is_some_and(|(labels, top)| {
        is_label(labels, "-._~", |character| character.is_ascii_alphanumeric())
            && is_label(top, "-_~", |character| character.is_ascii_alphabetic())
    })
}

/// Begins and ends with a character of `edge`; between them letters, digits and `inner` may stand.
fn is_label(label: &str, inner: &str, edge: fn(char) -> bool) -> bool {
    let is_edge = |character: char| edge(character) || is_international(character);
    let is_inner = |character: char| {
        character.is_ascii_alphanumeric()
            || inner.contains(character)
            || is_international(character)
    };
    label.chars().next().is_some_and(is_edge)
        && label.chars().next_back().is_some_and(is_edge)
        && label.chars().all(is_inner)
}

/// The characters outside ASCII that the expression allows: the Basic Multilingual Plane without its
/// private and compatibility areas.
fn is_international(character: char) -> bool {
    matches!(
        character,
        '\u{a0}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_local_part_and_a_domain_with_a_dot() {
        for good in ["a@b.co", "a.b+c@d-e.fg", "\"a\"@b.co", "ä@b.рф", "a@b.co."] {
            assert!(is_email_address(good), "{good}");
        }
        for bad in
            ["a", "a@b", "a@b@c.de", "a..b@c.de", "a@b.c1", "\"a b\"@c.de", "a@b.co\n", "a\0@b.co"]
        {
            assert!(!is_email_address(bad), "{bad}");
        }
    }
}
