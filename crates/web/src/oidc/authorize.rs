//! The authorization endpoint: a person signs in, and a program gets a code.
//!
//! The request stays in the URL: the form is sent to the URL that the page was shown at, and the request is read
//! again. Nothing is kept for those who only look.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use services::idp::{
    AuthorizationError, AuthorizationRequest, AuthorizeError, Browser, OurForm, RedirectUri,
    SignedIn,
};
use url::form_urlencoded;

use super::fields::Fields;
use super::page::{self, Asker, CopyCode, Message, SignIn};
use super::{Caller, Oidc, address, cookie};
use crate::cause::chain;

/// Shows the page on which the person signs in.
pub(super) async fn show(
    State(oidc): State<Arc<Oidc>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match read(&query) {
        Ok(request) => request,
        Err(error) => return oidc.refuse(&error),
    };
    let browser = cookie::read(&headers, oidc.secure).unwrap_or_default();
    let session = oidc.session(&request, &browser);
    let form = Form { query: &query, request: &request, browser: &browser };
    let hint = request.hint().unwrap_or_default();
    form.show(&oidc, session.as_ref(), hint, (StatusCode::OK, None))
}

/// Takes the form of that page.
pub(super) async fn decide(
    State(oidc): State<Arc<Oidc>>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match read(&query) {
        Ok(request) => request,
        Err(error) => return oidc.refuse(&error),
    };
    let (browser, mut fields, ours) = match oidc.form(&headers, &body) {
        Ok(form) => form,
        Err(refusal) => return *refusal,
    };
    let form = Form { query: &query, request: &request, browser: &browser };
    match fields.get("action") {
        Some("cancel") => oidc.cancel(&request),
        Some("switch") => {
            oidc.provider.close_session(&browser);
            form.show(&oidc, None, "", (StatusCode::OK, None))
        }
        Some("continue") => match oidc.session(&request, &browser) {
            Some(who) => oidc.authorize(&request, &who, &ours),
            // The session has ended while the page was open.
            None => form.show(&oidc, None, "", (StatusCode::OK, None)),
        },
        _ => {
            let (email, password) = (fields.take("email"), fields.take("password").into());
            match oidc.provider.sign_in(address(caller), &email, password).await {
                Ok(who) => oidc.enter(oidc.authorize(&request, &who, &ours), &who),
                Err(error) => {
                    let (status, problem) = page::sign_in_problem(&error);
                    form.show(&oidc, None, &email, (status, Some(problem)))
                }
            }
        }
    }
}

fn read(query: &str) -> Result<AuthorizationRequest, AuthorizationError> {
    AuthorizationRequest::read(form_urlencoded::parse(query.as_bytes()).into_owned())
}

/// What the page is about.
struct Form<'a> {
    query: &'a str,
    request: &'a AuthorizationRequest,
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
        let redirect = self.request.redirect();
        let target = page::target(redirect);
        let page = SignIn {
            frame: &oidc.frame,
            asker: Asker::Program { target: target.as_deref() },
            action: &format!("{}/auth?{}", oidc.path, self.query),
            form_token: &oidc.provider.form_token(self.browser),
            session: session.map(SignedIn::email),
            email,
            problem: problem.as_deref(),
        };
        let mut response = page::render(status, &page, &page::form_targets(redirect));
        let cookie = cookie::set(self.browser, oidc.secure);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        response
    }
}

impl Oidc {
    /// Who is signed in in `browser`, if that is enough for `request`.
    fn session(&self, request: &AuthorizationRequest, browser: &Browser) -> Option<SignedIn> {
        self.provider.session(browser).filter(|who| self.provider.suffices(request, who))
    }

    /// Reads a form, and checks that it was shown to the browser that sends it.
    pub(super) fn form(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(Browser, Fields, OurForm), Box<Response>> {
        let browser = cookie::read(headers, self.secure).unwrap_or_default();
        let fields = Fields::parse(body).ok();
        let ours = fields.and_then(|fields| {
            let token = fields.get("form").unwrap_or_default();
            let ours = self.provider.check_form(&browser, token).ok()?;
            Some((fields, ours))
        });
        let (fields, ours) = ours.ok_or_else(|| {
            let text = "This form was not shown to this browser, or the browser keeps no cookies. \
                        Begin again in the program that asked you to sign in.";
            Box::new(self.message(StatusCode::FORBIDDEN, "Nothing happened", text))
        })?;
        Ok((browser, fields, ours))
    }

    /// Adds to `response` the cookie of a session for `who`, under another value than before the sign-in.
    pub(super) fn enter(&self, mut response: Response, who: &SignedIn) -> Response {
        let browser = self.provider.open_session(who);
        let cookie = cookie::set(&browser, self.secure);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        response
    }

    /// Gives a code for `who`, who has said yes in a form of ours.
    fn authorize(
        &self,
        request: &AuthorizationRequest,
        who: &SignedIn,
        _ours: &OurForm,
    ) -> Response {
        let code = match self.provider.authorize(request, who) {
            Ok(code) => code,
            Err(error @ (AuthorizeError::Busy | AuthorizeError::Clock(_))) => {
                tracing::error!(error = chain(&error), "no code can be given");
                return self.tell(request, "temporarily_unavailable");
            }
        };
        match self.provider.return_with(request, &code) {
            Some(url) => page::redirect(&url),
            None => page::render(
                StatusCode::OK,
                &CopyCode { frame: &self.frame, code: &code },
                "'none'",
            ),
        }
    }

    fn cancel(&self, request: &AuthorizationRequest) -> Response {
        self.tell(request, "access_denied")
    }

    /// Tells the program, or the person where there is no program to go back to, that there is no code.
    fn tell(&self, request: &AuthorizationRequest, error: &str) -> Response {
        match (request.refusal(self.provider.issuer(), error), request.redirect()) {
            (Some(url), RedirectUri::Loopback(_)) => page::redirect(&url),
            _ => {
                self.message(StatusCode::OK, "You are not signed in", "You can close this window.")
            }
        }
    }

    fn refuse(&self, error: &AuthorizationError) -> Response {
        match error.refusal(self.provider.issuer()) {
            Some(url) => page::redirect(&url),
            None => {
                let text = format!("The request cannot be answered: {error}.");
                self.message(StatusCode::BAD_REQUEST, "This is not a sign-in", &text)
            }
        }
    }

    pub(super) fn message(&self, status: StatusCode, title: &str, text: &str) -> Response {
        page::render(status, &Message { frame: &self.frame, title, text }, "'none'")
    }
}
