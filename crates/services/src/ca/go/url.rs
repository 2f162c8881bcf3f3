//! `net/url`: a URL that was parsed and is written again.
//!
//! What comes out is what Go's `url.Parse(text).String()` gives: some characters are percent-encoded on the
//! way, most are left alone, nothing is resolved.

use std::net::Ipv6Addr;

use super::quote;

/// A URL in its parts, decoded as Go decodes them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::ca) struct Url {
    scheme: String,
    opaque: String,
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    omits_host: bool,
    path: Vec<u8>,
    /// The path as it was written, if that is not how it would be written.
    raw_path: Option<String>,
    forces_query: bool,
    query: String,
    fragment: Vec<u8>,
    raw_fragment: Option<String>,
}

/// Text is not a URL. Displayed as Go displays it, because clients are shown the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("parse {}: {reason}", quote(.text))]
pub(in crate::ca) struct UrlError {
    /// The text, or the part of it before the fragment.
    text: String,
    /// What is wrong, in Go's words.
    reason: String,
}

/// Which part of a URL a character stands in: each has characters of its own that need no encoding.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Path,
    UserInfo,
    Host,
    Zone,
    Fragment,
}

impl Url {
    /// Parses `text`, absolute or relative.
    pub(in crate::ca) fn parse(text: &str) -> Result<Self, UrlError> {
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Self::parse_without_fragment(before)
            .map_err(|reason| UrlError { text: before.to_owned(), reason })?;
        if !fragment.is_empty() {
            let failed = |reason| UrlError { text: text.to_owned(), reason };
            url.fragment = decode(fragment, Part::Fragment).map_err(failed)?;
            url.raw_fragment =
                (encode(&url.fragment, Part::Fragment) != fragment).then(|| fragment.to_owned());
        }
        Ok(url)
    }

    fn parse_without_fragment(text: &str) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if text == "*" {
            return Ok(Self { path: b"*".to_vec(), ..Self::default() });
        }
        let (scheme, rest) = split_scheme(text)?;
        let mut url = Self { scheme: scheme.to_ascii_lowercase(), ..Self::default() };
        let rest = url.take_query(rest);
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_owned();
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let path = url.take_authority(rest)?;
        url.path = decode(path, Part::Path)?;
        url.raw_path = (encode(&url.path, Part::Path) != path).then(|| path.to_owned());
        Ok(url)
    }

    fn take_query<'a>(&mut self, rest: &'a str) -> &'a str {
        let Some((before, query)) = rest.split_once('?') else { return rest };
        self.forces_query = query.is_empty();
        self.query = query.to_owned();
        before
    }

    fn take_authority<'a>(&mut self, rest: &'a str) -> Result<&'a str, String> {
        let has_scheme = !self.scheme.is_empty();
        if !rest.starts_with("//") || (!has_scheme && rest.starts_with("///")) {
            self.omits_host = has_scheme && rest.starts_with('/');
            return Ok(rest);
        }
        let rest = &rest[2..];
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        match authority.rsplit_once('@') {
            None => self.host = parse_host(authority)?,
            Some((user, host)) => {
                self.host = parse_host(host)?;
                self.user = Some(parse_user(user)?);
            }
        }
        Ok(path)
    }

    /// The scheme in lower case; empty if there is none.
    pub(in crate::ca) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host without port and without brackets, with its case.
    pub(in crate::ca) fn hostname(&self) -> String {
        let host = String::from_utf8_lossy(&self.host);
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &host,
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        bare.unwrap_or(host).to_owned()
    }

    /// The host with its port, decoded.
    pub(in crate::ca) fn host(&self) -> &[u8] {
        &self.host
    }
}

/// `URL.String`.
impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push(':');
        }
        if self.opaque.is_empty() {
            self.write_hierarchy(&mut text);
        } else {
            text.push_str(&self.opaque);
        }
        if self.forces_query || !self.query.is_empty() {
            text.push('?');
            text.push_str(&self.query);
        }
        if !self.fragment.is_empty() {
            text.push('#');
            text.push_str(&written(&self.fragment, self.raw_fragment.as_deref(), Part::Fragment));
        }
        f.write_str(&text)
    }
}

impl Url {
    fn write_hierarchy(&self, text: &mut String) {
        let has_authority = !self.host.is_empty() || self.user.is_some();
        if has_authority || (!self.scheme.is_empty() && !self.omits_host) {
            if has_authority || !self.path.is_empty() {
                text.push_str("//");
            }
            if let Some((name, password)) = &self.user {
                text.push_str(&encode(name, Part::UserInfo));
                if let Some(password) = password {
                    text.push(':');
                    text.push_str(&encode(password, Part::UserInfo));
                }
                text.push('@');
            }
            text.push_str(&encode(&self.host, Part::Host));
        }
        let path = written(&self.path, self.raw_path.as_deref(), Part::Path);
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            text.push('/');
        }
        // RFC 3986 §4.2: a relative path whose first segment has a colon would be read as a scheme.
        if text.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
            text.push_str("./");
        }
        text.push_str(&path);
    }
}

