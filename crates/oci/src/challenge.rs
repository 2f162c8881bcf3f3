//! What a registry demands of whoever it does not know.

/// One challenge of a `WWW-Authenticate` header (RFC 9110 §11.6.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Challenge {
    /// User and password with each request (RFC 7617).
    Basic,
    /// A token of another server (RFC 6750; the token authentication of Docker's registry).
    Bearer(Bearer),
}

/// Where a token is had.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Bearer {
    /// The URL of the token server.
    pub(crate) realm: String,
    /// The name of the registry for the token server.
    pub(crate) service: Option<String>,
    /// What the token must allow.
    pub(crate) scope: Option<String>,
}

impl Challenge {
    /// The best challenge of these headers that is understood: a token rather than a password.
    pub(crate) fn of<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let all: Vec<Self> = headers.into_iter().flat_map(Self::parse).collect();
        let bearer = all.iter().find(|challenge| matches!(challenge, Self::Bearer(_)));
        bearer.or(all.first()).cloned()
    }

    /// Every challenge of one header that is understood.
    fn parse(header: &str) -> Vec<Self> {
        let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
        for part in split(header) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            // A name that follows a scheme after a space begins a new challenge: `Bearer realm=...`.
            let name = match name.trim().rsplit_once(char::is_whitespace) {
                Some((scheme, name)) => {
                    found.push((scheme.trim().to_owned(), Vec::new()));
                    name
                }
                None if value.is_empty() => {
                    found.push((name.trim().to_owned(), Vec::new()));
                    continue;
                }
                None => name.trim(),
            };
            if let Some((_, parameters)) = found.last_mut() {
                parameters.push((name.to_ascii_lowercase(), unquote(value.trim())));
            }
        }
        found
            .into_iter()
            .filter_map(|(scheme, parameters)| Self::of_scheme(&scheme, parameters))
            .collect()
    }

    fn of_scheme(scheme: &str, parameters: Vec<(String, String)>) -> Option<Self> {
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut bearer = Bearer { realm: String::new(), service: None, scope: None };
        for (name, value) in parameters {
            match name.as_str() {
                "realm" => bearer.realm = value,
                "service" => bearer.service = Some(value),
                "scope" => bearer.scope = Some(value),
                _ => {}
            }
        }
        (!bearer.realm.is_empty()).then_some(Self::Bearer(bearer))
    }
}

/// Splits at commas that are not within quotes.
fn split(header: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in header.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&header[start..]);
    parts
}

/// A token, or a quoted string with its backslashes resolved (RFC 9110 §5.6.4).
fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let (mut text, mut escaped) = (String::new(), false);
    for letter in inner.chars() {
        if letter == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(letter);
            escaped = false;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer(Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }))
    }

    #[test]
    fn commas_within_quotes_belong_to_a_scope() {
        let header =
            r#"Bearer realm="https://a.b/token",service="a.b",scope="repository:x:pull,push""#;
        assert_eq!(
            Challenge::of([header]),
            bearer("https://a.b/token", Some("a.b"), Some("repository:x:pull,push"))
        );
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let bearer = bearer("https://a.b", None, None);
        assert_eq!(Challenge::of([r#"Basic realm="x", Bearer realm="https://a.b""#]), bearer);
        assert_eq!(Challenge::of([r#"Basic realm="x""#, r#"bearer Realm=https://a.b"#]), bearer);
        assert_eq!(Challenge::of([r#"BASIC realm="x, y""#]), Some(Challenge::Basic));
        assert_eq!(Challenge::of(["Basic"]), Some(Challenge::Basic));
    }

    #[test]
    fn what_is_not_understood_is_no_challenge() {
        for header in
            ["", ",", "Negotiate", "Bearer", r#"Bearer service="x""#, "=", "\"", "Digest a=\"b"]
        {
            assert_eq!(Challenge::of([header]), None, "{header}");
        }
    }
}
