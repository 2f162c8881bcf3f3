//! Fulcio's leaf certificates: the precertificate for the log, then the final certificate.
//!
//! Source: sigstore/fulcio, docs/certificate-specification.md.

use crypto::PublicKey;

use super::profile::{self, KEY_USAGE_SIGNATURE};
use super::{IssueError, Issuer, Serial, Validity};
use crate::asn1::tag;
use crate::fulcio::LeafContents;
use crate::sct::{self, Entry, VerifiedSct};
use crate::{Certificate, DistinguishedName, oid, signature};

/// What a leaf certificate is asked for.
#[derive(Clone, Copy, Debug)]
pub struct LeafRequest<'a> {
    /// The holder's key.
    pub key: &'a PublicKey,
    /// Who the holder is.
    pub contents: &'a LeafContents,
    /// Its serial number.
    pub serial: Serial,
    /// Its validity.
    pub validity: Validity,
}

/// A precertificate: signed, poisoned, and bound to the issuer that will sign the final certificate.
///
/// It is consumed by [`Precertificate::finish`], which asks for proof that a log has it.
pub struct Precertificate {
    certificate: Certificate,
    issuer: Issuer,
    entry: Entry,
}

impl Issuer {
    /// Makes and signs a precertificate (RFC 6962 §3.1).
    ///
    /// # Errors
    ///
    /// [`IssueError::San`], [`IssueError::OutlivesIssuer`], [`IssueError::Contents`], [`IssueError::Sign`].
    pub fn precertificate(&self, request: &LeafRequest<'_>) -> Result<Precertificate, IssueError> {
        let mut extensions = self.leaf_extensions(request.contents)?;
        extensions.push(profile::extension(oid::POISON, true, &[tag::NULL, 0]));
        let certificate = self.sign_leaf(request, &extensions)?;
        let entry = Entry::of_precertificate(&certificate, &self.certificate)
            .map_err(|_| IssueError::NotThePrecertificate)?;
        Ok(Precertificate { certificate, issuer: self.clone(), entry })
    }

    /// Makes a leaf certificate that no log knows: only for an authority that is configured without one.
    ///
    /// # Errors
    ///
    /// As [`Self::precertificate`].
    pub fn unlogged_certificate(
        &self,
        request: &LeafRequest<'_>,
    ) -> Result<Certificate, IssueError> {
        let extensions = self.leaf_extensions(request.contents)?;
        self.sign_leaf(request, &extensions)
    }

    /// The extensions of a leaf in their order, without poison and SCTs.
    fn leaf_extensions(&self, contents: &LeafContents) -> Result<Vec<Vec<u8>>, IssueError> {
        let mut extensions = vec![
            profile::key_usage(KEY_USAGE_SIGNATURE),
            profile::purpose(oid::CODE_SIGNING, false),
            self.authority_key_id(),
            profile::critical_san(&contents.san.extension_value()?),
        ];
        let fulcio = contents.extensions.iter();
        extensions.extend(fulcio.map(|(oid, value)| profile::extension(*oid, false, value)));
        Ok(extensions)
    }

    fn sign_leaf(
        &self,
        request: &LeafRequest<'_>,
        extensions: &[Vec<u8>],
    ) -> Result<Certificate, IssueError> {
        let subject = DistinguishedName::empty();
        self.sign(request.key, &subject, request.validity, request.serial, extensions)
    }
}

impl Precertificate {
    /// The precertificate itself, to be submitted with its chain.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Who issued it, and will issue the final certificate.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What a log signs. [`sct::Sct::verify`] over it gives what [`Self::finish`] asks for.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Makes the final certificate: the same without the poison, with one SCT at the end.
    ///
    /// All but the poison is taken from the precertificate byte for byte. What the log signed is then held
    /// against what the final certificate says, so that none leaves whose SCT is for something else.
    ///
    /// # Errors
    ///
    /// [`IssueError::NotThePrecertificate`], [`IssueError::Sign`].
    pub fn finish(self, sct: &VerifiedSct) -> Result<Certificate, IssueError> {
        let list = sct::list_extension_value(std::slice::from_ref(&sct.sct));
        let list = profile::extension(oid::SCT_LIST, false, &list);
        let tbs = self.certificate.tbs_replacing(oid::POISON, &list);
        let key = &self.issuer.key;
        let (scheme, algorithm) = signature::identifier(key.kind());
        let certificate = profile::sign(&tbs, scheme, &algorithm, key)?;
        match Entry::of_final(&certificate, &self.issuer.certificate) {
            Ok(entry) if entry == self.entry && entry == sct.entry => Ok(certificate),
            _ => Err(IssueError::NotThePrecertificate),
        }
    }
}
