//! Finding the log of an entry in the trusted root.

use crypto::PublicKey;
use jiff::Timestamp;
use merkle::note::KeyId;
use wire::bundle::TransparencyLogEntry;
use wire::trusted_root::{LogInstance, TimeRange, TrustedRoot};

use super::LogError;

/// A log that the trusted root names.
#[derive(Debug)]
pub(crate) struct KnownLog<'a> {
    /// The instances with this log's key: one key may be trusted for several times.
    instances: Vec<&'a LogInstance>,
    /// The first of them.
    first: &'a LogInstance,
    pub(crate) key: PublicKey,
}

impl<'a> KnownLog<'a> {
    /// Finds the log that an entry says it is in, by its id.
    pub(crate) fn find(
        entry: &TransparencyLogEntry,
        trust: &'a TrustedRoot,
    ) -> Result<Option<Self>, LogError> {
        let named = |log: &&LogInstance| {
            !entry.log_id.is_empty()
                && (log.log_id == entry.log_id || log.checkpoint_key_id == entry.log_id)
        };
        let first = match trust.tlogs.iter().find(named) {
            Some(log) => log,
            // A trusted root of version 0.2 may leave the id of checkpoints to be computed.
            None => match trust.tlogs.iter().find(|log| has_computed_id(log, &entry.log_id)) {
                Some(log) => log,
                None => return Ok(None),
            },
        };
        let key = PublicKey::from_spki_der(&first.public_key)
            .map_err(|source| LogError::Key { log: first.base_url.clone(), source })?;
        let same_key = |log: &&LogInstance| log.public_key == first.public_key;
        let instances = trust.tlogs.iter().filter(same_key).collect();
        Ok(Some(Self { instances, first, key }))
    }

    /// Where the log is.
    pub(crate) fn base_url(&self) -> &'a str {
        &self.first.base_url
    }

    /// Who runs the log, or the log itself if that is not said: what counts towards a threshold.
    pub(crate) fn operator(&self) -> &'a [u8] {
        match self.first.operator.as_bytes() {
            [] => &self.first.public_key,
            operator => operator,
        }
    }

    /// Whether `origin` is the name of this log: the host name of its URL, or the URL without its scheme.
    pub(crate) fn is_named(&self, origin: &str) -> bool {
        names(self.base_url()).contains(&origin)
    }

    /// Checks that the log's key counts at `time`; else the times at which it does.
    pub(crate) fn check_valid_at(&self, time: Timestamp) -> Result<(), TimeRange> {
        let valid = |log: &&LogInstance| log.valid_for.contains(time);
        if self.instances.iter().any(valid) { Ok(()) } else { Err(self.first.valid_for) }
    }
}

fn has_computed_id(log: &LogInstance, id: &[u8]) -> bool {
    let Ok(key) = PublicKey::from_spki_der(&log.public_key) else { return false };
    let named = |name| KeyId::for_key(name, &key).as_bytes() == id;
    KeyId::of_key(&key).as_bytes() == id || names(&log.base_url).into_iter().any(named)
}

/// The names under which a log at `url` may sign: its host name, and the URL without its scheme.
fn names(url: &str) -> [&str; 2] {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    [host, rest]
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_log_is_named_by_its_host_or_its_url_without_scheme() {
        assert_eq!(names("https://log.example"), ["log.example", "log.example"]);
        assert_eq!(names("https://log.example/"), ["log.example", "log.example"]);
        assert_eq!(names("http://localhost:3000"), ["localhost", "localhost:3000"]);
        assert_eq!(names("https://a.example/log/1/"), ["a.example", "a.example/log/1"]);
        assert_eq!(names("http://[::1]:3000/x"), ["::1", "[::1]:3000/x"]);
        assert_eq!(names("log.example"), ["log.example", "log.example"]);
    }
}
