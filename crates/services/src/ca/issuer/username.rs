//! `username`: names that mean something within one domain.

use pki::fulcio::{LeafContents, San};

use super::{Identity, IdentityError, IssuerType, extensions};
use crate::ca::config::{Issuer, SubjectDomainError, check_username_domain};
use crate::ca::email_address::is_email_address;
use crate::ca::token::VerifiedToken;

/// The type `username`.
#[derive(Debug)]
pub(super) struct Username;

/// Stands between name and domain, and so in no name.
const SEPARATOR: char = '!';

impl IssuerType for Username {
    fn name(&self) -> &'static str {
        "username"
    }

    fn check_subject_domain(&self, issuer: &str, domain: &str) -> Result<(), SubjectDomainError> {
        check_username_domain(issuer, domain)
    }

    fn identify(&self, token: &VerifiedToken, issuer: &Issuer) -> Result<Identity, IdentityError> {
        let subject = token.subject();
        if subject.contains(SEPARATOR) {
            return Err(IdentityError::SubjectHasBang);
        }
        if is_email_address(subject) {
            return Err(IdentityError::SubjectIsEmail);
        }
        let name = format!("{subject}{SEPARATOR}{}", issuer.subject_domain);
        let contents = extensions::of_person(token.issuer(), subject)
            .map(|extensions| LeafContents { san: San::OtherName(name), extensions });
        Ok(Identity { challenge: subject.to_owned(), contents })
    }
}
