//! What the failures of a registry mean for the user, and what to do about each.

use oci::{AccessError, AttachError, FetchError, PushError, TokenError};

use crate::failure::Failure;

/// What it means that something cannot be had.
pub(crate) fn fetch_failure(error: FetchError) -> Failure {
    let hint = fetch_hint(&error);
    hinted(Failure::undecided(error), hint)
}

/// What it means that something cannot be attached to an image.
pub(crate) fn attach_failure(error: AttachError) -> Failure {
    let hint = attach_hint(&error);
    hinted(Failure::undecided(error), hint)
}

/// What it means that something cannot be stored.
pub(crate) fn push_failure(error: PushError) -> Failure {
    let hint = push_hint(&error);
    hinted(Failure::undecided(error), hint)
}

/// What it means that a registry or a directory cannot be used.
pub(crate) fn access_failure(error: AccessError) -> Failure {
    let hint = access_hint(&error);
    hinted(Failure::undecided(error), hint)
}

pub(crate) fn hinted(failure: Failure, hint: Option<&'static str>) -> Failure {
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

pub(crate) fn fetch_hint(error: &FetchError) -> Option<&'static str> {
    match error {
        FetchError::Access(error) => access_hint(error),
        FetchError::Missing { .. } => Some(
            "check the name; some registries say so, too, where one may not look: sign in with bulla login, docker login or podman login",
        ),
        FetchError::OtherDigest { .. } | FetchError::OtherSize { .. } => Some(
            "the registry, or something between, answers with other content than was asked for: tell its operator",
        ),
        _ => None,
    }
}

pub(crate) fn push_hint(error: &PushError) -> Option<&'static str> {
    match error {
        PushError::Access(error) => access_hint(error),
        PushError::Source(error) => fetch_hint(error),
        _ => None,
    }
}

pub(crate) fn attach_hint(error: &AttachError) -> Option<&'static str> {
    match error {
        AttachError::Push(error) => push_hint(error),
        AttachError::List(error) => fetch_hint(error),
        AttachError::ListFull { .. } => Some(
            "remove old signatures with bulla clean, or use another repository with --signature-repository",
        ),
        _ => None,
    }
}

pub(crate) fn access_hint(error: &AccessError) -> Option<&'static str> {
    Some(match error {
        AccessError::Request { .. } => {
            "see whether the registry runs and can be reached from here; without TLS it is only asked with --allow-http-registry"
        }
        AccessError::Unauthorized { offered: false, .. } => {
            "sign in with bulla login, docker login or podman login"
        }
        AccessError::Token { source: TokenError::Refused { status: 401 | 403, .. }, .. }
        | AccessError::Unauthorized { offered: true, .. } => {
            "sign in again with bulla login, docker login or podman login: the password or token may have ended"
        }
        AccessError::Forbidden { .. } => {
            "ask whoever runs it for the right to do this there; signatures can also be in another repository, see --signature-repository"
        }
        AccessError::Token { .. } | AccessError::Credentials { .. } => {
            "sign in again with bulla login, docker login or podman login"
        }
        AccessError::Layout { .. } => {
            "name a directory or archive as bulla save or skopeo copy … oci:DIR writes it"
        }
        AccessError::Busy { .. } => "wait, and try again; signing in often raises the limit",
        _ => return None,
    })
}
