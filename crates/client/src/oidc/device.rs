//! Signing in with another device (RFC 8628), with PKCE.

use std::time::Duration;

use net::Retry;
use tokio::time::{Instant, sleep};
use wire::oidc::{DEVICE_GRANT, DeviceAuthorization};

use super::issuer::Issuer;
use super::secret::Pkce;
use super::{AcquireError, IdentityToken, Invitation, Person, SCOPE};

/// How much longer to wait after each `slow_down`: at least the five seconds of RFC 8628 §3.5.
const SLOWER: Duration = Duration::from_secs(10);

/// The shortest wait between questions, whatever the issuer says.
const SHORTEST: Duration = Duration::from_secs(1);

/// The longest time that is waited for a person, whatever the issuer says.
const LONGEST: Duration = Duration::from_mins(30);

pub(super) async fn sign_in(
    issuer: &Issuer<'_>,
    person: &dyn Person,
) -> Result<IdentityToken, AcquireError> {
    let pkce = Pkce::new();
    let begin = [
        ("client_id", issuer.client_id),
        ("scope", SCOPE),
        ("code_challenge", pkce.challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let answer = issuer.post(issuer.device_endpoint()?, &begin, Retry::NEVER).await?;
    let begun: DeviceAuthorization = issuer.read(&answer)?;

    let within = Duration::from_secs(begun.expires_in).min(LONGEST);
    let url = begun.verification_uri_complete.as_deref().unwrap_or(&begun.verification_uri);
    person.invite(&Invitation::Device { url, user_code: &begun.user_code, within });
    wait(issuer, &begun, &pkce, Instant::now() + within).await
}

/// Asks until there is an answer (RFC 8628 §3.4).
async fn wait(
    issuer: &Issuer<'_>,
    begun: &DeviceAuthorization,
    pkce: &Pkce,
    until: Instant,
) -> Result<IdentityToken, AcquireError> {
    let mut interval = Duration::from_secs(begun.interval).max(SHORTEST);
    let ask = [
        ("grant_type", DEVICE_GRANT),
        ("client_id", issuer.client_id),
        ("device_code", begun.device_code.as_str()),
        ("code_verifier", pkce.verifier.as_str()),
    ];
    loop {
        // A huge interval of the issuer's must not outlast what it gives us.
        if Instant::now() + interval.min(LONGEST) >= until {
            return Err(AcquireError::Expired);
        }
        sleep(interval).await;
        match issuer.ask_for_token(&ask).await {
            Err(AcquireError::Refused { error, .. }) if error == "authorization_pending" => {}
            Err(AcquireError::Refused { error, .. }) if error == "slow_down" => interval += SLOWER,
            Err(AcquireError::Refused { error, .. }) if error == "expired_token" => {
                return Err(AcquireError::Expired);
            }
            // RFC 8628 §3.5: after a timeout, ask less often.
            Err(AcquireError::Unreachable { .. }) => interval *= 2,
            outcome => return outcome,
        }
    }
}
