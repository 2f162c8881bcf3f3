//! Signing in with a password.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::password::MAX_PASSWORD;
use super::user::Account;
use super::{IdentityProvider, UserFileError, lock};
use crate::clock::ClockError;

/// Proof that somebody gave the right password, now or when the session began.
#[derive(Clone, Debug)]
pub struct SignedIn {
    account: Arc<Account>,
    at: Timestamp,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The person's to fix. Nothing says whether the address exists.
    #[error("the e-mail address or the password is wrong")]
    Wrong,
    /// The person's to repeat, later.
    #[error("there were too many attempts")]
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The person's to repeat: many sign in at once.
    #[error("too many people are signing in")]
    Busy,
    /// The operator's to fix.
    #[error("the users cannot be read")]
    Users(#[source] UserFileError),
    /// The operator's to fix.
    #[error("there is no time to be had")]
    Clock(#[source] ClockError),
}

impl SignedIn {
    pub(super) const fn new(account: Arc<Account>, at: Timestamp) -> Self {
        Self { account, at }
    }

    /// Who signed in: the e-mail address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.account.email
    }

    /// Who signed in: the subject of the tokens.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.account.id
    }

    /// When the password was given.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }
}

impl IdentityProvider {
    /// Signs somebody in who comes from `address`.
    ///
    /// The attempt is counted before the password is looked at, and taken back when it was right, so that many attempts at
    /// the same time are no way around the throttle.
    ///
    /// # Errors
    ///
    /// See [`SignInError`].
    pub async fn sign_in(
        &self,
        address: IpAddr,
        email: &str,
        password: Zeroizing<String>,
    ) -> Result<SignedIn, SignInError> {
        let now = self.clock.now().map_err(SignInError::Clock)?;
        let email = email.trim();
        if let Err(throttled) = lock(&self.throttles).attempt(now, email, address) {
            let retry_after = throttled.retry_after;
            tracing::warn!(target: "audit", event = "sign-in", outcome = "throttled", %address);
            return Err(SignInError::Throttled { retry_after });
        }
        let account = self.users.find(email).map_err(SignInError::Users)?;
        if password.len() > MAX_PASSWORD {
            return Err(SignInError::Wrong);
        }
        let hash = account.as_ref().map(|account| account.password.clone());
        let right = self.hasher.verify(password, hash).await.map_err(|_| SignInError::Busy)?;
        match account {
            Some(account) if right => {
                lock(&self.throttles).succeed(email, address);
                tracing::info!(target: "audit", event = "sign-in", outcome = "yes", user = account.id, %address);
                Ok(SignedIn::new(account, now))
            }
            account => {
                let user = account.map(|account| account.id.clone());
                tracing::warn!(target: "audit", event = "sign-in", outcome = "no", user, %address);
                Err(SignInError::Wrong)
            }
        }
    }
}
