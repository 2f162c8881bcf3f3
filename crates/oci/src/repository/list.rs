//! Lists: tags, and referrers.

use std::collections::HashSet;

use bytes::Bytes;
use net::{HeaderName, Method, Streamed, Url};
use serde::Deserialize;

use super::Repository;
use crate::host::{Ask, Place, place, text};
use crate::patience::patiently;
use crate::{Descriptor, Digest, Document, FetchError, MAX_DOCUMENT, Target, link, media_type};

/// How many tags are asked for at once.
const PAGE: usize = 1000;
/// How long a page of tags may be. Registries that know no pages send all at once.
const MAX_TAG_PAGE: usize = 16 * 1024 * 1024;
/// How many tags a repository may have. Nightly builds of ten years with ten variants each are a fifth of it.
const MAX_TAGS: usize = 200_000;
/// How many referrers an image may have. Beyond, reading them all would cost more than anyone waits for.
const MAX_REFERRERS: usize = 10_000;
/// How many pages a list may have, so that empty ones come to an end, too.
const MAX_PAGES: usize = 1000;

/// A page of tags.
#[derive(Deserialize)]
struct Tags {
    #[serde(default, deserialize_with = "crate::descriptor::nullable")]
    tags: Vec<String>,
}

/// What came for a page.
enum Page {
    There(Box<Found>),
    Missing,
    /// The registry does not have such lists.
    Unknown,
}

struct Found {
    body: Bytes,
    at: Url,
    next: Option<Url>,
}

impl Repository {
    pub(crate) async fn tags(&self) -> Result<Vec<String>, FetchError> {
        let mut tags = Vec::new();
        let mut pages = Pages::new(self.path(&format!("tags/list?n={PAGE}")));
        while let Some(place) = pages.next()? {
            match patiently(|| self.page(&place, MAX_TAG_PAGE)).await? {
                Page::There(found) => {
                    let Found { body, at, next } = *found;
                    let page: Tags =
                        serde_json::from_slice(&body).map_err(|error| list(&at, error))?;
                    tags.extend(page.tags);
                    pages.then(at, next);
                }
                Page::Missing | Page::Unknown => {
                    return Err(FetchError::Missing { what: self.to_string() });
                }
            }
            if tags.len() > MAX_TAGS {
                return Err(FetchError::TooMany {
                    what: format!("the list of tags of {self}"),
                    limit: MAX_TAGS,
                });
            }
        }
        Ok(tags)
    }

    pub(crate) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, FetchError> {
        for mirror in &self.0.mirrors {
            // Mirrors lose referrers: an empty list says nothing.
            match mirror.referrers_here(subject).await {
                Ok(found) if !found.is_empty() => return Ok(found),
                Ok(_) => tracing::debug!(%mirror, "the mirror lists no referrers"),
                Err(error) => tracing::debug!(%mirror, %error, "the mirror does not have it"),
            }
        }
        self.referrers_here(subject).await
    }

    async fn referrers_here(&self, subject: &Digest) -> Result<Vec<Descriptor>, FetchError> {
        let habit = &self.0.host.habits.lists_referrers;
        if habit.get() != Some(&false) {
            if let Some(found) = self.listed_referrers(subject).await? {
                let _ = habit.set(true);
                return Ok(found);
            }
            let _ = habit.set(false);
        }
        self.fallback_referrers(subject).await
    }

    /// From the referrers API; `None` where there is none.
    pub(super) async fn listed_referrers(
        &self,
        subject: &Digest,
    ) -> Result<Option<Vec<Descriptor>>, FetchError> {
        let mut referrers = Vec::new();
        let mut pages = Pages::new(self.path(&format!("referrers/{subject}")));
        while let Some(place) = pages.next()? {
            match patiently(|| self.page(&place, MAX_DOCUMENT)).await? {
                Page::There(found) => {
                    let Found { body, at, next } = *found;
                    let page = Document::parse(media_type::INDEX, body)
                        .map_err(|error| list(&at, error))?;
                    referrers
                        .extend(page.into_index().into_iter().flat_map(|index| index.manifests));
                    pages.then(at, next);
                }
                Page::Missing | Page::Unknown => return Ok(None),
            }
            self.not_too_many(&referrers, subject)?;
        }
        Ok(Some(referrers))
    }

