//! The `Link` header, by which a list says where it goes on.

/// The target of the first link with `rel="next"` (RFC 8288; OCI Distribution Specification, Listing Tags).
pub(crate) fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let start = rest.find('<')?;
        let end = start + rest[start..].find('>')?;
        let target = &rest[start + 1..end];
        let parameters = &rest[end + 1..];
        // A target is in angle brackets, so the next one ends the parameters of this.
        let stop = parameters.find('<').unwrap_or(parameters.len());
        if parameters[..stop].split([';', ',']).any(is_next) {
            return Some(target);
        }
        rest = &parameters[stop..];
    }
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    name.trim().eq_ignore_ascii_case("rel")
        && value.trim().trim_matches('"').split_ascii_whitespace().any(|rel| rel == "next")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_others() {
        assert_eq!(
            next(r#"</v2/a/tags/list?n=1&last=b>; rel="next""#),
            Some("/v2/a/tags/list?n=1&last=b")
        );
        assert_eq!(next("<a>; rel=prev, <b>; rel=next"), Some("b"));
        assert_eq!(next(r#"<a>; title="x", <b>; REL="last next""#), Some("b"));
    }

    #[test]
    fn what_is_no_next_page_is_none() {
        for header in
            ["", "<", "<a>", ">a<", "<a>; rel=\"prev\"", "a; rel=next", "<a>; rel", "<a>; next"]
        {
            assert_eq!(next(header), None, "{header}");
        }
    }
}
