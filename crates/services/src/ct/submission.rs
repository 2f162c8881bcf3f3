//! Judging what is submitted: RFC 6962 §3.1 and §4.1, as a log of code-signing certificates reads it.
//!
//! Expired certificates are taken, and unknown critical extensions: the log records what was issued, and a
//! repeat may come late.

use pki::chain::{PathError, Purpose, check_order};
use pki::sct::{Entry, EntryError, is_precertificate};
use pki::{Certificate, CertificateError, MAX_CERTIFICATE};

/// The longest chain, the leaf included: Fulcio's have three certificates.
const MAX_CHAIN: usize = 10;
/// The most bytes of a chain, as TesseraCT has it.
const MAX_CHAIN_BYTES: usize = 512 << 10;

/// Which of the two endpoints of RFC 6962 a chain was sent to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// `add-chain`, for certificates.
    AddChain,
    /// `add-pre-chain`, for precertificates.
    AddPreChain,
}

/// Why a chain is not admitted. The submitter's to fix.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SubmissionError {
    /// There is no certificate.
    #[error("the chain is empty")]
    Empty,
    /// There are more certificates, or more bytes, than are read.
    #[error("the chain has more than {MAX_CHAIN} certificates or {MAX_CHAIN_BYTES} bytes")]
    TooLong,
    /// A certificate cannot be read.
    #[error("certificate {position} (from 0) of the chain cannot be read")]
    Certificate {
        /// Which, from 0.
        position: usize,
        /// Why.
        #[source]
        source: CertificateError,
    },
    /// A precertificate was sent to `add-chain`, or a certificate to `add-pre-chain`.
    #[error("certificates go to add-chain, precertificates to add-pre-chain")]
    WrongEndpoint,
    /// The poison is not critical or not `NULL`, or there are SCTs in a precertificate.
    #[error("the precertificate is malformed")]
    Entry(#[source] EntryError),
    /// The certificate is not one for signing code.
    #[error("the certificate is not for code signing")]
    Purpose,
    /// The chain does not hold together, or not in its order.
    #[error("the chain does not hold together")]
    Chain(#[source] PathError),
    /// A certificate was not signed with the key of the next.
    #[error("certificate {position} (from 0) of the chain was not signed by the next")]
    Signature {
        /// Which, from 0.
        position: usize,
    },
    /// The chain ends at a root that is not accepted.
    #[error("the chain does not lead to an accepted root")]
    UnknownRoot,
}

/// Takes the leaf from the issuers.
pub(super) fn split(chain: &[Vec<u8>]) -> Result<(&[u8], &[Vec<u8>]), SubmissionError> {
    let (leaf, issuers) = chain.split_first().ok_or(SubmissionError::Empty)?;
    let bytes: usize = chain.iter().map(Vec::len).sum();
    if chain.len() > MAX_CHAIN || bytes > MAX_CHAIN_BYTES || leaf.len() > MAX_CERTIFICATE {
        return Err(SubmissionError::TooLong);
    }
    Ok((leaf, issuers))
}

/// Reads the leaf and judges what can be judged of it alone.
pub(super) fn read_leaf(endpoint: Endpoint, der: &[u8]) -> Result<Certificate, SubmissionError> {
    let leaf = read(0, der)?;
    let is_precertificate = is_precertificate(&leaf).map_err(SubmissionError::Entry)?;
    if is_precertificate != (endpoint == Endpoint::AddPreChain) {
        return Err(SubmissionError::WrongEndpoint);
    }
    let purposes = leaf.extended_key_usage().unwrap_or_default();
    if leaf.is_ca() || !purposes.contains(&Purpose::CodeSigning.oid()) {
        return Err(SubmissionError::Purpose);
    }
    Ok(leaf)
}

fn read(position: usize, der: &[u8]) -> Result<Certificate, SubmissionError> {
    Certificate::from_der(der).map_err(|source| SubmissionError::Certificate { position, source })
}

/// Reads the issuers, checks the signature of each but the first link, and ends the chain with an accepted
/// root, which may be left out of what was sent.
pub(super) fn read_issuers(
    leaf: &Certificate,
    ders: &[Vec<u8>],
    roots: &[Certificate],
) -> Result<Vec<Certificate>, SubmissionError> {
    let mut issuers = ders
        .iter()
        .enumerate()
        .map(|(position, der)| read(position + 1, der))
        .collect::<Result<Vec<_>, _>>()?;
    for (position, pair) in issuers.windows(2).enumerate() {
        check_signature(position + 1, &pair[0], &pair[1])?;
    }
    let last = issuers.last().unwrap_or(leaf);
    if !roots.contains(last) {
        let signed = |root: &&Certificate| last.verify_signature(root.public_key()).is_ok();
        let of_its_name = roots.iter().filter(|root| root.subject_der() == last.issuer_der());
        let root = of_its_name.clone().find(signed).ok_or(SubmissionError::UnknownRoot)?;
        issuers.push(root.clone());
    }
    Ok(issuers)
}

fn check_signature(
    position: usize,
    subject: &Certificate,
    issuer: &Certificate,
) -> Result<(), SubmissionError> {
    subject
        .verify_signature(issuer.public_key())
        .map_err(|_| SubmissionError::Signature { position })
}

/// Judges the whole chain, whose issuers are known to be signed by one another, and makes the entry.
pub(super) fn judge(
    endpoint: Endpoint,
    leaf: &Certificate,
    issuers: &[Certificate],
) -> Result<Entry, SubmissionError> {
    let issuer = issuers.first().ok_or(SubmissionError::UnknownRoot)?;
    let chain: Vec<Certificate> = std::iter::once(leaf).chain(issuers).cloned().collect();
    check_order(&chain, Purpose::CodeSigning).map_err(SubmissionError::Chain)?;
    check_signature(0, leaf, issuer)?;
    match endpoint {
        Endpoint::AddChain => Ok(Entry::X509(leaf.der().to_vec())),
        Endpoint::AddPreChain => {
            Entry::of_precertificate(leaf, issuer).map_err(SubmissionError::Entry)
        }
    }
}
