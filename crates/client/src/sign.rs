//! Signing: the client specification's section on it, from top to bottom.
//!
//! ```text
//! token → ephemeral key → certificate → signature → timestamp → log entry → bundle → verified → yours
//! ```
//!
//! Services come from [`select`](crate::select), the token from [`oidc`](crate::oidc). A bundle leaves here only after
//! the ordinary verifier has accepted it, so that what a service answered is believed nowhere.

pub(crate) mod credential;
mod own;
#[cfg(test)]
mod secrecy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Digest, HashAlgorithm, KeyDetails, KeyKind, PublicKey, Scheme, SigningKey, sha256};
use futures_util::future::try_join_all;
use net::Client;
use pki::Certificate;
use verify::{Artifact, PolicyError, Verified, VerifyError, danger};
use wire::bundle::{
    Bundle, Content, MediaType, MessageSignature, TransparencyLogEntry, VerificationMaterial,
};
use wire::dsse::{self, Envelope, IN_TOTO, pae};
use wire::statement::{Statement, StatementError};
use wire::trusted_root::TrustedRoot;

use crate::fulcio::CertificateRequestError;
use crate::key_holder::{KeyError, KeyHolder};
use crate::oidc::IdentityToken;
use crate::rekor::{self, LogError, Submission};
use crate::select::{Log, SelectError, Services};
use crate::tsa::{self, TimestampError};
use credential::{Credential, Ready};
pub use own::{OwnCertificate, OwnCertificateError};

/// Signs artifacts and statements, as many as are wanted, at the same time if wanted.
///
/// In the name of a token, all of them share one key and certificate for as long as the certificate lasts.
pub struct Signer {
    services: Services,
    http: Client,
    trust: Arc<TrustedRoot>,
    credential: Credential,
    key_hint: KeyHint,
}

/// How a bundle that was signed with a key tells verifiers which key it was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyHint {
    /// Base64 of the SHA-256 of the key's DER, as in cosign.
    #[default]
    Der,
    /// Hexadecimal digits of the SHA-256 of the key's PEM: what verifiers of models compare (OpenSSF Model Signing).
    Pem,
}

impl KeyHint {
    fn of(self, key: &PublicKey) -> String {
        match self {
            Self::Der => STANDARD.encode(sha256(key.spki_der())),
            Self::Pem => hex::encode(sha256(key.to_pem().as_bytes())),
        }
    }
}

/// A bundle that the verifier has accepted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Signed {
    /// The bundle.
    pub bundle: Bundle,
    /// What the verifier found in it.
    pub verified: Verified,
    /// How long it took.
    pub timings: Timings,
}

