//! Signing in with another device (RFC 8628).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::code::Challenge;
use super::throttle::address_key;
use super::{IdentityProvider, SignedIn, TokenError, lock};
use crate::clock::ClockError;

/// How long a person has.
const LIFETIME: Duration = Duration::from_mins(10);

/// How long a device is remembered after that, so that it is told `expired_token`.
const REMEMBERED: Duration = Duration::from_mins(5);

/// How long a device waits between questions at first (RFC 8628 §3.5), and by how much longer after each one that came
/// too early.
const INTERVAL: Duration = Duration::from_secs(5);

/// Questions that come earlier by less than this are no fault of the device: the network is not even.
const TOLERANCE: Duration = Duration::from_millis(500);

/// How many devices may wait.
const CAPACITY: usize = 4096;

/// How many of them may be of one address. Anybody can begin; one address shall not fill the table.
const PER_ADDRESS: usize = 64;

/// The letters of user codes (RFC 8628 §6.1): no vowels, so that no words come about. Eight of them make 34 bits.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// What a device gets.
pub(super) type Started = wire::oidc::DeviceAuthorization;

/// A device that waits, for the person who is asked about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WaitingDevice {
    /// From where it asked.
    pub address: IpAddr,
    /// How long ago.
    pub since: Duration,
}

/// Why a device cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartDeviceError {
    /// The challenge is not one of S256.
    #[error("code_challenge is not the SHA-256 of anything")]
    Challenge,
    /// Too many wait.
    #[error("too many devices wait for their sign-in")]
    Busy,
    /// The operator's to fix.
    #[error("there is no time to be had")]
    Clock(#[source] ClockError),
}

/// Why a user code is of no use. The person's to fix.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No device waits with this code, or not any more.
    #[error("no device waits with this code; it may have expired")]
    Unknown,
    /// Too many codes were tried.
    #[error("too many codes were tried")]
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The operator's to fix.
    #[error("there is no time to be had")]
    Clock(#[source] ClockError),
}

/// The devices that wait, by a hash of the device code.
pub(super) struct Devices {
    waiting: HashMap<[u8; 32], Device>,
    /// The hash of the device code by user code.
    by_user_code: HashMap<String, [u8; 32]>,
}

struct Device {
    user_code: String,
    address: IpAddr,
    challenge: Option<Challenge>,
    began: Timestamp,
    interval: Duration,
    asked: Option<Timestamp>,
    decision: Option<Decision>,
}

#[derive(Clone)]
enum Decision {
    Allowed(SignedIn),
    Denied,
}

impl Devices {
    pub(super) fn new() -> Self {
        Self { waiting: HashMap::new(), by_user_code: HashMap::new() }
    }

    /// Enters a device; `None` if there is no room. Gives device code and user code.
    fn begin(
        &mut self,
        now: Timestamp,
        address: IpAddr,
        challenge: Option<Challenge>,
    ) -> Option<(String, String)> {
        self.forget(now);
        let from_here = |device: &&Device| address_key(device.address) == address_key(address);
        if self.waiting.len() >= CAPACITY
            || self.waiting.values().filter(from_here).count() >= PER_ADDRESS
        {
            return None;
        }
        let device_code = URL_SAFE_NO_PAD.encode(crypto::random_array::<32>());
        let user_code =
            std::iter::repeat_with(user_code).find(|code| !self.by_user_code.contains_key(code))?;
        let key = crypto::sha256(device_code.as_bytes());
        self.by_user_code.insert(user_code.clone(), key);
        let device = Device {
            user_code: user_code.clone(),
            address,
            challenge,
            began: now,
            interval: INTERVAL,
            asked: None,
            decision: None,
        };
        self.waiting.insert(key, device);
        Some((device_code, user_code))
    }

