//! The one client: `sigstore`, which is public and has no secret.

use wire::oidc::CLIENT_ID;

/// What a client says about itself to the token endpoint (RFC 6749 §2.3).
#[derive(Clone, Copy, Default)]
pub struct ClientCredentials<'a> {
    /// Name and secret of the `Authorization` header.
    pub basic: Option<(&'a str, &'a str)>,
    /// `client_id` of the form.
    pub id: Option<&'a str>,
    /// `client_secret` of the form.
    pub secret: Option<&'a str>,
}

/// Proof that the client is `sigstore`, as far as a public client can prove anything.
#[derive(Clone, Copy, Debug)]
pub struct PublicClient(());

/// The client is not one that we know. The client's to fix.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// Neither header nor form says which client it is, or they say different things.
    #[error("the request does not say which client it comes from")]
    Unnamed,
    /// There is one client, and this is another.
    #[error("there is no such client; use \"sigstore\"")]
    Unknown,
    /// A secret was sent, and the client has none.
    #[error("the client \"sigstore\" is public and has no secret")]
    Secret,
}

impl PublicClient {
    /// Recognises the client. Its secret is empty, whichever way it is sent: Python clients send an empty one by
    /// `Authorization: Basic`, others in the form, or none at all.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub fn recognise(credentials: ClientCredentials<'_>) -> Result<Self, ClientError> {
        let ClientCredentials { basic, id, secret } = credentials;
        let name = match (basic, id) {
            (Some((name, _)), Some(id)) if name == id => name,
            (Some((name, _)), None) => name,
            (None, Some(id)) => id,
            _ => return Err(ClientError::Unnamed),
        };
        if name != CLIENT_ID {
            return Err(ClientError::Unknown);
        }
        let secrets = [basic.map(|(_, secret)| secret), secret];
        if secrets.into_iter().flatten().any(|secret| !secret.is_empty()) {
            return Err(ClientError::Secret);
        }
        Ok(Self(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        basic: Option<(&str, &str)>,
        id: Option<&str>,
        secret: Option<&str>,
    ) -> Option<ClientError> {
        PublicClient::recognise(ClientCredentials { basic, id, secret }).err()
    }

    #[test]
    fn an_empty_secret_is_no_secret_however_it_is_sent() {
        assert_eq!(check(Some(("sigstore", "")), None, None), None);
        assert_eq!(check(Some(("sigstore", "")), Some("sigstore"), Some("")), None);
        assert_eq!(check(None, Some("sigstore"), Some("")), None);
        assert_eq!(check(None, Some("sigstore"), None), None);
    }

    #[test]
    fn other_clients_and_secrets_are_refused() {
        assert_eq!(check(None, None, None), Some(ClientError::Unnamed));
        assert_eq!(check(Some(("sigstore", "")), Some("other"), None), Some(ClientError::Unnamed));
        assert_eq!(check(None, Some("other"), None), Some(ClientError::Unknown));
        assert_eq!(check(Some(("sigstore", "x")), None, None), Some(ClientError::Secret));
        assert_eq!(check(None, Some("sigstore"), Some("x")), Some(ClientError::Secret));
    }
}
