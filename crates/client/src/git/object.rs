//! Git objects as bytes: what was signed, and where the signature stands.
//!
//! The bytes are those of the object database. They are never taken apart and put together again: what git would read
//! differently from what was signed then cannot verify.

use std::str;

/// What kind of object was signed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
    /// What `git push --signed` says that it pushes.
    PushCertificate,
}

/// How the objects of a repository are named. It says which header holds a commit's signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ObjectFormat {
    /// By SHA-1.
    Sha1,
    /// By SHA-256.
    Sha256,
}

/// An object and its signature, apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parts {
    /// What was signed: the object's bytes without the signature.
    pub content: Content,
    /// The armored signature.
    pub signature: Vec<u8>,
}

/// What is, or is to be, signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    kind: ObjectKind,
    bytes: Vec<u8>,
}

/// Why an object has no signature that could be judged.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ObjectError {
    /// It has none.
    #[error("the object is not signed")]
    NotSigned,
    /// It is not a commit, a tag or a push certificate.
    #[error("it is not a commit, a tag or a push certificate")]
    Kind,
    /// A header of which there can be one comes twice, so that readers may differ in what the object says.
    #[error("the object has the header {0:?} twice")]
    RepeatedHeader(String),
    /// A header looks like that of a signature, and git leaves it out of what it verifies.
    #[error("the object has the header {0:?}, which nobody signs")]
    UnsignedHeader(String),
}

/// The headers that a commit or tag has once. What a lenient reader takes from the second one nobody else sees.
const SINGLE: &[&str] =
    &["tree", "author", "committer", "encoding", "object", "type", "tag", "tagger", "pusher"];

/// The first lines by which git knows signatures in tags.
const ARMORS: &[&[u8]] = &[
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SIGNED MESSAGE-----",
    b"-----BEGIN SSH SIGNATURE-----",
];

impl ObjectFormat {
    /// The header with the signature of a commit in a repository of this format.
    const fn header(self) -> &'static str {
        match self {
            Self::Sha1 => "gpgsig",
            Self::Sha256 => "gpgsig-sha256",
        }
    }
}

impl Content {
    /// Something that git gives to be signed, or to be verified beside a signature.
    ///
    /// # Errors
    ///
    /// [`ObjectError::Kind`], [`ObjectError::RepeatedHeader`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, ObjectError> {
        let kind = if bytes.starts_with(b"tree ") {
            ObjectKind::Commit
        } else if bytes.starts_with(b"object ") {
            ObjectKind::Tag
        } else if bytes.starts_with(b"certificate version ") {
            ObjectKind::PushCertificate
        } else {
            return Err(ObjectError::Kind);
        };
        let mut seen = Vec::new();
        for line in headers(&bytes) {
            let name = header_name(line);
            if SINGLE.contains(&name) {
                if seen.contains(&name) {
                    return Err(ObjectError::RepeatedHeader(name.to_owned()));
                }
                seen.push(name);
            }
        }
        Ok(Self { kind, bytes })
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name that a tag says it has.
    #[must_use]
    pub fn tag_name(&self) -> Option<&str> {
        let line = headers(&self.bytes).find(|line| header_name(line) == "tag")?;
        str::from_utf8(line.strip_prefix(b"tag ")?).ok()
    }

    /// The e-mail address of whoever says that they made it now: committer, tagger or pusher. Nobody checked it.
    #[must_use]
    pub fn maker(&self) -> Option<&str> {
        let line = headers(&self.bytes)
            .find(|line| ["committer", "tagger", "pusher"].contains(&header_name(line)))?;
        let (_, rest) = str::from_utf8(line).ok()?.rsplit_once('<')?;
        rest.split_once('>').map(|(address, _)| address)
    }
}

impl Parts {
    /// Takes a commit or tag apart as git does before it has a signature verified.
    ///
    /// # Errors
    ///
    /// See [`ObjectError`].
    pub fn of(object: &[u8], format: ObjectFormat) -> Result<Self, ObjectError> {
        let (bytes, signature) = if object.starts_with(b"tree ") {
            split_commit(object, format)?
        } else if object.starts_with(b"object ") {
            split_tag(object, format)?
        } else {
            return Err(ObjectError::Kind);
        };
        if signature.is_empty() {
            return Err(ObjectError::NotSigned);
        }
        Ok(Self { content: Content::new(bytes)?, signature })
    }
}

