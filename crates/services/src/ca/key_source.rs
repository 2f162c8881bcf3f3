//! Where the keys of token issuers come from.

/// Gives out the keys with which an issuer signs its tokens.
///
/// The identity provider of this process implements it directly, so that no request to oneself is needed;
/// other issuers are reached by OpenID Connect Discovery over HTTPS.
#[async_trait::async_trait]
pub trait KeySource: Send + Sync {
    /// The issuer's current keys.
    ///
    /// It is called rarely: [the cache](super::CertificateAuthority) above it joins concurrent calls,
    /// remembers failures and keeps a budget per issuer.
    ///
    /// # Errors
    ///
    /// See [`FetchKeysError`].
    async fn fetch(&self, issuer: &IssuerAddress) -> Result<FetchedKeys, FetchKeysError>;
}

/// Which issuer is asked, and how far to trust its address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuerAddress {
    /// The issuer's URL, as in the token's `iss`.
    pub url: String,
    /// How the issuer came to be known.
    pub known: KnownBy,
    /// PEM certificates to trust for its TLS beside the public ones (`ca-cert`).
    pub ca_certificates: Option<String>,
}

/// How an issuer came to be known, which decides where a fetch may go.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KnownBy {
    /// The operator wrote its URL: any address, and any `https` host for `jwks_uri`.
    ExactUrl,
    /// Its URL matches a pattern, and part of it was chosen by whoever made the token: public addresses
    /// only, `jwks_uri` on the same origin only (GHSA-59jp-pj84-45mr, GHSA-f5mr-q85p-6hh6).
    Pattern,
}

/// What an issuer says about its keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FetchedKeys {
    /// `id_token_signing_alg_values_supported` of its discovery document; empty if it has none.
    pub algorithms: Vec<String>,
    /// Its JWK set (RFC 7517 §5), as JSON.
    pub jwks: Vec<u8>,
}

/// Why an issuer's keys were not had. The operator's or the issuer's to fix.
#[derive(Debug, thiserror::Error)]
pub enum FetchKeysError {
    /// Nobody answers for this issuer, or not with success, or not in time.
    #[error("the issuer {issuer} cannot be reached")]
    Unreachable {
        /// The issuer's URL.
        issuer: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The discovery document is not one, or is another issuer's.
    #[error("the discovery document of {issuer} cannot be used: {reason}")]
    Discovery {
        /// The issuer's URL.
        issuer: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The document names a key address where no request may go.
    #[error("the keys of {issuer} are at {jwks_uri}, where no request may go")]
    ForbiddenAddress {
        /// The issuer's URL.
        issuer: String,
        /// The address that was refused.
        jwks_uri: String,
    },
}