    fn forget(&mut self, now: Timestamp) {
        let by_user_code = &mut self.by_user_code;
        self.waiting.retain(|_, device| {
            let remembered = device.began + LIFETIME + REMEMBERED > now;
            if !remembered {
                by_user_code.remove(&device.user_code);
            }
            remembered
        });
    }

    /// The device that waits for a decision with `user_code`.
    fn undecided(&mut self, now: Timestamp, user_code: &str) -> Option<&mut Device> {
        let key = self.by_user_code.get(&normalise(user_code)?)?;
        let device = self.waiting.get_mut(key)?;
        (device.began + LIFETIME > now && device.decision.is_none()).then_some(device)
    }

    /// What a device gets that asks for its token (RFC 8628 §3.5).
    pub(super) fn poll(
        &mut self,
        now: Timestamp,
        device_code: &str,
        verifier: Option<&str>,
    ) -> Result<SignedIn, TokenError> {
        let key = crypto::sha256(device_code.as_bytes());
        let device = self.waiting.get_mut(&key).ok_or(TokenError::InvalidGrant)?;
        if !device.is_asked_by(verifier) {
            return Err(TokenError::InvalidGrant);
        }
        if device.began + LIFETIME <= now {
            return Err(TokenError::ExpiredToken);
        }
        let Some(decision) = device.decision.clone() else { return Err(device.not_yet(now)) };
        let user_code = device.user_code.clone();
        self.waiting.remove(&key);
        self.by_user_code.remove(&user_code);
        match decision {
            Decision::Allowed(who) => Ok(who),
            Decision::Denied => Err(TokenError::AccessDenied),
        }
    }
}

impl Device {
    /// Whether the secret behind the challenge is given; without a challenge, whether none is.
    fn is_asked_by(&self, verifier: Option<&str>) -> bool {
        match (self.challenge, verifier) {
            (Some(challenge), Some(verifier)) => challenge.fits(verifier),
            (None, None) => true,
            _ => false,
        }
    }

    fn not_yet(&mut self, now: Timestamp) -> TokenError {
        let early = self.asked.is_some_and(|asked| asked + self.interval > now + TOLERANCE);
        self.asked = Some(now);
        if early {
            self.interval += INTERVAL;
            return TokenError::SlowDown;
        }
        TokenError::AuthorizationPending
    }
}

/// A new user code: `BDWP-HQPK`.
fn user_code() -> String {
    let mut letters = String::with_capacity(9);
    while letters.len() < 9 {
        if letters.len() == 4 {
            letters.push('-');
        }
        // 240 is the largest multiple of 20 in a byte: what is above would favour some letters.
        let [byte] = crypto::random_array();
        if byte < 240 {
            letters.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        }
    }
    letters
}

/// What a person typed, as it was shown: case and punctuation do not count (RFC 8628 §6.1).
fn normalise(typed: &str) -> Option<String> {
    if typed.len() > 64 {
        return None;
    }
    let letters: String = typed.chars().filter(char::is_ascii_alphabetic).collect();
    if letters.len() != 8 {
        return None;
    }
    let (first, second) = letters.split_at(4);
    Some(format!("{first}-{second}").to_ascii_uppercase())
}

impl IdentityProvider {
    /// Begins the sign-in of a device at `address`. `challenge` is PKCE's, method S256, if the device sends one.
    ///
    /// # Errors
    ///
    /// See [`StartDeviceError`].
    pub fn start_device(
        &self,
        address: IpAddr,
        challenge: Option<&str>,
    ) -> Result<Started, StartDeviceError> {
        let now = self.clock.now().map_err(StartDeviceError::Clock)?;
        let challenge = challenge
            .map(|text| Challenge::parse(text).ok_or(StartDeviceError::Challenge))
            .transpose()?;
        let (device_code, user_code) =
            lock(&self.devices).begin(now, address, challenge).ok_or(StartDeviceError::Busy)?;
        let verification_uri = format!("{}/device", self.issuer);
        Ok(Started {
            verification_uri_complete: Some(format!("{verification_uri}?user_code={user_code}")),
            device_code,
            user_code,
            verification_uri,
            expires_in: LIFETIME.as_secs(),
            interval: INTERVAL.as_secs(),
        })
    }

