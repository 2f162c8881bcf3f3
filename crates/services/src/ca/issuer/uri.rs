//! `uri`: subjects that are URLs under a domain of the issuer's.

use pki::fulcio::LeafContents;

use super::uri_name::uri_name;
use super::{ContentsError, Identity, IdentityError, IssuerType, extensions};
use crate::ca::config::{Issuer, SubjectDomainError, check_uri_domain};
use crate::ca::email_address::is_email_address;
use crate::ca::go::Url;
use crate::ca::token::VerifiedToken;

/// The type `uri`.
#[derive(Debug)]
pub(super) struct Uri;

impl IssuerType for Uri {
    fn name(&self) -> &'static str {
        "uri"
    }

    fn check_subject_domain(&self, issuer: &str, domain: &str) -> Result<(), SubjectDomainError> {
        check_uri_domain(issuer, domain)
    }

    fn identify(&self, token: &VerifiedToken, issuer: &Issuer) -> Result<Identity, IdentityError> {
        let subject = token.subject();
        if is_email_address(subject) {
            return Err(IdentityError::SubjectIsEmail);
        }
        let place = |url: &str| {
            let url = Url::parse(url).map_err(|_| IdentityError::SubjectNotAUrl)?;
            Ok((url.scheme().to_owned(), url.hostname()))
        };
        let (expected, found) = (place(&issuer.subject_domain)?, place(subject)?);
        if expected != found {
            let text = |(scheme, host): (String, String)| format!("{scheme}://{host}");
            let (expected, found) = (text(expected), text(found));
            return Err(IdentityError::SubjectElsewhere { expected, found });
        }
        let contents = contents(token.issuer(), subject);
        Ok(Identity { challenge: subject.to_owned(), contents })
    }
}

fn contents(issuer: &str, subject: &str) -> Result<LeafContents, ContentsError> {
    let extensions = extensions::of_person(issuer, subject)?;
    Ok(LeafContents { san: uri_name(subject)?, extensions })
}
