//! From token to certificate, step by step.

use crypto::random_array;
use jiff::{SignedDuration, Timestamp};
use pki::fulcio::LeafContents;
use pki::issue::{LeafRequest, Precertificate, Serial, Validity};
use pki::sct::{Sct, VerifiedSct};

use super::issuer::{Identity, IdentityError};
use super::key_source::IssuerAddress;
use super::log::PrecertificateChain;
use super::proof::ProvenKey;
use super::refusal::{IssueError, SctRefusal};
use super::token::UnverifiedToken;
use super::{CertificateAuthority, CertificateRequest, IssuedCertificate};

/// How long a certificate is valid: time enough to sign once.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// How far a log's clock may be from ours. Clients refuse timestamps from their future.
const MAX_LOG_SKEW: SignedDuration = SignedDuration::from_mins(1);

impl CertificateAuthority {
    /// Issues a certificate: checks the token, the proof of possession, logs a precertificate, checks the
    /// log's answer, and signs the final certificate.
    ///
    /// # Errors
    ///
    /// See [`IssueError`]. Nothing is signed before the token and the proof have been checked.
    pub async fn issue(
        &self,
        request: CertificateRequest<'_>,
    ) -> Result<IssuedCertificate, IssueError> {
        let now = self.clock.now().map_err(IssueError::Clock)?;
        let identity = self.identify(request.token, now).await?;
        let key =
            ProvenKey::establish(&request.proof, &identity.challenge).map_err(IssueError::Proof)?;
        let contents = identity.contents.map_err(IssueError::Contents)?;
        let precertificate = self.precertificate(&key, &contents, now)?;
        let sct = self.log(&precertificate).await?;
        let certificate = precertificate.finish(&sct).map_err(IssueError::Signing)?;
        let mut chain = vec![certificate.to_pem()];
        chain.extend_from_slice(&self.chain);
        Ok(IssuedCertificate { chain })
    }

    /// Who the token's holder is, if the token is genuine and for us.
    async fn identify(&self, token: &str, now: Timestamp) -> Result<Identity, IssueError> {
        let token = UnverifiedToken::parse(token).map_err(IssueError::Token)?;
        let url = token.claimed_issuer();
        let found = self
            .config
            .find(url)
            .ok_or_else(|| IssueError::UnknownIssuer { issuer: url.to_owned() })?;
        let issuer = found.issuer;
        let issuer_type = issuer.issuer_type.ok_or_else(|| {
            let type_name = issuer.type_name().to_owned();
            IssueError::Identity(IdentityError::UnsupportedType { type_name })
        })?;
        let address = IssuerAddress {
            url: url.to_owned(),
            known: found.known,
            ca_certificates: issuer.ca_certificates.clone(),
        };
        let keys = self.keys.keys(&address, token.key_id()).await.map_err(IssueError::Keys)?;
        let token = token.verify(&keys, &issuer.audience, now).map_err(IssueError::Token)?;
        issuer_type.identify(&token, issuer).map_err(IssueError::Identity)
    }

    fn precertificate(
        &self,
        key: &ProvenKey,
        contents: &LeafContents,
        now: Timestamp,
    ) -> Result<Precertificate, IssueError> {
        let serial = Serial::from_random(random_array());
        let request = LeafRequest {
            key: key.key(),
            contents,
            serial,
            validity: Validity::starting(now, LIFETIME),
        };
        // An intent record before anything is signed (invariant I5): whatever happens next, it is known that
        // this serial number may exist. It names nobody; the certificate itself will be in the CT log.
        tracing::info!(
            %serial,
            key = hex::encode(key.key().id()),
            not_before = %now,
            "a certificate is about to be signed"
        );
        self.issuer.precertificate(&request).map_err(IssueError::Signing)
    }

    /// Logs the precertificate, and checks what the log says.
    async fn log(&self, precertificate: &Precertificate) -> Result<VerifiedSct, IssueError> {
        let chain = PrecertificateChain {
            precertificate: precertificate.certificate().der(),
            issuers: &self.issuers,
        };
        let answer = self.log.submit(chain).await.map_err(IssueError::Log)?;
        let now = self.clock.now().map_err(IssueError::Clock)?;
        self.check_sct(&answer, precertificate, now).map_err(IssueError::Sct)
    }

    /// Whether clients will accept the log's timestamp: by the known key, over this certificate, of now.
    fn check_sct(
        &self,
        answer: &[u8],
        precertificate: &Precertificate,
        now: Timestamp,
    ) -> Result<VerifiedSct, SctRefusal> {
        let sct = Sct::decode(answer).map_err(SctRefusal::Malformed)?;
        if sct.log_id != self.log_key.id() {
            return Err(SctRefusal::OtherLog { found: sct.log_id });
        }
        let verified =
            sct.verify(precertificate.entry(), &self.log_key).map_err(SctRefusal::Signature)?;
        let skew = now.duration_since(verified.time).abs();
        if skew > MAX_LOG_SKEW {
            return Err(SctRefusal::Time { time: verified.time, now });
        }
        Ok(verified)
    }
}
