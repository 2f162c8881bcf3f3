//! The user's store of instances.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use tuf::Fetch;
use url::Url;

use super::instance::{Anchor, MAX_ROOT, damaged, entry, fetch, open};
use super::record::Record;
use super::repository::Repository;
use super::{Trust, TrustChoice, TrustEntry, TrustError, file, public_good};
use crate::file::{Readers, write};

/// The file that names the default.
const DEFAULT: &str = "default";
/// The file that writers lock.
const LOCK: &str = ".lock";

/// The instances that a user trusts, in the user's data directory.
///
/// Readers take no lock: each instance is one file, which is replaced in one step. Writers take turns, and none of them
/// waits for the network while it has its turn.
pub struct TrustStore {
    directory: Option<PathBuf>,
    /// What could not be written, because there is no home or it is read-only: it lasts as long as the process.
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    records: BTreeMap<String, Record>,
    default: Option<String>,
}

impl TrustStore {
    /// The user's store: `$XDG_DATA_HOME/bulla/trust`, else `~/.local/share/bulla/trust`. Without a home, or with one that
    /// cannot be written to, what is added lasts as long as the process.
    #[must_use]
    pub fn of_user() -> Self {
        let absolute = |name: &str| {
            std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        let data = absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
        let directory = data.map(|data| data.join("bulla/trust"));
        Self { directory, memory: Mutex::default() }
    }

    /// A store in `directory`, which is made when something is added.
    #[must_use]
    pub fn at(directory: PathBuf) -> Self {
        Self { directory: Some(directory), memory: Mutex::default() }
    }

    /// Whether what was added or updated as `name` outlasts this process.
    #[must_use]
    pub fn outlasts(&self, name: &str) -> bool {
        !self.memory().records.contains_key(name)
    }

    /// Reads the trust material that `choice` names, and verifies it. Opens no socket.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn load(&self, choice: &TrustChoice, now: Timestamp) -> Result<Trust, TrustError> {
        let name = match choice {
            TrustChoice::File(path) => return file::read(path),
            TrustChoice::Named(name) => name.clone(),
            TrustChoice::Default => self.default_name()?,
        };
        match self.read(&name)? {
            Some(record) => open(&record, now),
            None if name == public_good::NAME => Ok(public_good::embedded(now)),
            None => Err(TrustError::Unknown(name)),
        }
    }

    /// Trusts the instance at `url` (its public URL, or that of its TUF repository), if the bytes of its first root
    /// have the fingerprint `SHA256:…`. It becomes the default.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub async fn add(
        &self,
        url: &Url,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<TrustEntry, TrustError> {
        let anchor = Anchor::parse(1, fingerprint)?;
        let name = name_of(url)?;
        let (repository, root) = find_repository(url, &anchor).await?;
        let known = self.read(&name)?.filter(|record| record.fingerprint == anchor.fingerprint());
        let place = (name.as_str(), repository.base());
        let record = fetch(place, &anchor, &root, known.as_ref(), &repository, now).await?;
        self.keep(&record, true)?;
        entry(&record, true)
    }

