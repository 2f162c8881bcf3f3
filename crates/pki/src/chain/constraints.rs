//! Name constraints, RFC 5280 §4.2.1.10.

use std::net::IpAddr;

use crate::asn1::{DerError, Element, Reader, tag};
use crate::name::{EMAIL_ADDRESS, attributes, form, ia5};
use crate::{Certificate, GeneralName};

/// More subtrees than that are refused: each is held against each name.
const MAX_SUBTREES: usize = 256;

/// The subtrees that an authority may, and may not, issue names in.
pub(super) struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

/// The base of a `GeneralSubtree`.
enum Subtree {
    Email(String),
    Dns(String),
    Uri(String),
    /// Address and mask, of the same length.
    Ip(Vec<u8>, Vec<u8>),
    /// The contents of a `Name`: its sets one after the other.
    Directory(Vec<u8>),
    /// A form of name for which there are no rules: no name of this form is allowed.
    Unknown(u8),
}

impl NameConstraints {
    /// Reads the contents of the extension.
    pub(super) fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::only(der, tag::SEQUENCE)?;
        let permitted = subtrees(reader.optional(tag::constructed(0))?)?;
        let excluded = subtrees(reader.optional(tag::constructed(1))?)?;
        reader.finish()?;
        let count = permitted.len() + excluded.len();
        // "Conforming CAs MUST NOT issue certificates where name constraints is an empty sequence."
        if (1..=MAX_SUBTREES).contains(&count) {
            Ok(Self { permitted, excluded })
        } else {
            Err(DerError)
        }
    }

    /// Whether every name of the certificate is allowed: subject, its e-mail addresses (an old place for
    /// them), and alternative names.
    pub(super) fn allow(&self, certificate: &Certificate) -> bool {
        let attributes = attributes(certificate.subject_der()).unwrap_or_default();
        let addresses = attributes.iter().filter(|(oid, _)| *oid == EMAIL_ADDRESS);
        let mut names: Vec<_> =
            addresses.map(|(_, text)| GeneralName::Email(text.clone())).collect();
        if !attributes.is_empty() {
            names.push(GeneralName::Directory(certificate.subject_der().to_vec()));
        }
        names.iter().chain(certificate.sans()).all(|name| self.allows(name))
    }

    fn allows(&self, name: &GeneralName) -> bool {
        let form = name.form();
        let of_this_form = |subtree: &&Subtree| subtree.form() == form;
        let mut permitted = self.permitted.iter().filter(of_this_form).peekable();
        let is_permitted = permitted.peek().is_none()
            || permitted.any(|subtree| subtree.holds(name) == Some(true));
        // What cannot be decided is excluded.
        is_permitted
            && self
                .excluded
                .iter()
                .filter(of_this_form)
                .all(|subtree| subtree.holds(name) == Some(false))
    }
}

fn subtrees(list: Option<Element<'_>>) -> Result<Vec<Subtree>, DerError> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let mut reader = list.reader();
    let mut subtrees = Vec::new();
    while !reader.is_empty() && subtrees.len() <= MAX_SUBTREES {
        let mut subtree = reader.sequence()?;
        subtrees.push(Subtree::read(&subtree.any()?)?);
        // "minimum MUST be zero, and maximum MUST be absent"; DER leaves the zero out.
        subtree.finish()?;
    }
    Ok(subtrees)
}

impl Subtree {
    fn read(base: &Element<'_>) -> Result<Self, DerError> {
        let number = base.tag() & 0x1f;
        let content = base.content();
        match number {
            form::EMAIL => ia5(content).map(Self::Email),
            form::DNS => ia5(content).map(Self::Dns),
            form::URI => ia5(content).map(Self::Uri),
            form::IP if matches!(content.len(), 8 | 32) => {
                let (address, mask) = content.split_at(content.len() / 2);
                Ok(Self::Ip(address.to_vec(), mask.to_vec()))
            }
            form::DIRECTORY => {
                let mut inner = base.reader();
                let name = inner.expect(tag::SEQUENCE)?.content().to_vec();
                inner.finish()?;
                Ok(Self::Directory(name))
            }
            form::IP => Err(DerError),
            other => Ok(Self::Unknown(other)),
        }
    }

    const fn form(&self) -> u8 {
        match self {
            Self::Email(_) => form::EMAIL,
            Self::Dns(_) => form::DNS,
            Self::Uri(_) => form::URI,
            Self::Ip(..) => form::IP,
            Self::Directory(_) => form::DIRECTORY,
            Self::Unknown(form) => *form,
        }
    }

    /// Whether the name is in this subtree; `None` if that cannot be said.
    fn holds(&self, name: &GeneralName) -> Option<bool> {
        match (self, name) {
            (Self::Email(base), GeneralName::Email(address)) => email(base, address),
            (Self::Dns(base), GeneralName::Dns(host)) => Some(is_at_or_below(base, host)),
            (Self::Uri(base), GeneralName::Uri(uri)) => Some(host(base, uri_host(uri)?)),
            (Self::Ip(address, mask), GeneralName::Ip(ip)) => Some(ip_in(address, mask, *ip)),
            (Self::Directory(base), GeneralName::Directory(name)) => {
                Some(Reader::only(name, tag::SEQUENCE).is_ok_and(|_| {
                    // Sets are whole values, so a prefix of bytes is a prefix of sets.
                    content_of(name).is_some_and(|content| content.starts_with(base))
                }))
            }
            _ => None,
        }
    }
}