    /// From the list under the fallback tag (OCI Distribution Specification 1.1, Referrers Tag Schema).
    pub(super) async fn fallback_referrers(
        &self,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, FetchError> {
        let target = Target::Tag(subject.to_tag());
        let document = match self.fetch(&target).await {
            Ok(document) => document,
            Err(FetchError::Missing { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let Some(index) = document.into_index() else {
            let reason = "it is no index".to_owned();
            return Err(FetchError::List { place: self.name(&target), reason });
        };
        self.not_too_many(&index.manifests, subject)?;
        Ok(index.manifests)
    }

    fn not_too_many(&self, referrers: &[Descriptor], subject: &Digest) -> Result<(), FetchError> {
        if referrers.len() <= MAX_REFERRERS {
            return Ok(());
        }
        let what = format!("the list of referrers of {}", self.name(subject));
        Err(FetchError::TooMany { what, limit: MAX_REFERRERS })
    }

    fn path(&self, part: &str) -> String {
        format!("/v2/{}/{part}", self.0.scope.repository)
    }

    async fn page(&self, place: &PagePlace, limit: usize) -> Result<Page, FetchError> {
        let ask = Ask::new(Method::GET, place.to_place()).header(
            HeaderName::from_static("accept"),
            format!("{}, application/json", media_type::INDEX),
        );
        let answer = self.0.host.send(ask, &self.0.scope).await?;
        match answer.status.as_u16() {
            200 => {}
            404 => return Ok(Page::Missing),
            // How registries without such a list say that they do not have it.
            400 | 405 | 406 | 501 => return Ok(Page::Unknown),
            _ => return Err(self.0.host.refused(answer).await.into()),
        }
        let (at, next) = (answer.url.clone(), self.next(&answer)?);
        let what = || format!("the list at {}", crate::host::place(&at));
        let body = self.whole_up_to(answer, limit, what).await?;
        Ok(Page::There(Box::new(Found { body, at, next })))
    }

    /// Where the list goes on: on the same registry, because that is who is asked.
    fn next(&self, answer: &Streamed) -> Result<Option<Url>, FetchError> {
        let Some(target) = text(&answer.headers, "link").and_then(link::next) else {
            return Ok(None);
        };
        let wrong = |reason: &str| FetchError::List {
            place: place(&answer.url),
            reason: reason.to_owned(),
        };
        let next = answer.url.join(target).map_err(|_| wrong("it goes on at what is no URL"))?;
        if self.0.host.is_home(&next) {
            Ok(Some(next))
        } else {
            Err(wrong("it goes on at another host"))
        }
    }
}

fn list(at: &Url, error: impl std::error::Error) -> FetchError {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    FetchError::List { place: place(at), reason: format!("{error}{cause}") }
}

/// The pages of a list, each once.
struct Pages {
    next: Option<PagePlace>,
    seen: HashSet<Url>,
}

#[derive(Clone)]
enum PagePlace {
    First(String),
    Later(Url),
}

impl PagePlace {
    fn to_place(&self) -> Place {
        match self {
            Self::First(path) => Place::Path(path.clone()),
            Self::Later(url) => Place::Given(url.clone()),
        }
    }
}

impl Pages {
    fn new(first: String) -> Self {
        Self { next: Some(PagePlace::First(first)), seen: HashSet::new() }
    }

    /// The page that comes next.
    fn next(&mut self) -> Result<Option<PagePlace>, FetchError> {
        let Some(next) = self.next.take() else { return Ok(None) };
        if let PagePlace::Later(url) = &next {
            let wrong =
                |reason: &str| FetchError::List { place: place(url), reason: reason.to_owned() };
            if self.seen.contains(url) {
                return Err(wrong("it goes round in a circle"));
            }
            if self.seen.len() >= MAX_PAGES {
                return Err(wrong("it has too many pages"));
            }
        }
        Ok(Some(next))
    }

    fn then(&mut self, at: Url, next: Option<Url>) {
        self.seen.insert(at);
        self.next = next.map(PagePlace::Later);
    }
}
