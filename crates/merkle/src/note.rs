//! Signed notes: a text, and lines that say who signed it (C2SP signed-note).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{KeyKind, PublicKey, SignatureError, sha256};

/// The longest note that is read. Room for [`MAX_SIGNATURES`] of the largest kind, ML-DSA-44.
pub const MAX_NOTE: usize = 256 * 1024;

/// The most signatures that are read. The specification asks verifiers to take at least 16.
pub const MAX_SIGNATURES: usize = 64;

/// What every signature line begins with: an em dash and a blank.
const MARK: &str = "\u{2014} ";

/// A text and its signatures. That it parses says nothing about who signed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// Whose key it says it is.
    pub name: String,
    /// The first bytes of the key's id, for finding the key.
    pub hint: [u8; 4],
    /// The signature itself; what it is, the key's type says.
    pub bytes: Vec<u8>,
}

/// Why bytes are no signed note.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoteError {
    /// More than [`MAX_NOTE`] bytes.
    #[error("the note is longer than {MAX_NOTE} bytes")]
    TooLong,
    /// Not UTF-8, or with control characters.
    #[error("the note has bytes that no text has")]
    NotText,
    /// No blank line between a text and at least one signature.
    #[error("the note has no signatures")]
    Unsigned,
    /// A line after the blank line is no signature line.
    #[error("line {line} of the signatures is not written as it must be")]
    Signature {
        /// Counted from one.
        line: usize,
    },
    /// More than [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
}

impl SignedNote {
    /// Reads a note.
    ///
    /// # Errors
    ///
    /// See [`NoteError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::NotText);
        }
        // The text may have blank lines of its own: the last one counts.
        let blank = note.rfind("\n\n").ok_or(NoteError::Unsigned)?;
        let (text, signatures) = (&note[..=blank], &note[blank + 2..]);
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Unsigned)?;
        if signatures.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = (1..)
            .zip(signatures.split('\n'))
            .map(|(line, text)| Signature::parse(text).ok_or(NoteError::Signature { line }))
            .collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// A note with `text`, which ends with a newline, and these signatures.
    #[must_use]
    pub const fn new(text: String, signatures: Vec<Signature>) -> Self {
        Self { text, signatures }
    }

    /// The text that is signed, with the newline at its end.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, also those of unknown keys, in their order.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The signatures that say they were made by `name` with the key whose id begins with `hint`.
    pub fn signatures_by<'a>(
        &'a self,
        name: &'a str,
        hint: [u8; 4],
    ) -> impl Iterator<Item = &'a Signature> {
        self.signatures.iter().filter(move |s| s.hint == hint && s.name == name)
    }
}

impl fmt::Display for SignedNote {
    /// Writes the note as it is served.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(MARK)?.split_once(' ')?;
        let decoded = STANDARD.decode(encoded).ok()?;
        let (hint, bytes) = decoded.split_first_chunk::<4>()?;
        let usable = is_name(name) && !bytes.is_empty();
        usable.then(|| Self { name: name.to_owned(), hint: *hint, bytes: bytes.to_vec() })
    }
}

impl fmt::Display for Signature {
    /// Writes the line, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([self.hint.as_slice(), &self.bytes].concat());
        write!(f, "{MARK}{} {encoded}", self.name)
    }
}

/// Whether `name` can be the name of a key: not empty, without blanks and plus signs.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// The id of a key. A signature line has its first four bytes; Rekor v2's `logId` has all.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct KeyId([u8; 32]);

/// Signature types of C2SP signed-note.
const ED25519: u8 = 0x01;
const RFC6962_TREE_HEAD: u8 = 0x05;
const UNREGISTERED: u8 = 0xff;

impl KeyId {
    /// The id that Rekor v2 gives `key` under `name`: for Ed25519 that of signed-note, for ECDSA the hash of the
    /// key alone, for RSA one of an unregistered type.
    #[must_use]
    pub fn for_key(name: &str, key: &PublicKey) -> Self {
        match key.kind() {
            KeyKind::Ed25519 => Self::named(name, &[&[ED25519], key.raw()]),
            KeyKind::Rsa { .. } => {
                Self::named(name, &[&[UNREGISTERED], b"PKIX-RSA-PKCS#1v1.5", key.spki_der()])
            }
            KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => Self::of_key(key),
        }
    }

