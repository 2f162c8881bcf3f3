//! Signing in at a login page without a browser: what a person does there, done by a program. For demonstrations and
//! tests; the issuer sees the ordinary authorization code flow.

use net::{Client, Redirects, RequestError, Response, Retry, StatusCode, Url};

use super::issuer::{Authorization, Issuer};
use super::{AcquireError, IdentityToken};

/// Where the browser would return to. Nobody listens there: the code is read from the redirect.
const REDIRECT: &str = "http://localhost:0/auth/callback";

/// Signs in as `email` at the login page of our own identity provider.
///
/// # Errors
///
/// See [`AcquireError`]; [`AcquireError::NotSignedIn`] if the page does not take the password.
pub async fn sign_in_by_script(
    http: &Client,
    issuer: &str,
    client_id: &str,
    email: &str,
    password: &str,
) -> Result<IdentityToken, AcquireError> {
    let issuer = Issuer::discover(http, issuer, client_id).await?;
    let authorization = issuer.authorization(REDIRECT)?;
    let page = issuer.look_at(authorization.url.clone()).await?;
    let answer = issuer.fill_in(&page, email, password).await?;
    let (code, sender) = issuer.arrive(&authorization, &answer)?;
    issuer.check_sender(sender)?;
    issuer.redeem(&authorization, &code).await
}

impl Issuer<'_> {
    async fn look_at(&self, url: Url) -> Result<Response, AcquireError> {
        let request = self.http.get(url).redirects(Redirects::Shown);
        request.send().await.map_err(|source| self.unreachable(source))
    }

    /// Sends the form back to where it was shown, with what a person would type.
    async fn fill_in(
        &self,
        page: &Response,
        email: &str,
        password: &str,
    ) -> Result<Response, AcquireError> {
        let html = String::from_utf8_lossy(&page.body);
        let token = hidden_field(&html, "form")
            .ok_or_else(|| self.unfit("its login page is not one of ours"))?;
        let request = self
            .http
            .post(page.url.clone())
            .form(&[("form", token), ("email", email), ("password", password)])
            .redirects(Redirects::Shown)
            .retry(Retry::NEVER);
        let request = match cookie(page) {
            Some(cookie) => request.header(http::header::COOKIE, cookie),
            None => request,
        };
        request.send().await.map_err(|source| self.unreachable(source))
    }

    /// What the browser would bring back: the code, and who sent it.
    fn arrive(
        &self,
        authorization: &Authorization,
        answer: &Response,
    ) -> Result<(String, Option<String>), AcquireError> {
        if answer.status != StatusCode::SEE_OTHER {
            return Err(AcquireError::NotSignedIn { issuer: self.url().to_owned() });
        }
        let unfit = || self.unfit("it does not send the browser back where it should");
        let location = answer.headers.get(http::header::LOCATION).and_then(|url| url.to_str().ok());
        let location = location.filter(|url| url.starts_with(REDIRECT)).ok_or_else(unfit)?;
        let location = Url::parse(location).map_err(|_| unfit())?;
        let parameter = |name: &str| {
            location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        if parameter("state").as_deref() != Some(&authorization.state) {
            return Err(unfit());
        }
        Ok((parameter("code").ok_or_else(unfit)?, parameter("iss")))
    }

    fn unreachable(&self, source: RequestError) -> AcquireError {
        AcquireError::Unreachable { issuer: self.url().to_owned(), source }
    }
}

/// The value of `<input type="hidden" name="…" value="…">`.
fn hidden_field<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The cookie that the page came with, as it goes back.
fn cookie(page: &Response) -> Option<&str> {
    page.headers.get(http::header::SET_COOKIE)?.to_str().ok()?.split(';').next()
}
