//! Signing in with a browser on this machine (RFC 8252).

use std::time::Duration;

use net::Loopback;

use super::issuer::Issuer;
use super::{AcquireError, IdentityToken, Invitation, Person};

/// How long a person has.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The path that Sigstore clients use, in case an issuer has it registered.
const PATH: &str = "/auth/callback";

/// Signs in; `None` if no browser can be opened.
pub(super) async fn sign_in(
    issuer: &Issuer<'_>,
    person: &dyn Person,
) -> Result<Option<IdentityToken>, AcquireError> {
    let loopback = Loopback::bind(PATH).await.map_err(AcquireError::Browser)?;
    let authorization = issuer.authorization(&loopback.redirect_uri())?;
    if !person.open_browser(&authorization.url) {
        return Ok(None);
    }
    person.invite(&Invitation::Browser { url: &authorization.url });
    let callback =
        loopback.receive(&authorization.state, TIMEOUT).await.map_err(AcquireError::Browser)?;
    issuer.check_sender(callback.issuer)?;
    issuer.redeem(&authorization, &callback.code).await.map(Some)
}