    /// The hash of the `SubjectPublicKeyInfo`: what Rekor v1 uses for every key, and signed-note for ECDSA.
    #[must_use]
    pub fn of_key(key: &PublicKey) -> Self {
        Self(sha256(key.spki_der()))
    }

    /// The id of an RFC 6962 log under `name` (type 0x05, C2SP static-ct-api "Checkpoints"). `log_id` is the
    /// hash of its `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn of_rfc6962_log(name: &str, log_id: &[u8; 32]) -> Self {
        Self::named(name, &[&[RFC6962_TREE_HEAD], log_id])
    }

    fn named(name: &str, parts: &[&[u8]]) -> Self {
        Self(sha256(&[name.as_bytes(), b"\n", &parts.concat()].concat()))
    }

    /// All 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first four bytes, as signature lines have them.
    #[must_use]
    pub const fn hint(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.0;
        [a, b, c, d]
    }
}

/// A key whose signatures under notes are believed.
#[derive(Clone, Debug)]
pub struct Verifier {
    name: String,
    id: KeyId,
    key: PublicKey,
}

/// Why a note is not signed by a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VerifyNoteError {
    /// No line names the key.
    #[error("the note has no signature by this key")]
    Missing,
    /// A line names the key, and its signature does not hold.
    #[error("the note's signature by this key does not hold")]
    Wrong(#[source] SignatureError),
}

impl Verifier {
    /// A key that signs under `name` with the id of [`KeyId::for_key`].
    #[must_use]
    pub fn new(name: impl Into<String>, key: PublicKey) -> Self {
        let name = name.into();
        Self { id: KeyId::for_key(&name, &key), name, key }
    }

    /// A key that signs under `name` with an id of its own making, such as Rekor v1's [`KeyId::of_key`].
    #[must_use]
    pub fn with_id(name: impl Into<String>, id: KeyId, key: PublicKey) -> Self {
        Self { name: name.into(), id, key }
    }

