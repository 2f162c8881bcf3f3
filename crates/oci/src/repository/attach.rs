//! Attaching a document to another, and keeping the list under the fallback tag where the registry keeps none.
//!
//! Registries have no way to say "write this if nobody else has written": two writers that each read the list, add their
//! entry and write the list back lose one of the two. So each writer first gives its document a tag of its own, which
//! nobody else writes, and then repeats
//!
//! > list the tags, read the list, write the list with everything that has such a tag, list the tags
//!
//! until what it wrote holds everything that has such a tag now. Whoever writes last has looked after writing, and found
//! nothing missing; a document that was tagged later has a writer that has not written yet. Readers need only the list.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Repository;
use crate::{
    AccessError, AttachError, Attached, Descriptor, Digest, Document, FetchError, Index,
    MAX_DOCUMENT, PushError, Target,
};

/// How many digits of its digest name a document's own tag.
const OWN_DIGITS: usize = 12;
/// How often the list is written before giving up: with two hundred writers at once, each needs a few rounds.
const MAX_ROUNDS: u32 = 100;
/// With more documents of others than this to be added, many write at once, and it is enough if one of them adds all.
const MANY: usize = 8;
/// How long that one takes for each of them.
const PATIENCE_EACH: Duration = Duration::from_millis(5);
/// How long it is waited for at most.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// How many documents are read at once.
const AT_ONCE: usize = 16;

impl Repository {
    pub(crate) async fn attach(&self, document: &Document) -> Result<Attached, AttachError> {
        let subject = document.subject().ok_or(AttachError::NoSubject)?.digest;
        let descriptor = document.referrer_descriptor();
        let habit = &self.0.host.habits.lists_referrers;
        if habit.get() != Some(&false) {
            let listed = self.put(document, None).await?.listed
                || self.lists_silently(&subject, document.digest()).await?;
            let _ = habit.set(listed);
            if listed {
                return Ok(Attached { descriptor, fallback_tag: None });
            }
        }
        let list = FallbackList { repository: self, subject };
        self.put(document, Some(&list.own_tag(document.digest()))).await?;
        list.hold(descriptor.clone()).await?;
        Ok(Attached { descriptor, fallback_tag: Some(subject.to_tag()) })
    }

    /// Whether the registry lists what was just pushed, although it did not say `OCI-Subject` as it should. Looked up
    /// once for a repository: it costs one request, where keeping a list that nobody needs costs five for each referrer.
    async fn lists_silently(&self, subject: &Digest, pushed: Digest) -> Result<bool, FetchError> {
        let look = async || match self.listed_referrers(subject).await {
            Ok(listed) => Ok(listed.unwrap_or_default().iter().any(|one| one.digest == pushed)),
            Err(error @ FetchError::Access(AccessError::Request { .. })) => Err(error),
            // A list that cannot be used is none.
            Err(_) => Ok(false),
        };
        let known = self.0.host.habits.lists_silently(&self.0.scope.repository);
        known.get_or_try_init(look).await.copied()
    }
}

/// The list of what refers to `subject`, under its fallback tag.
pub(super) struct FallbackList<'a> {
    pub(super) repository: &'a Repository,
    pub(super) subject: Digest,
}