/// How long the steps of one signing took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// The certificate; near zero where one was at hand.
    pub certificate: Duration,
    /// The timestamps.
    pub timestamp: Duration,
    /// The log entries.
    pub log: Duration,
    /// Verifying the finished bundle.
    pub verification: Duration,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The signing config names no certificate authority. Choose another, or sign with a key.
    #[error("the signing config has no certificate authority that can be used now")]
    NoCertificateAuthority,
    /// The services do not go together for signing with a certificate.
    #[error(transparent)]
    Services(#[from] SelectError),
    /// There is no certificate.
    #[error("no certificate could be had")]
    Certificate(#[from] CertificateRequestError),
    /// The certificate names nobody, so that nobody could ask for its signatures.
    #[error("the certificate names nobody")]
    Nameless,
    /// The certificate by an authority of one's own is no good. Nothing was signed.
    #[error(transparent)]
    OwnCertificate(#[from] OwnCertificateError),
    /// The key is of a kind that has no name in the Sigstore algorithm registry.
    #[error("keys of this kind are not used for signing artifacts")]
    KeyKind,
    /// The digest is not the one that the key signs.
    #[error("the key signs a {} digest, not {}", wanted.name(), found.name())]
    Digest {
        /// What [`Signer::hash_algorithm`] says.
        wanted: HashAlgorithm,
        /// What was given.
        found: HashAlgorithm,
    },
    /// Rekor v1 takes attestations over SHA-256 only, which these keys are not used with.
    #[error("Rekor v1 takes no attestations that are signed with a key of the kind {0}")]
    EnvelopeKey(KeyKind),
    /// The key cannot sign.
    #[error("the signature cannot be made")]
    Key(#[from] KeyError),
    /// What shall be signed is no in-toto statement.
    #[error("only in-toto statements can be signed as such")]
    Statement(#[from] StatementError),
    /// There is no timestamp. Nothing was logged.
    #[error("the signature could not be timestamped")]
    Timestamp(#[from] TimestampError),
    /// There is no log entry.
    #[error("the signature could not be logged")]
    Log(#[from] LogError),
    /// The services answered something that verifiers will not accept. The operator's to fix.
    #[error("the finished bundle does not verify, so it is not given out")]
    Unverifiable(#[from] VerifyError),
    /// A service that was used is not one that the trusted root names: the signing config and the trusted root do not
    /// belong together.
    #[error("the trusted root does not name {0} of the services that signed")]
    Untrusted(usize),
    /// The policy for our own identity means nothing.
    #[error("the signer's own identity cannot be expected")]
    Policy(#[from] PolicyError),
}

impl Signer {
    /// Signs in the name of `token`. Nothing is asked for before the first signature.
    ///
    /// # Errors
    ///
    /// [`SignError::NoCertificateAuthority`], [`SignError::Services`].
    pub fn keyless(
        services: Services,
        http: Client,
        trust: Arc<TrustedRoot>,
        token: IdentityToken,
    ) -> Result<Self, SignError> {
        services.check_times()?;
        let authority = services.ca.clone().ok_or(SignError::NoCertificateAuthority)?;
        let credential = Credential::keyless(authority, token);
        Ok(Self { services, http, trust, credential, key_hint: KeyHint::default() })
    }

    /// Signs with a key that verifiers have from elsewhere.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyKind`].
    pub fn with_key(
        services: Services,
        http: Client,
        trust: Arc<TrustedRoot>,
        key: SigningKey,
    ) -> Result<Self, SignError> {
        let credential = Credential::key(key)?;
        Ok(Self { services, http, trust, credential, key_hint: KeyHint::default() })
    }

    /// Hints at the key in another form.
    #[must_use]
    pub fn with_key_hint(mut self, key_hint: KeyHint) -> Self {
        self.key_hint = key_hint;
        self
    }

    /// Signs with a key for which an authority of one's own has issued a certificate.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyKind`], [`SignError::OwnCertificate`].
    pub fn with_own_certificate(
        services: Services,
        http: Client,
        trust: Arc<TrustedRoot>,
        key: SigningKey,
        certificate: &OwnCertificate,
    ) -> Result<Self, SignError> {
        let credential = Credential::own(key, certificate, &trust)?;
        Ok(Self { services, http, trust, credential, key_hint: KeyHint::default() })
    }

    /// Signs with a key that somebody else holds, in the name of whom the certificate for it names.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyKind`], [`SignError::Nameless`], [`SignError::Services`].
    pub fn certified(
        services: Services,
        http: Client,
        trust: Arc<TrustedRoot>,
        holder: Box<dyn KeyHolder>,
        certificate: Certificate,
    ) -> Result<Self, SignError> {
        services.check_times()?;
        let credential = Credential::certified(holder, certificate)?;
        Ok(Self { services, http, trust, credential, key_hint: KeyHint::default() })
    }

    /// The hash function of the digests to be given to [`Self::sign`].
    #[must_use]
    pub fn hash_algorithm(&self) -> HashAlgorithm {
        let (_, scheme) = self.credential.details().parts();
        // Every scheme that `KeyDetails::for_key` chooses signs a digest.
        scheme.hash().unwrap_or(HashAlgorithm::Sha256)
    }

    /// Signs the artifact with this digest.
    ///
    /// # Errors
    ///
    /// See [`SignError`].
    pub async fn sign(&self, digest: &Digest) -> Result<Signed, SignError> {
        if digest.algorithm() != self.hash_algorithm() {
            let (wanted, found) = (self.hash_algorithm(), digest.algorithm());
            return Err(SignError::Digest { wanted, found });
        }
        let started = Instant::now();
        let ready = self.ready().await?;
        let certificate = started.elapsed();

        let (_, scheme) = ready.details.parts();
        let signature = ready.key.sign_digest(scheme, digest)?;
        let content = Content::Message(MessageSignature { digest: Some(*digest), signature });
        self.finish(&ready, content, digest, digest, certificate).await
    }

    /// Signs a statement about artifacts, given as the JSON that is to be signed, byte for byte.
    ///
    /// # Errors
    ///
    /// See [`SignError`].
    pub async fn attest(&self, statement: Vec<u8>) -> Result<Signed, SignError> {
        let subject = some_digest(&Statement::parse(&statement)?)?;
        let started = Instant::now();
        let ready = self.ready().await?;
        let certificate = started.elapsed();

        let scheme = self.envelope_scheme(ready.details)?;
        let encoded = pae(IN_TOTO, &statement);
        let signature = ready.key.sign_with(scheme, &encoded)?;
        let digest = scheme.hash().unwrap_or(HashAlgorithm::Sha256).digest(&encoded);
        let content = Content::Dsse(Envelope {
            payload: statement,
            payload_type: IN_TOTO.to_owned(),
            // cosign knows keys by another hint here than beside the envelope, and takes none.
            signatures: vec![dsse::Signature { signature, key_id: String::new() }],
        });
        self.finish(&ready, content, &digest, &subject, certificate).await
    }

    /// Rekor v2 checks envelopes by the digest of their PAE, so that there Ed25519 is of the prehashed form, too. Rekor v1
    /// checks them as messages, with SHA-256 for all curves.
    fn envelope_scheme(&self, details: KeyDetails) -> Result<Scheme, SignError> {
        let (kind, scheme) = details.parts();
        let v1 = self.services.logs.iter().any(|log| matches!(log, Log::V1(_)));
        let v2 = self.services.logs.iter().any(|log| matches!(log, Log::V2(_)));
        match kind {
            KeyKind::EcdsaP384 | KeyKind::EcdsaP521 if v1 => Err(SignError::EnvelopeKey(kind)),
            _ if v2 => Ok(scheme),
            _ => Ok(Scheme::default_for(kind)),
        }
    }

    async fn ready(&self) -> Result<Arc<Ready>, SignError> {
        self.credential.ready(&self.http, &self.trust).await
    }

    /// Gathers the evidence for a signature: when, and in public. `digest` is what was signed, `artifact` what verifiers
    /// will ask for.
    async fn finish(
        &self,
        ready: &Ready,
        content: Content,
        digest: &Digest,
        artifact: &Digest,
        certificate: Duration,
    ) -> Result<Signed, SignError> {
        let started = Instant::now();
        // First the timestamps: a failure here leaves no entry without a bundle in the log.
        let timestamps = self.timestamps(content.signature()).await?;
        let timestamp = started.elapsed();

        let submission = Submission {
            content: &content,
            digest,
            details: ready.details,
            verifier: &ready.verifier,
        };
        let entries = self.entries(submission).await?;
        let log = started.elapsed() - timestamp;

        let material =
            VerificationMaterial { signer: ready.material(self.key_hint), entries, timestamps };
        let bundle = Bundle { media_type: MediaType::V0_3, material, content };
        let verified = self.verify(&bundle, artifact, ready)?;
        let verification = started.elapsed() - timestamp - log;
        Ok(Signed {
            bundle,
            verified,
            timings: Timings { certificate, timestamp, log, verification },
        })
    }

    async fn timestamps(&self, signature: &[u8]) -> Result<Vec<Vec<u8>>, TimestampError> {
        let authorities = self.services.timestamp_authorities.iter();
        try_join_all(authorities.map(|url| tsa::timestamp(&self.http, url, signature))).await
    }

    async fn entries(
        &self,
        submission: Submission<'_>,
    ) -> Result<Vec<TransparencyLogEntry>, LogError> {
        let logs = self.services.logs.iter();
        try_join_all(logs.map(|log| rekor::record(&self.http, log, submission))).await
    }

    /// Verifies as anybody will, with our own identity as the one expected.
    fn verify(
        &self,
        bundle: &Bundle,
        artifact: &Digest,
        ready: &Ready,
    ) -> Result<Verified, SignError> {
        let mut policy = ready.policy()?;
        // A private instance may have neither; its verifiers have to say so.
        if self.services.logs.is_empty() {
            policy = danger::ignore_transparency_logs(policy);
        }
        if self.trust.ctlogs.is_empty() {
            policy = danger::ignore_certificate_logs(policy);
        }
        let artifact = Artifact::from_digest(*artifact);
        let verified = verify::verify(&artifact, bundle, &policy, &self.trust)?;
        match verified.left_out.len() {
            0 => Ok(verified),
            unknown => Err(SignError::Untrusted(unknown)),
        }
    }
}

/// A digest by which the finished bundle can be verified.
fn some_digest(statement: &Statement) -> Result<Digest, SignError> {
    statement
        .subject
        .iter()
        .flat_map(|subject| &subject.digest)
        .find_map(|(name, digits)| {
            let bytes = hex::decode(digits).ok()?;
            Digest::new(HashAlgorithm::by_name(name)?, &bytes).ok()
        })
        .ok_or(SignError::Statement(StatementError::NoSubject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_must_have_a_digest_that_can_be_verified() {
        let statement = |digest: &str| {
            let text = format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{{digest}}}}}]}}"#
            );
            some_digest(&Statement::parse(text.as_bytes()).unwrap())
        };
        let sha256 = HashAlgorithm::Sha256.digest(b"");
        let named = format!(r#""md5":"00","sha256":"{}""#, sha256.to_hex());
        assert_eq!(statement(&named).unwrap(), sha256);
        statement(r#""md5":"00""#).unwrap_err();
        statement(r#""sha256":"00""#).unwrap_err();
    }
}
