//! Devices without a browser (RFC 8628): they begin here, and people confirm them here.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use services::idp::{Browser, DeviceError, SignedIn, StartDeviceError, WaitingDevice};

use super::fields::Fields;
use super::page::{self, Asker, SignIn, TypeCode};
use super::token::{Refusal, answer, recognise};
use super::{Caller, Oidc, address, cookie};

/// The device authorization endpoint (RFC 8628 §3.1).
pub(super) async fn start(
    State(oidc): State<Arc<Oidc>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = Fields::parse(&body)?;
    recognise(&headers, &fields)?;
    let challenge = fields.get("code_challenge");
    if challenge.is_some() && fields.get("code_challenge_method") != Some("S256") {
        return Err(Refusal::invalid_request("only code_challenge_method=S256 is supported"));
    }
    match oidc.provider.start_device(address(caller), challenge) {
        Ok(started) => Ok(answer(StatusCode::OK, started)),
        Err(error @ StartDeviceError::Challenge) => {
            Err(Refusal::invalid_request(&error.to_string()))
        }
        Err(error @ (StartDeviceError::Busy | StartDeviceError::Clock(_))) => {
            Err(Refusal::unavailable(&error))
        }
    }
}

/// Shows the page on which a code is typed, or the one on which its device is confirmed.
pub(super) async fn show(
    State(oidc): State<Arc<Oidc>>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes()).ok();
    let Some(user_code) = fields.as_ref().and_then(|fields| fields.get("user_code")) else {
        return oidc.ask_for_code(StatusCode::OK, None);
    };
    let device = match oidc.provider.device(address(caller), user_code) {
        Ok(device) => device,
        Err(error) => return oidc.no_device(&error),
    };
    let browser = cookie::read(&headers, oidc.secure).unwrap_or_default();
    let session = oidc.provider.session(&browser);
    let form = Form { device, user_code, browser: &browser };
    form.show(&oidc, session.as_ref(), "", (StatusCode::OK, None))
}

/// Takes the form of that page.
pub(super) async fn decide(
    State(oidc): State<Arc<Oidc>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let from = address(caller);
    let (browser, mut fields, _ours) = match oidc.form(&headers, &body) {
        Ok(form) => form,
        Err(refusal) => return *refusal,
    };
    let user_code = fields.take("user_code");
    let device = match oidc.provider.device(from, &user_code) {
        Ok(device) => device,
        Err(error) => return oidc.no_device(&error),
    };
    let form = Form { device, user_code: &user_code, browser: &browser };
    match fields.get("action") {
        Some("cancel") => match oidc.provider.deny_device(from, &user_code) {
            Ok(()) => oidc.message(StatusCode::OK, "Denied", "The other device gets nothing."),
            Err(error) => oidc.no_device(&error),
        },
        Some("switch") => {
            oidc.provider.close_session(&browser);
            form.show(&oidc, None, "", (StatusCode::OK, None))
        }
        Some("continue") => match oidc.provider.session(&browser) {
            Some(who) => oidc.allow(from, &user_code, &who),
            None => form.show(&oidc, None, "", (StatusCode::OK, None)),
        },
        _ => {
            let (email, password) = (fields.take("email"), fields.take("password").into());
            match oidc.provider.sign_in(from, &email, password).await {
                Ok(who) => oidc.enter(oidc.allow(from, &user_code, &who), &who),
                Err(error) => {
                    let (status, problem) = page::sign_in_problem(&error);
                    form.show(&oidc, None, &email, (status, Some(problem)))
                }
            }
        }
    }
}

/// What the page is about.
struct Form<'a> {
    device: WaitingDevice,
    user_code: &'a str,
    browser: &'a Browser,
}

impl Form<'_> {
    fn show(
        &self,
        oidc: &Oidc,
        session: Option<&SignedIn>,
        email: &str,
        (status, problem): (StatusCode, Option<String>),
    ) -> Response {
        let page = SignIn {
            frame: &oidc.frame,
            asker: Asker::Device {
                user_code: &self.user_code.to_uppercase(),
                address: self.device.address,
                since: &page::words(self.device.since),
            },
            action: &format!("{}/device", oidc.path),
            form_token: &oidc.provider.form_token(self.browser),
            session: session.map(SignedIn::email),
            email,
            problem: problem.as_deref(),
        };
        let mut response = page::render(status, &page, "'self'");
        let cookie = cookie::set(self.browser, oidc.secure);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        response
    }
}

impl Oidc {
    fn allow(&self, from: IpAddr, user_code: &str, who: &SignedIn) -> Response {
        match self.provider.allow_device(from, user_code, who) {
            Ok(()) => {
                let text = "The other device goes on by itself. You can close this window.";
                self.message(StatusCode::OK, "You are signed in", text)
            }
            Err(error) => self.no_device(&error),
        }
    }

    fn no_device(&self, error: &DeviceError) -> Response {
        let (status, problem) = page::device_problem(error);
        self.ask_for_code(status, Some(&problem))
    }

    fn ask_for_code(&self, status: StatusCode, problem: Option<&str>) -> Response {
        let action = format!("{}/device", self.path);
        let page = TypeCode { frame: &self.frame, action: &action, problem };
        page::render(status, &page, "'self'")
    }
}