/// Content and signature.
type Split = (Vec<u8>, Vec<u8>);

/// A commit has its signature in a header, with a blank before each further line.
fn split_commit(object: &[u8], format: ObjectFormat) -> Result<Split, ObjectError> {
    let (head, body) = object.split_at(headers_end(object));
    let (mut content, mut signature) = (Vec::with_capacity(object.len()), Vec::new());
    let (mut inside, mut is_signed) = (Inside::Content, false);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if let Some(further) = line.strip_prefix(b" ") {
            match inside {
                Inside::Content => content.extend_from_slice(line),
                Inside::Signature => signature.extend_from_slice(further),
                Inside::OtherSignature => {}
            }
            continue;
        }
        let value;
        (inside, value) = Inside::of(line, format)?;
        match inside {
            Inside::Content => content.extend_from_slice(line),
            Inside::Signature if is_signed => {
                return Err(ObjectError::RepeatedHeader(format.header().to_owned()));
            }
            Inside::Signature => {
                is_signed = true;
                signature.extend_from_slice(value);
            }
            Inside::OtherSignature => {}
        }
    }
    content.extend_from_slice(body);
    Ok((content, signature))
}

/// Whose lines are being read.
#[derive(Clone, Copy)]
enum Inside {
    Content,
    Signature,
    /// The signature of the object's other form, in a repository that is being converted.
    OtherSignature,
}

impl Inside {
    /// Whose line it is, and what follows the header's name.
    fn of(line: &[u8], format: ObjectFormat) -> Result<(Self, &[u8]), ObjectError> {
        let name = header_name(line);
        if !name.starts_with("gpgsig") {
            return Ok((Self::Content, line));
        }
        // Git leaves out whatever begins so, and takes for a signature only what has a blank after the name.
        let value = line.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
        match (name, value) {
            (name, Some(value)) if name == format.header() => Ok((Self::Signature, value)),
            ("gpgsig" | "gpgsig-sha256", Some(value)) => Ok((Self::OtherSignature, value)),
            _ => Err(ObjectError::UnsignedHeader(name.to_owned())),
        }
    }
}

/// A tag has its signature at the end: from the last line that begins one.
fn split_tag(object: &[u8], format: ObjectFormat) -> Result<Split, ObjectError> {
    let mut start = object.len();
    let mut at = 0;
    for line in object.split_inclusive(|byte| *byte == b'\n') {
        if ARMORS.iter().any(|armor| line.starts_with(armor)) {
            start = at;
        }
        at += line.len();
    }
    let (content, signature) = object.split_at(start);
    // A tag's headers hold the signature of its other form only.
    let other = match format {
        ObjectFormat::Sha1 => ObjectFormat::Sha256,
        ObjectFormat::Sha256 => ObjectFormat::Sha1,
    };
    let (content, _) = split_commit(content, other)?;
    Ok((content, signature.to_vec()))
}

/// Where the headers end: at the first empty line.
fn headers_end(object: &[u8]) -> usize {
    let end = object.windows(2).position(|pair| pair == b"\n\n");
    end.map_or(object.len(), |newline| newline + 1)
}

/// The first lines of the headers.
fn headers(object: &[u8]) -> impl Iterator<Item = &[u8]> {
    let head = &object[..headers_end(object)];
    head.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b" "))
}

fn header_name(line: &[u8]) -> &str {
    let name = line.split(|byte| b" \n".contains(byte)).next().unwrap_or_default();
    str::from_utf8(name).unwrap_or_default()
}