    /// Fetches what is new of the instance `name`; of the default, if none is named.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub async fn update(
        &self,
        name: Option<&str>,
        now: Timestamp,
    ) -> Result<TrustEntry, TrustError> {
        let default = self.default_name()?;
        let name = name.unwrap_or(&default);
        let record = match self.read(name)? {
            Some(known) => {
                let anchor = Anchor::parse(known.root_version, &known.fingerprint)?;
                let repository = Repository::new(known.url.clone());
                let (place, root) = ((name, &known.url), known.anchor_bytes());
                fetch(place, &anchor, root, Some(&known), &repository, now).await?
            }
            None if name == public_good::NAME => update_public_good(now).await?,
            None => return Err(TrustError::Unknown(name.to_owned())),
        };
        self.keep(&record, false)?;
        entry(&record, name == default)
    }

    /// Forgets the instance `name`. If it was the default, the public-good instance is from then on.
    ///
    /// # Errors
    ///
    /// [`TrustError::Unknown`], or that the file cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), TrustError> {
        if self.read(name)?.is_none() {
            return Err(TrustError::Unknown(name.to_owned()));
        }
        let was_default = self.default_name()? == name;
        let mut memory = self.memory();
        memory.records.remove(name);
        memory.default.take_if(|default| default == name);
        let Some(directory) = &self.directory else { return Ok(()) };
        let _turn = lock(directory)?;
        remove_file(&record_file(directory, name))?;
        if was_default { remove_file(&directory.join(DEFAULT)) } else { Ok(()) }
    }

    /// Every instance, the default first.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn list(&self) -> Result<Vec<TrustEntry>, TrustError> {
        let default = self.default_name()?;
        let mut names: Vec<String> = self.memory().records.keys().cloned().collect();
        if let Some(directory) = &self.directory {
            names.extend(stored_names(directory)?);
        }
        names.sort_by_key(|name| (*name != default, name.clone()));
        names.dedup();
        let records = names.iter().filter_map(|name| self.read(name).transpose());
        records.map(|record| record.and_then(|r| entry(&r, r.name == default))).collect()
    }

    /// The name of the instance that is used when nothing else is said.
    fn default_name(&self) -> Result<String, TrustError> {
        if let Some(name) = &self.memory().default {
            return Ok(name.clone());
        }
        let public_good = || Ok(public_good::NAME.to_owned());
        let Some(directory) = &self.directory else { return public_good() };
        let path = directory.join(DEFAULT);
        match std::fs::read_to_string(&path) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(error) if is_absence(&error) => public_good(),
            Err(source) => Err(TrustError::Io { path, source }),
        }
    }

    fn read(&self, name: &str) -> Result<Option<Record>, TrustError> {
        if let Some(record) = self.memory().records.get(name) {
            return Ok(Some(record.clone()));
        }
        let Some(directory) = &self.directory else { return Ok(None) };
        let path = record_file(directory, name);
        match Record::read(&path) {
            Ok(None) => Ok(None),
            Err(error) if is_absence(&error) => Ok(None),
            Ok(Some(record)) => record.map(Some).map_err(|source| damaged(name, source)),
            Err(source) => Err(TrustError::Io { path, source }),
        }
    }

    /// Keeps a record; in memory, if the directory cannot be written to.
    fn keep(&self, record: &Record, as_default: bool) -> Result<(), TrustError> {
        let written = match &self.directory {
            Some(directory) => write_record(directory, record, as_default),
            None => Err(TrustError::Io {
                path: PathBuf::from("~"),
                source: io::ErrorKind::NotFound.into(),
            }),
        };
        match written {
            Err(TrustError::Io { path, source }) if is_read_only(&source) => {
                tracing::warn!(path = %path.display(), "trust material cannot be kept beyond this run");
                let mut memory = self.memory();
                memory.records.insert(record.name.clone(), record.clone());
                if as_default {
                    memory.default = Some(record.name.clone());
                }
                Ok(())
            }
            written => written,
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of an instance: its host, and its port unless it is the usual one.
fn name_of(url: &Url) -> Result<String, TrustError> {
    let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"));
    let host = host.ok_or_else(|| TrustError::Url { url: url.clone() })?;
    Ok(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Finds the TUF repository of a server: below `/tuf/`, or at the URL itself.
async fn find_repository(url: &Url, anchor: &Anchor) -> Result<(Repository, Vec<u8>), TrustError> {
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", url.path()));
    }
    for below in ["tuf/", ""] {
        let mut place = base.clone();
        place.set_path(&format!("{}{below}", base.path()));
        let repository = Repository::new(place.clone());
        let name = Record::anchor_file(anchor.version);
        let fetched = repository.fetch(&name, MAX_ROOT).await;
        if let Some(root) = fetched.map_err(|source| request_error(&place, source))? {
            return Ok((repository, root));
        }
    }
    Err(TrustError::NoRepository { url: base })
}

fn request_error(url: &Url, source: net::RequestError) -> TrustError {
    TrustError::Request { url: url.clone(), source: Box::new(source) }
}

async fn update_public_good(now: Timestamp) -> Result<Record, TrustError> {
    let anchor = public_good::anchor();
    let unusable = |source| damaged(public_good::NAME, source);
    let url: Url = public_good::URL.parse().map_err(unusable)?;
    let repository = Repository::new(url.clone());
    let name = Record::anchor_file(anchor.version);
    let root = repository.fetch(&name, MAX_ROOT).await;
    let root = root
        .map_err(|source| request_error(&url, source))?
        .ok_or_else(|| TrustError::NoRepository { url: url.clone() })?;
    fetch((public_good::NAME, &url), &anchor, &root, None, &repository, now).await
}

/// Writes a record, unless another process has written a newer one in the meantime.
fn write_record(directory: &Path, record: &Record, as_default: bool) -> Result<(), TrustError> {
    let _turn = lock(directory)?;
    let path = record_file(directory, &record.name);
    let there = Record::read(&path).ok().flatten().and_then(Result::ok);
    let newer = there.is_some_and(|there| {
        there.fingerprint == record.fingerprint && timestamp_of(&there) > timestamp_of(record)
    });
    if !newer {
        write_file(&path, &record.to_json())?;
    }
    if as_default {
        write_file(&directory.join(DEFAULT), record.name.as_bytes())?;
    }
    Ok(())
}

/// The version of the timestamp that a record holds; zero if it holds none that verifies.
fn timestamp_of(record: &Record) -> u64 {
    let set = tuf::load(record.anchor_bytes(), &record.metadata()).ok();
    set.and_then(|set| set.timestamp().map(|t| t.header.version.get())).unwrap_or(0)
}

/// Waits for this process's turn to write. The turn ends when the file is dropped.
fn lock(directory: &Path) -> Result<File, TrustError> {
    let path = directory.join(LOCK);
    let locked = DirBuilder::new().recursive(true).mode(0o700).create(directory).and_then(|()| {
        let file = File::options().create(true).append(true).open(&path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    });
    locked.map_err(|source| TrustError::Io { path, source })
}

/// A record's file. Characters that are not plain are percent-encoded, so that no name leads out of the directory.
fn record_file(directory: &Path, name: &str) -> PathBuf {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let encoded: String = name
        .bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    directory.join(format!("{encoded}.json"))
}

fn stored_names(directory: &Path) -> Result<Vec<String>, TrustError> {
    let io_error = |source| TrustError::Io { path: directory.to_owned(), source };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        Err(source) => return Err(io_error(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(io_error)?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(".json")).map(str::to_owned));
    }
    Ok(names)
}

fn write_file(path: &Path, contents: &[u8]) -> Result<(), TrustError> {
    use crate::file::FileError;
    write(path, contents, Readers::Owner).map_err(|error| match error {
        FileError::Write { path, source } | FileError::Read { path, source } => {
            TrustError::Io { path, source }
        }
        FileError::TooLong { path, .. } => {
            TrustError::Io { path, source: io::ErrorKind::FileTooLarge.into() }
        }
    })
}

fn remove_file(path: &Path) -> Result<(), TrustError> {
    match std::fs::remove_file(path) {
        Err(error) if !is_absence(&error) => {
            Err(TrustError::Io { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// Whether there is simply nothing.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether the place cannot be written to, and trying again would not help.
fn is_read_only(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), NotFound | PermissionDenied | ReadOnlyFilesystem | NotADirectory)
}
