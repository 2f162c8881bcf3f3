//! Browsers: the forms that they were shown, and the sessions of those who signed in.
//!
//! A browser has one cookie with a random value. Before a sign-in nothing is kept about it here: the token in a form
//! is a MAC over the cookie. A sign-in gives the browser another cookie, so that one which somebody else planted is
//! worth nothing, and that one is remembered.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

use super::expiring::Expiring;
use super::{IdentityProvider, SignedIn, lock};

/// How long a session lasts: a working day.
const LIFETIME: Duration = Duration::from_hours(10);

/// How many sessions are remembered; past it, the oldest ends.
const CAPACITY: usize = 10_000;

/// A browser, by its cookie.
#[derive(Clone)]
pub struct Browser([u8; 32]);

/// Proof that a form was filled in by the browser that it was shown to.
#[derive(Debug)]
pub struct OurForm(());

/// A form comes from elsewhere, or the browser has lost its cookie meanwhile.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the form was not shown to this browser, or too long ago")]
pub struct FormError;

impl Browser {
    /// A browser that has no cookie yet.
    #[must_use]
    pub fn new() -> Self {
        Self(crypto::random_array())
    }

    /// The browser whose cookie has this value; `None` if we gave out no such value.
    #[must_use]
    pub fn from_cookie(value: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok().map(Self)
    }

    /// The value of its cookie.
    #[must_use]
    pub fn cookie(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

pub(super) struct Sessions {
    /// Authenticates the tokens in forms; another one at each start.
    key: [u8; 32],
    /// By a hash of the cookie, so that memory holds nothing that opens a session.
    open: Mutex<Expiring<[u8; 32], SignedIn>>,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self { key: crypto::random_array(), open: Mutex::new(Expiring::new(CAPACITY)) }
    }

    fn form_token(&self, browser: &Browser) -> [u8; 32] {
        crypto::hmac_sha256(&self.key, &browser.0)
    }
}

impl IdentityProvider {
    /// What a form for `browser` must carry.
    #[must_use]
    pub fn form_token(&self, browser: &Browser) -> String {
        URL_SAFE_NO_PAD.encode(self.sessions.form_token(browser))
    }

    /// Checks that a form with `token` was shown to `browser`.
    ///
    /// # Errors
    ///
    /// [`FormError`].
    pub fn check_form(&self, browser: &Browser, token: &str) -> Result<OurForm, FormError> {
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| FormError)?;
        let ours = self.sessions.form_token(browser);
        if bool::from(token.as_slice().ct_eq(&ours)) { Ok(OurForm(())) } else { Err(FormError) }
    }

    /// Begins a session for somebody who has just signed in, in a browser that gets another cookie for it.
    #[must_use]
    pub fn open_session(&self, signed_in: &SignedIn) -> Browser {
        let browser = Browser::new();
        let (key, now) = (crypto::sha256(&browser.0), signed_in.at());
        let mut open = lock(&self.sessions.open);
        open.insert_over_oldest(now, key, signed_in.clone(), now + LIFETIME);
        browser
    }

    /// Who is signed in in `browser`. Somebody whose account was removed or whose password was changed is not.
    #[must_use]
    pub fn session(&self, browser: &Browser) -> Option<SignedIn> {
        let now = self.clock.now().ok()?;
        let signed_in =
            lock(&self.sessions.open).get_mut(now, &crypto::sha256(&browser.0))?.clone();
        let current = self.users.find(signed_in.email()).ok()??;
        let then = signed_in.account();
        (current.id == then.id && current.password == then.password).then_some(signed_in)
    }

    /// Ends the session of `browser`, if it has one.
    pub fn close_session(&self, browser: &Browser) {
        let any_time = Timestamp::UNIX_EPOCH;
        lock(&self.sessions.open).remove(any_time, &crypto::sha256(&browser.0));
    }
}