    /// The device that waits with `user_code`, for somebody who comes from `address`. Codes that are not there count as
    /// guesses.
    ///
    /// # Errors
    ///
    /// See [`DeviceError`].
    pub fn device(&self, address: IpAddr, user_code: &str) -> Result<WaitingDevice, DeviceError> {
        self.with_device(address, user_code, |now, device| WaitingDevice {
            address: device.address,
            since: Duration::try_from(now.duration_since(device.began)).unwrap_or_default(),
        })
    }

    /// Lets the device with `user_code` sign as `who`.
    ///
    /// # Errors
    ///
    /// See [`DeviceError`].
    pub fn allow_device(
        &self,
        address: IpAddr,
        user_code: &str,
        who: &SignedIn,
    ) -> Result<(), DeviceError> {
        self.with_device(address, user_code, |_, device| {
            device.decision = Some(Decision::Allowed(who.clone()));
        })?;
        tracing::info!(target: "audit", event = "device", outcome = "allowed", user = who.id(), %address);
        Ok(())
    }

    /// Tells the device with `user_code` no.
    ///
    /// # Errors
    ///
    /// See [`DeviceError`].
    pub fn deny_device(&self, address: IpAddr, user_code: &str) -> Result<(), DeviceError> {
        self.with_device(address, user_code, |_, device| device.decision = Some(Decision::Denied))?;
        tracing::info!(target: "audit", event = "device", outcome = "denied", %address);
        Ok(())
    }

    fn with_device<T>(
        &self,
        address: IpAddr,
        user_code: &str,
        then: impl FnOnce(Timestamp, &mut Device) -> T,
    ) -> Result<T, DeviceError> {
        let now = self.clock.now().map_err(DeviceError::Clock)?;
        let mut throttles = lock(&self.throttles);
        throttles
            .attempt_from(now, address)
            .map_err(|throttled| DeviceError::Throttled { retry_after: throttled.retry_after })?;
        let mut devices = lock(&self.devices);
        let device = devices.undecided(now, user_code).ok_or(DeviceError::Unknown)?;
        throttles.succeed_from(address);
        Ok(then(now, device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn user_codes_are_easy_to_type() {
        let code = user_code();
        assert_eq!(code.len(), 9);
        assert_eq!(normalise(&code), Some(code.clone()));
        assert_eq!(normalise(&code.to_lowercase().replace('-', " ")), Some(code));
        for typed in ["", "BDWPHQP", "BDWPHQPKX", "ÄDWPHQPK"] {
            assert_eq!(normalise(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_device_that_asks_too_often_is_slowed_down() {
        let mut devices = Devices::new();
        let (code, _) = devices.begin(at(0), HERE, None).unwrap();
        let mut poll = |second| devices.poll(at(second), &code, None).unwrap_err();
        assert!(matches!(poll(1), TokenError::AuthorizationPending));
        assert!(matches!(poll(2), TokenError::SlowDown));
        assert!(matches!(poll(8), TokenError::SlowDown));
        assert!(matches!(poll(23), TokenError::AuthorizationPending));
        assert!(matches!(poll(599), TokenError::AuthorizationPending));
        assert!(matches!(poll(600), TokenError::ExpiredToken));
    }

    #[test]
    fn one_address_does_not_fill_the_table_and_time_empties_it() {
        let mut devices = Devices::new();
        let begun = (0..1000).take_while(|_| devices.begin(at(0), HERE, None).is_some()).count();
        assert_eq!(begun, PER_ADDRESS);
        let other = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        devices.begin(at(0), other, None).unwrap();
        devices.begin(at(1000), HERE, None).unwrap();
        assert_eq!((devices.waiting.len(), devices.by_user_code.len()), (1, 1));
    }
}