/// Everything that is read of an object, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub fn fuzz(object: &[u8]) {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        if let Ok(parts) = Parts::of(object, format) {
            let _ = parts.content.maker();
            let _ = super::GitSignature::read(&parts.signature);
        }
    }
    let _ = super::GitSignature::read(object);
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "tree 1\nparent 2\nauthor A <a@example.com> 1 +0000\n\
        committer C <c@example.com> 1 +0000\ngpgsig -----BEGIN SIGNED MESSAGE-----\n AAAA\n \n \
        -----END SIGNED MESSAGE-----\nencoding UTF-8\n\nsubject\n\ngpgsig no header\n";

    fn split(object: &str) -> Result<(String, String), ObjectError> {
        let parts = Parts::of(object.as_bytes(), ObjectFormat::Sha1)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok((text(parts.content.bytes()), text(&parts.signature)))
    }

    #[test]
    fn a_commit_is_signed_without_its_signature_s_header() {
        let (content, signature) = split(COMMIT).unwrap();
        assert_eq!(
            content,
            "tree 1\nparent 2\nauthor A <a@example.com> 1 +0000\ncommitter C <c@example.com> 1 +0000\n\
             encoding UTF-8\n\nsubject\n\ngpgsig no header\n"
        );
        assert_eq!(
            signature,
            "-----BEGIN SIGNED MESSAGE-----\nAAAA\n\n-----END SIGNED MESSAGE-----\n"
        );
    }

    #[test]
    fn a_repository_of_sha_256_has_its_own_header() {
        let own = COMMIT.replacen("gpgsig", "gpgsig-sha256", 1);
        let parts = Parts::of(own.as_bytes(), ObjectFormat::Sha256).unwrap();
        assert_eq!(parts.content.bytes(), split(COMMIT).unwrap().0.as_bytes());
        assert_eq!(Parts::of(own.as_bytes(), ObjectFormat::Sha1), Err(ObjectError::NotSigned));
    }

    #[test]
    fn a_tag_is_signed_up_to_the_last_signature_in_it() {
        let tag = "object 1\ntype commit\ntag v1\ntagger T <t@example.com> 1 +0000\n\nv1\n\
            -----BEGIN SIGNED MESSAGE-----\nquoted\n-----BEGIN SIGNED MESSAGE-----\nAAAA\n";
        let (content, signature) = split(tag).unwrap();
        assert!(content.ends_with("\nquoted\n"));
        assert_eq!(signature, "-----BEGIN SIGNED MESSAGE-----\nAAAA\n");
        let content = Content::new(content.into_bytes()).unwrap();
        assert_eq!((content.kind(), content.maker()), (ObjectKind::Tag, Some("t@example.com")));
    }

    #[test]
    fn a_commit_with_a_header_twice_is_refused() {
        for header in ["tree", "author", "committer", "encoding"] {
            let again = COMMIT.replacen("\nparent 2", &format!("\nparent 2\n{header} x"), 1);
            let expected = ObjectError::RepeatedHeader(header.to_owned());
            assert_eq!(split(&again), Err(expected));
        }
        let two_parents = COMMIT.replacen("parent 2", "parent 2\nparent 3", 1);
        split(&two_parents).unwrap();
    }

    #[test]
    fn a_commit_with_two_signatures_is_refused() {
        let again = COMMIT.replacen("\nencoding", "\ngpgsig x\nencoding", 1);
        assert_eq!(split(&again), Err(ObjectError::RepeatedHeader("gpgsig".into())));
    }

    #[test]
    fn a_header_that_only_looks_like_a_signature_s_is_refused() {
        let hidden = COMMIT.replacen("\nencoding", "\ngpgsigned x\nencoding", 1);
        assert_eq!(split(&hidden), Err(ObjectError::UnsignedHeader("gpgsigned".into())));
    }

    #[test]
    fn a_header_that_ends_where_its_signature_should_begin_is_refused() {
        let head =
            "tree 1\nauthor A <a@example.com> 1 +0000\ncommitter C <c@example.com> 1 +0000\n";
        for (header, rest) in [("gpgsig", ""), ("gpgsig", "\n A\n\nm"), ("gpgsig-sha256", "")] {
            let refused = split(&format!("{head}{header}{rest}"));
            assert_eq!(refused, Err(ObjectError::UnsignedHeader(header.to_owned())));
        }
        // An empty signature is one, so that another is the second.
        let twice = format!("{head}gpgsig \ngpgsig x\n\nm");
        assert_eq!(split(&twice), Err(ObjectError::RepeatedHeader("gpgsig".to_owned())));
    }

    #[test]
    fn a_tag_says_its_name() {
        let tag = b"object 1\ntype commit\ntag v1\ntagger T <t@example.com> 1 +0000\n\nv1\n";
        assert_eq!(Content::new(tag.to_vec()).unwrap().tag_name(), Some("v1"));
    }

    #[test]
    fn only_what_git_signs_is_signed() {
        assert_eq!(Content::new(b"I owe you".to_vec()), Err(ObjectError::Kind));
        let push = b"certificate version 0.1\npusher P <p@example.com> 1 +0000\n\n".to_vec();
        let push = Content::new(push).unwrap();
        assert_eq!(push.kind(), ObjectKind::PushCertificate);
        assert_eq!(push.maker(), Some("p@example.com"));
    }
}