impl FallbackList<'_> {
    /// The tag that belongs to one referrer alone.
    fn own_tag(&self, referrer: Digest) -> String {
        own_tag(&self.subject, referrer)
    }

    /// Sees to it that the list holds `own`, and everything else that has a tag of its own.
    async fn hold(&self, own: Descriptor) -> Result<(), AttachError> {
        self.keep(vec![own], &[]).await
    }

    /// The same, for a list that is to hold none of those that are `gone`.
    pub(super) async fn keep(
        &self,
        mut known: Vec<Descriptor>,
        gone: &[Digest],
    ) -> Result<(), AttachError> {
        for round in 1..=MAX_ROUNDS {
            let tagged = self.tagged().await?;
            self.let_another_write(&tagged, &known).await?;
            let written = self.merge(&tagged, &mut known, gone).await?;
            let missing = |tag: &String| !written.contains(tag);
            if !self.tagged().await?.iter().any(missing) {
                return Ok(());
            }
            tracing::debug!(round, subject = %self.subject, "others are writing the list of referrers");
            tokio::time::sleep(net::jitter(PATIENCE_EACH * round)).await;
        }
        Err(AttachError::Contended { tag: self.subject.to_tag(), rounds: MAX_ROUNDS })
    }

    /// The tags that writers have given their referrers.
    async fn tagged(&self) -> Result<BTreeSet<String>, FetchError> {
        let prefix = format!("{}.", self.subject.to_tag());
        let is_own = |tag: &String| {
            let rest = tag.strip_prefix(&prefix);
            rest.is_some_and(|rest| {
                rest.len() == OWN_DIGITS && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        };
        Ok(self.repository.tags().await?.into_iter().filter(is_own).collect())
    }

    /// Where many write at once, all but the one whose tag comes first wait for a while, each a little longer than the one
    /// before. If that one has gone away, the next one comes to its turn.
    async fn let_another_write(
        &self,
        tagged: &BTreeSet<String>,
        known: &[Descriptor],
    ) -> Result<(), FetchError> {
        let own = known.first().map(|own| self.own_tag(own.digest));
        let rank = tagged.iter().position(|tag| Some(tag) == own.as_ref()).unwrap_or(0);
        if rank == 0 || tagged.len() <= MANY {
            return Ok(());
        }
        let entries = self.repository.fallback_referrers(&self.subject).await?;
        let missing = self.missing(tagged, &entries, known).len();
        if missing > MANY {
            let turns = u32::try_from(missing + rank).unwrap_or(u32::MAX);
            tokio::time::sleep(PATIENCE_EACH.saturating_mul(turns).min(LONGEST_WAIT)).await;
        }
        Ok(())
    }

    /// Reads the list, adds what is tagged and missing, and writes it. The tags of everything that it holds then, and of
    /// what has such a tag and is no referrer.
    async fn merge(
        &self,
        tagged: &BTreeSet<String>,
        known: &mut Vec<Descriptor>,
        gone: &[Digest],
    ) -> Result<BTreeSet<String>, AttachError> {
        let mut entries = self.repository.fallback_referrers(&self.subject).await?;
        let missing = self.missing(tagged, &entries, known);
        let mut strangers = Vec::new();
        let found: Vec<_> = stream::iter(missing)
            .map(|tag| async move { Ok::<_, FetchError>((self.referrer(&tag).await?, tag)) })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        for (found, tag) in found {
            match found {
                Some(descriptor) => known.push(descriptor),
                None => strangers.push(tag),
            }
        }
        let before = entries.clone();
        entries.retain(|entry| !gone.contains(&entry.digest));
        for descriptor in known.iter() {
            if entries.iter().all(|entry| entry.digest != descriptor.digest) {
                entries.push(descriptor.clone());
            }
        }
        let mut held: BTreeSet<String> =
            entries.iter().map(|entry| self.own_tag(entry.digest)).collect();
        held.extend(strangers);
        held.extend(gone.iter().map(|gone| self.own_tag(*gone)));
        if entries != before {
            self.write(entries).await?;
        }
        Ok(held)
    }

    /// The tags of which neither the list nor we know the document.
    fn missing(
        &self,
        tagged: &BTreeSet<String>,
        entries: &[Descriptor],
        known: &[Descriptor],
    ) -> Vec<String> {
        let have: BTreeSet<String> =
            entries.iter().chain(known).map(|entry| self.own_tag(entry.digest)).collect();
        tagged.difference(&have).cloned().collect()
    }

    /// What another writer has tagged, if it is what the tag says.
    async fn referrer(&self, tag: &str) -> Result<Option<Descriptor>, FetchError> {
        let document = match self.repository.fetch(&Target::Tag(tag.to_owned())).await {
            Ok(document) => document,
            // It was deleted since, or is no document at all: nothing that could be listed.
            Err(FetchError::Missing { .. } | FetchError::Document { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = document.subject().map(|subject| subject.digest);
        let named = self.own_tag(document.digest()) == tag;
        Ok((about == Some(self.subject) && named).then(|| document.referrer_descriptor()))
    }

    async fn write(&self, entries: Vec<Descriptor>) -> Result<(), AttachError> {
        let (tag, count) = (self.subject.to_tag(), entries.len());
        let index = Document::of_index(Index::new(entries));
        let size = index.bytes().len();
        if size > MAX_DOCUMENT {
            return Err(AttachError::ListFull { tag, entries: count, size });
        }
        self.repository
            .put(&index, Some(&tag))
            .await
            .map(drop)
            .map_err(|error: PushError| error.into())
    }
}

/// The tag that belongs to one referrer of `subject` alone.
pub(super) fn own_tag(subject: &Digest, referrer: Digest) -> String {
    format!("{}.{:.OWN_DIGITS$}", subject.to_tag(), referrer.to_hex())
}