    /// The id of the key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Checks that the note is signed by this key. Lines of other keys are passed over; every line that names
    /// this one must hold.
    ///
    /// # Errors
    ///
    /// See [`VerifyNoteError`].
    pub fn verify(&self, note: &SignedNote) -> Result<(), VerifyNoteError> {
        let mut signed = false;
        for signature in note.signatures_by(&self.name, self.id.hint()) {
            let scheme = crypto::Scheme::default_for(self.key.kind());
            self.key
                .verify_recurring(scheme, note.text().as_bytes(), &signature.bytes)
                .map_err(VerifyNoteError::Wrong)?;
            signed = true;
        }
        if signed { Ok(()) } else { Err(VerifyNoteError::Missing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::SigningKey;
    use proptest::prelude::*;

    /// A note like the example of the signed-note specification.
    const EXAMPLE: &str = "This is an example message.\n\n\u{2014} example.com/foo Hqc6mLMoJXQ74ylCJ+qjmmA9/jM0c3LPpjdUOK8LlrWbTx6mVI8UpZ6vrjEvlK9xGgbKLtwmBQlKEHkUVgyrAh6e4AU=\n";

    fn note(text: &str, key: &SigningKey, name: &str) -> SignedNote {
        let hint = KeyId::for_key(name, key.public_key()).hint();
        let bytes = key.sign(text.as_bytes()).unwrap();
        SignedNote::new(text.into(), vec![Signature { name: name.into(), hint, bytes }])
    }

    #[test]
    fn a_note_is_written_as_it_was_read() {
        let note = SignedNote::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(note.text(), "This is an example message.\n");
        assert_eq!(note.signatures()[0].name, "example.com/foo");
        assert_eq!(note.to_string(), EXAMPLE);
    }

    #[test]
    fn every_kind_of_key_signs_and_verifies() {
        for kind in [KeyKind::Ed25519, KeyKind::EcdsaP256, KeyKind::Rsa { bits: 2048 }] {
            let key = SigningKey::generate(kind).unwrap();
            let note = note("text\n", &key, "log.example");
            let again = SignedNote::parse(note.to_string().as_bytes()).unwrap();
            let verifier = Verifier::new("log.example", key.public_key().clone());
            verifier.verify(&again).unwrap();
            let other = Verifier::new("other.example", key.public_key().clone());
            assert_eq!(other.verify(&again), Err(VerifyNoteError::Missing));
        }
    }

    #[test]
    fn lines_of_unknown_keys_are_passed_over_even_sixteen_of_them() {
        let key = SigningKey::generate(KeyKind::Ed25519).unwrap();
        let mut signed = note("text\n", &key, "log.example");
        for n in 0..16 {
            let name = format!("witness{n}.example");
            signed.signatures.insert(0, Signature { name, hint: [n; 4], bytes: vec![n; 72] });
        }
        let again = SignedNote::parse(signed.to_string().as_bytes()).unwrap();
        Verifier::new("log.example", key.public_key().clone()).verify(&again).unwrap();
    }

    #[test]
    fn every_line_that_names_the_key_must_hold() {
        let key = SigningKey::generate(KeyKind::Ed25519).unwrap();
        let mut signed = note("text\n", &key, "log.example");
        let mut wrong = signed.signatures[0].clone();
        wrong.bytes[0] ^= 1;
        signed.signatures.push(wrong);
        let verifier = Verifier::new("log.example", key.public_key().clone());
        assert!(matches!(verifier.verify(&signed), Err(VerifyNoteError::Wrong(_))));
    }

    /// Four bytes are few: somebody can make a key with the hint of another.
    #[test]
    fn a_hint_that_two_keys_have_lets_neither_sign_for_the_other() {
        let key = || SigningKey::generate(KeyKind::Ed25519).unwrap();
        let (ours, other) = (key(), key());
        let verifier = Verifier::new("log.example", ours.public_key().clone());
        let good = note("text\n", &ours, "log.example");
        verifier.verify(&good).unwrap();
        let mut by_other = note("text\n", &other, "log.example").signatures[0].clone();
        by_other.hint = good.signatures[0].hint;
        let alone = SignedNote::new("text\n".into(), vec![by_other.clone()]);
        assert!(matches!(verifier.verify(&alone), Err(VerifyNoteError::Wrong(_))));
        let beside = SignedNote::new("text\n".into(), vec![by_other, good.signatures[0].clone()]);
        assert!(matches!(verifier.verify(&beside), Err(VerifyNoteError::Wrong(_))));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let many = format!("text\n\n{}", "\u{2014} a AAAAAAA=\n".repeat(MAX_SIGNATURES + 1));
        let refused = [
            ("text\n".to_owned(), NoteError::Unsigned),
            ("text\n\n".to_owned(), NoteError::Unsigned),
            (EXAMPLE.trim_end().to_owned(), NoteError::Unsigned),
            (EXAMPLE.replace('\u{2014}', "-"), NoteError::Signature { line: 1 }),
            (EXAMPLE.replace("com/foo", "com foo"), NoteError::Signature { line: 1 }),
            (EXAMPLE.replace("com/foo", "com+foo"), NoteError::Signature { line: 1 }),
            ("text\n\n\u{2014} a AAAAAA==\n".to_owned(), NoteError::Signature { line: 1 }),
            (EXAMPLE.replace("message", "mess\tage"), NoteError::NotText),
            (many, NoteError::TooManySignatures),
            ("x".repeat(MAX_NOTE + 1), NoteError::TooLong),
        ];
        for (text, error) in refused {
            assert_eq!(SignedNote::parse(text.as_bytes()), Err(error), "{text:.60}");
        }
        assert_eq!(SignedNote::parse(b"\xff\n\n"), Err(NoteError::NotText));
    }

    proptest! {
        #[test]
        fn reading_returns_and_writes_the_same(bytes in "(.|\n){0,40}\n\n(\u{2014} [a-z]{1,3} [A-Za-z0-9+/]{8,12}\n){1,3}") {
            if let Ok(note) = SignedNote::parse(bytes.as_bytes()) {
                prop_assert_eq!(note.to_string(), bytes);
            }
        }
    }
}