/// A part as it is written: as it was, if that is a valid way to write it.
fn written(decoded: &[u8], raw: Option<&str>, part: Part) -> String {
    if let Some(raw) = raw
        && is_validly_encoded(raw, part)
        && decode(raw, part).is_ok_and(|again| again == decoded)
    {
        return raw.to_owned();
    }
    if part == Part::Path && decoded == b"*" {
        return "*".to_owned();
    }
    encode(decoded, part)
}

fn is_validly_encoded(raw: &str, part: Part) -> bool {
    raw.bytes().all(|byte| b"!$&'()*+,;=:@[]%".contains(&byte) || !must_encode(byte, part))
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if position > 0 => {}
            b':' if position == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..position], &text[position + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

type UserInfo = (Vec<u8>, Option<Vec<u8>>);

fn parse_user(user: &str) -> Result<UserInfo, String> {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(is_valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    match user.split_once(':') {
        None => Ok((decode(user, Part::UserInfo)?, None)),
        Some((name, password)) => {
            Ok((decode(name, Part::UserInfo)?, Some(decode(password, Part::UserInfo)?)))
        }
    }
}

fn parse_host(host: &str) -> Result<Vec<u8>, String> {
    if let Some(open) = host.rfind('[') {
        return parse_ip_literal(host, open);
    }
    if let Some(colon) = host.rfind(':') {
        check_port(&host[colon..])?;
    }
    decode(host, Part::Host)
}

/// RFC 3986 §3.2.2 `IP-literal`, with the zone of RFC 6874.
fn parse_ip_literal(host: &str, open: usize) -> Result<Vec<u8>, String> {
    let close = host.rfind(']').ok_or("missing ']' in host")?;
    let port = &host[close + 1..];
    check_port(port)?;
    let inner = host.get(open + 1..close).ok_or("missing ']' in host")?;
    let (address, zone) =
        inner.find("%25").map_or((inner, ""), |zone| (&inner[..zone], &inner[zone..]));
    let address = decode(address, Part::Host)?;
    let zone = decode(zone, Part::Zone)?;
    let text = String::from_utf8_lossy(&address).into_owned();
    if text.parse::<Ipv6Addr>().is_err() {
        let reason = format!("unable to parse IP: ParseAddr({}): unable to parse IP", quote(&text));
        return Err(format!("invalid host: {reason}"));
    }
    Ok([b"[".as_slice(), &address, &zone, b"]", &decode(port, Part::Host)?].concat())
}

fn check_port(port: &str) -> Result<(), String> {
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        _ => Err(format!("invalid port {} after host", quote(port))),
    }
}

/// `unescape`: percent-decodes a part, refusing what may not stand in it.
fn decode(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let is_host = matches!(part, Part::Host | Part::Zone);
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        if byte != b'%' {
            if is_host && byte < 0x80 && must_encode(byte, part) {
                let character = char::from(byte).to_string();
                return Err(format!("invalid character {} in host name", quote(&character)));
            }
            decoded.push(byte);
            position += 1;
            continue;
        }
        let escape = &bytes[position..bytes.len().min(position + 3)];
        let bad = || format!("invalid URL escape {}", quote(&String::from_utf8_lossy(escape)));
        let value = escaped_byte(escape).ok_or_else(bad)?;
        // RFC 6874: in a host only bytes outside ASCII are percent-encoded, but for the zone's `%25`.
        let allowed = match part {
            Part::Host => value >= 0x80 || escape == b"%25",
            Part::Zone => escape == b"%25" || value == b' ' || !must_encode(value, Part::Host),
            Part::Path | Part::UserInfo | Part::Fragment => true,
        };
        if !allowed {
            return Err(bad());
        }
        decoded.push(value);
        position += 3;
    }
    Ok(decoded)
}

fn escaped_byte(escape: &[u8]) -> Option<u8> {
    let [_, high, low] = escape else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(*high)? << 4 | digit(*low)?)
}

/// `escape`: percent-encodes what must be encoded in a part.
fn encode(decoded: &[u8], part: Part) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(decoded.len());
    for &byte in decoded {
        if must_encode(byte, part) {
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        } else {
            text.push(char::from(byte));
        }
    }
    text
}

/// `shouldEscape`.
fn must_encode(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    match part {
        Part::Host | Part::Zone => !b"!$&'()*+,;=:[]<>\"".contains(&byte),
        Part::Path => !b"$&+,/:;=@".contains(&byte),
        Part::UserInfo => !b"$&+,;=".contains(&byte),
        Part::Fragment => !b"$&+,/:;=?@!()*".contains(&byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> String {
        Url::parse(text).unwrap().to_string()
    }

    #[test]
    fn the_host_name_has_neither_port_nor_brackets() {
        for (text, name) in [
            ("https://A.example:8443/x", "A.example"),
            ("https://[::1]:8080/x", "::1"),
            ("https://u:p@h/x", "h"),
            ("urn:a:b", ""),
        ] {
            assert_eq!(Url::parse(text).unwrap().hostname(), name);
        }
    }

    #[test]
    fn nothing_is_resolved_and_little_is_encoded() {
        assert_eq!(again("HTTPS://h//a/../b c#d#e"), "https://h//a/../b%20c#d%23e");
        assert_eq!(again("https://h/[a]%2f"), "https://h/[a]%2f");
        assert_eq!(again(""), "");
    }
}
