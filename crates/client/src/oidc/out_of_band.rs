//! Signing in with a browser anywhere, which shows a code to copy.

use wire::oidc::OUT_OF_BAND;

use super::issuer::Issuer;
use super::{AcquireError, IdentityToken, Invitation, Person};

pub(super) async fn sign_in(
    issuer: &Issuer<'_>,
    person: &dyn Person,
) -> Result<IdentityToken, AcquireError> {
    let authorization = issuer.authorization(OUT_OF_BAND)?;
    person.invite(&Invitation::OutOfBand { url: &authorization.url });
    let code = person.ask_for_code().await.ok_or(AcquireError::NoCode)?;
    let code = code.trim();
    if code.is_empty() {
        return Err(AcquireError::NoCode);
    }
    issuer.redeem(&authorization, code).await
}
