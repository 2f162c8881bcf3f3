//! Lists: tags, and referrers.

use std::collections::{BTreeSet, HashSet};
use std::future::Future;
use std::time::Duration;

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
/// How long all pages of a list may be together: the tags of the largest repositories, or ten thousand referrers with
/// what they say of themselves, have a third of it.
const MAX_LIST: usize = 32 * 1024 * 1024;
/// How long reading a list may take, with all its pages.
const LIST_TIMEOUT: Duration = Duration::from_secs(180);
/// How long the notes on a referrer may be to be kept; they are claims, and decide about nothing.
const MAX_NOTES: usize = 1024;
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
    /// Whether it is announced as an index: what a registry without the referrers API answers may be anything.
    is_index: bool,
}

impl Repository {
    pub(crate) async fn tags(&self) -> Result<Vec<String>, FetchError> {
        self.within(self.all_tags()).await
    }

    /// Gives a list its time.
    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        tokio::time::timeout(LIST_TIMEOUT, work).await.unwrap_or_else(|_| {
            let reason = format!("it did not come to an end within {} s", LIST_TIMEOUT.as_secs());
            Err(FetchError::List { place: self.to_string(), reason })
        })
    }

    async fn all_tags(&self) -> Result<Vec<String>, FetchError> {
        let mut tags = BTreeSet::new();
        let mut pages = Pages::new(self.path(&format!("tags/list?n={PAGE}")));
        while let Some(place) = pages.next()? {
            let limit = MAX_TAG_PAGE.min(pages.left);
            let Page::There(found) = patiently(|| self.page(&place, limit)).await? else {
                return Err(FetchError::Missing { what: self.to_string() });
            };
            let page: Tags =
                serde_json::from_slice(&found.body).map_err(|error| list(&found.at, error))?;
            let (before, full) = (tags.len(), page.tags.len() >= PAGE);
            let last = page.tags.last().filter(|last| full && is_tag(last)).cloned();
            tags.extend(page.tags.into_iter().filter(|tag| is_tag(tag)));
            if tags.len() > MAX_TAGS {
                let what = format!("the list of tags of {self}");
                return Err(FetchError::TooMany { what, limit: MAX_TAGS });
            }
            // Some registries cut a list off without saying that it goes on.
            let cut = last.filter(|_| found.next.is_none() && tags.len() > before);
            pages.then(*found);
            if let Some(last) = cut {
                let place = format!("tags/list?n={PAGE}&last={last}");
                pages.next = Some(PagePlace::First(self.path(&place)));
            }
        }
        Ok(tags.into_iter().collect())
    }

    pub(crate) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, FetchError> {
        let mirrors = if self.only_reads() { &self.0.mirrors[..] } else { &[] };
        for mirror in mirrors {
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
        self.within(self.all_referrers(subject)).await
    }

    async fn all_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, FetchError> {
        let mut referrers = Vec::new();
        let mut pages = Pages::new(self.path(&format!("referrers/{subject}")));
        while let Some(place) = pages.next()? {
            let limit = MAX_DOCUMENT.min(pages.left);
            match (patiently(|| self.page(&place, limit)).await?, &place) {
                (Page::There(found), _) if found.is_index => {
                    let page = Document::parse(media_type::INDEX, found.body.clone());
                    let page = page.map_err(|error| list(&found.at, error))?.into_index();
                    let entries = page.into_iter().flat_map(|index| index.manifests);
                    referrers.extend(entries.map(|entry| without_much(&entry)));
                    pages.then(*found);
                }
                (_, PagePlace::First(_)) => return Ok(None),
                (_, PagePlace::Later(url)) => {
                    let reason = "it does not go on where it says".to_owned();
                    return Err(FetchError::List { place: crate::host::place(url), reason });
                }
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
        let kind = text(&answer.headers, "content-type").unwrap_or_default();
        let is_index = kind.starts_with(media_type::INDEX);
        let what = || format!("the list at {}", crate::host::place(&at));
        let body = self.whole_up_to(answer, limit, what).await?;
        Ok(Page::There(Box::new(Found { body, at, next, is_index })))
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

fn is_tag(text: &str) -> bool {
    Target::tag(text).is_ok()
}

/// An entry of a list as far as it is used: others may have written megabytes into it.
fn without_much(entry: &Descriptor) -> Descriptor {
    let notes: usize = entry.annotations.iter().map(|(name, value)| name.len() + value.len()).sum();
    let annotations =
        if notes <= MAX_NOTES { entry.annotations.clone() } else { Default::default() };
    let artifact_type = entry.artifact_type.clone().filter(|kind| kind.len() <= MAX_NOTES);
    Descriptor { annotations, artifact_type, ..entry.bare() }
}

/// The pages of a list, each once.
struct Pages {
    next: Option<PagePlace>,
    seen: HashSet<Url>,
    /// How many bytes may still come.
    left: usize,
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
        Self { next: Some(PagePlace::First(first)), seen: HashSet::new(), left: MAX_LIST }
    }

    /// The page that comes next.
    fn next(&mut self) -> Result<Option<PagePlace>, FetchError> {
        let Some(next) = self.next.take() else { return Ok(None) };
        if self.left == 0 {
            let reason = format!("it has more than {MAX_LIST} bytes");
            return Err(FetchError::List { place: "the list".to_owned(), reason });
        }
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

    fn then(&mut self, found: Found) {
        self.left = self.left.saturating_sub(found.body.len());
        self.seen.insert(found.at);
        self.next = found.next.map(PagePlace::Later);
    }
}
