//! What the certificate authority answers.

use serde::Serialize;

/// `SigningCertificate`: a certificate with its SCT inside.
///
/// The other form of the message, with the SCT beside the certificate, is refused by sigstore-java and
/// sigstore-python, and never written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningCertificate {
    /// The one form that is written.
    pub signed_certificate_embedded_sct: EmbeddedSct,
}

/// `SigningCertificateEmbeddedSCT`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct EmbeddedSct {
    /// The certificate, then its issuers.
    pub chain: CertificateChain,
}

impl SigningCertificate {
    /// The answer with a chain of PEM certificates, the leaf first, the root last, none with a newline at
    /// its end.
    #[must_use]
    pub fn new(certificates: Vec<String>) -> Self {
        let chain = CertificateChain { certificates };
        Self { signed_certificate_embedded_sct: EmbeddedSct { chain } }
    }
}

/// `CertificateChain`: PEM certificates.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CertificateChain {
    /// One text for each certificate.
    pub certificates: Vec<String>,
}

/// `TrustBundle`: the chains under which certificates are issued.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct TrustBundle {
    /// Each with the issuing certificate first and the root last, each certificate with a newline at its end.
    pub chains: Vec<CertificateChain>,
}

/// `Configuration`: whose tokens are taken.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Configuration {
    /// The issuers.
    pub issuers: Vec<OidcIssuer>,
}

/// `OIDCIssuer`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcIssuer {
    /// Its URL, or the pattern of its URLs.
    #[serde(flatten)]
    pub name: IssuerName,
    /// The client id that must be among a token's audiences.
    pub audience: String,
    /// The claim over which clients sign.
    pub challenge_claim: String,
    /// For SPIFFE only.
    pub spiffe_trust_domain: String,
    /// The type, such as `email`.
    pub issuer_type: String,
    /// For user names and URIs only.
    pub subject_domain: String,
    /// Whether addresses are taken that the issuer has not verified.
    pub skip_email_verification: bool,
}

/// How an issuer is named.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum IssuerName {
    /// By its URL.
    IssuerUrl(String),
    /// By a pattern.
    WildcardIssuerUrl(String),
}

impl IssuerName {
    /// The URL or the pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::IssuerUrl(text) | Self::WildcardIssuerUrl(text) => text,
        }
    }
}

/// `google.rpc.Status`: how the gateway says that something went wrong.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Status {
    /// A gRPC status code.
    pub code: u16,
    /// For people; clients print it.
    pub message: String,
    /// Always empty.
    pub details: [(); 0],
}

impl Status {
    /// A status without details.
    #[must_use]
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: [] }
    }
}