fn content_of(der: &[u8]) -> Option<&[u8]> {
    Reader::new(der).any().ok().map(|element| element.content())
}

/// A mailbox, all mailboxes of a host, or those of all hosts below a domain.
fn email(base: &str, address: &str) -> Option<bool> {
    let (local, at_host) = address.rsplit_once('@')?;
    Some(match base.rsplit_once('@') {
        Some((base_local, base_host)) => {
            base_local == local && base_host.eq_ignore_ascii_case(at_host)
        }
        None => host(base, at_host),
    })
}

/// A host, or with a leading dot any host below a domain.
fn host(base: &str, host: &str) -> bool {
    match base.strip_prefix('.') {
        Some(domain) => !domain.eq_ignore_ascii_case(host) && is_at_or_below(domain, host),
        None => base.eq_ignore_ascii_case(host),
    }
}

/// Whether `host` is `domain`, or that with labels in front. An empty domain holds everything.
fn is_at_or_below(domain: &str, host: &str) -> bool {
    let Some(start) = host.len().checked_sub(domain.len()) else { return false };
    let (labels, end) = host.split_at_checked(start).unwrap_or((host, ""));
    end.eq_ignore_ascii_case(domain)
        && (domain.is_empty() || labels.is_empty() || labels.ends_with('.'))
}

/// The host of a URI with an authority. An address in place of a host cannot be held against a name.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host_and_port.split(':').next()?;
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    (!host.is_empty() && !is_address).then_some(host)
}

fn ip_in(address: &[u8], mask: &[u8], ip: IpAddr) -> bool {
    let bytes = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    bytes.len() == address.len()
        && bytes.iter().zip(address).zip(mask).all(|((ip, base), mask)| ip & mask == base & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email_holds(base: &str, address: &str) -> Option<bool> {
        Subtree::Email(base.to_owned()).holds(&GeneralName::Email(address.to_owned()))
    }

    fn uri_holds(base: &str, uri: &str) -> Option<bool> {
        Subtree::Uri(base.to_owned()).holds(&GeneralName::Uri(uri.to_owned()))
    }

    #[test]
    fn an_email_constraint_is_a_mailbox_a_host_or_a_domain() {
        assert_eq!(email_holds("a@example.com", "a@EXAMPLE.com"), Some(true));
        assert_eq!(email_holds("a@example.com", "A@example.com"), Some(false));
        assert_eq!(email_holds("example.com", "a@example.com"), Some(true));
        assert_eq!(email_holds("example.com", "a@mail.example.com"), Some(false));
        assert_eq!(email_holds(".example.com", "a@mail.example.com"), Some(true));
        assert_eq!(email_holds(".example.com", "a@example.com"), Some(false));
        assert_eq!(email_holds("example.com", "a@b@example.com"), Some(true));
        assert_eq!(email_holds("example.com", "nobody"), None);
    }

    #[test]
    fn a_uri_constraint_is_held_against_the_host_only() {
        assert_eq!(uri_holds("github.com", "https://github.com/a/b@refs/heads/main"), Some(true));
        assert_eq!(uri_holds("github.com", "https://github.com:8443/"), Some(true));
        assert_eq!(uri_holds("github.com", "https://evil.example/@github.com"), Some(false));
        assert_eq!(uri_holds("github.com", "https://github.com@evil.example/"), Some(false));
        assert_eq!(uri_holds(".github.com", "https://x.github.com?a"), Some(true));
        assert_eq!(uri_holds("github.com", "https://[::1]/"), None);
        assert_eq!(uri_holds("github.com", "urn:x"), None);
    }

    #[test]
    fn a_host_constraint_ends_at_a_label() {
        assert!(is_at_or_below("example.com", "a.example.com"));
        assert!(is_at_or_below("example.com", "example.com"));
        assert!(!is_at_or_below("example.com", "badexample.com"));
        assert!(is_at_or_below("", "anything"));
    }

    #[test]
    fn what_cannot_be_decided_is_neither_permitted_nor_free_of_exclusion() {
        let uri = GeneralName::Uri("urn:x".to_owned());
        let subtree = || vec![Subtree::Uri("github.com".to_owned())];
        let permitted = NameConstraints { permitted: subtree(), excluded: vec![] };
        let excluded = NameConstraints { permitted: vec![], excluded: subtree() };
        assert!(!permitted.allows(&uri) && !excluded.allows(&uri));
        let other = GeneralName::FulcioOther("a!b".to_owned());
        assert!(permitted.allows(&other), "constraints bind names of their own form only");
        let unknown = NameConstraints { permitted: vec![Subtree::Unknown(0)], excluded: vec![] };
        assert!(!unknown.allows(&other));
    }
}
