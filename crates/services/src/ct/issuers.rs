//! The certificates of issuers: each is stored once, and leaves name it by its fingerprint.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use pki::Certificate;

use crate::durable;

/// So many chains are remembered as checked; the next one makes room by forgetting all. An authority of ours
/// has one or two.
const MAX_CHAINS: usize = 256;
/// So many issuers are stored. Only accepted roots make new ones.
const MAX_ISSUERS: usize = 10_000;

/// SHA-256 of a certificate.
pub(super) type Fingerprint = [u8; 32];

/// Why an issuer was not stored. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The file was not written.
    #[error("the file of an issuer's certificate was not written")]
    Write(#[source] io::Error),
    /// Somebody with a key of an accepted root makes ever new issuers.
    #[error("there are {MAX_ISSUERS} issuers")]
    TooMany,
}

/// The issuers of a log's certificates.
pub(super) struct Issuers {
    directory: PathBuf,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Every issuer that a leaf may name. It is on disk.
    certificates: HashMap<Fingerprint, Certificate>,
    /// Chains whose links were checked, by the hash of what was sent.
    chains: HashMap<[u8; 32], Arc<[Certificate]>>,
}

impl Issuers {
    /// Reads all that were stored. A directory that is not there holds none.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let mut known = Known::default();
        match std::fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(files) => {
                for file in files {
                    known.read(&file?.path())?;
                }
            }
        }
        Ok(Self { directory: directory.to_owned(), known: RwLock::new(known) })
    }

    /// The issuer with this fingerprint.
    pub(super) fn find(&self, fingerprint: &Fingerprint) -> Option<Certificate> {
        self.read().certificates.get(fingerprint).cloned()
    }

    /// The chain that was sent as `ders`, if it was learnt before.
    pub(super) fn chain(&self, ders: &[Vec<u8>]) -> Option<Arc<[Certificate]>> {
        // Leaves without issuers differ in what was added to them.
        if ders.is_empty() {
            return None;
        }
        self.read().chains.get(&chain_id(ders)).cloned()
    }

    /// Stores the certificates of a chain whose links were checked. When it returns, they are durable.
    pub(super) fn learn(
        &self,
        ders: &[Vec<u8>],
        chain: Vec<Certificate>,
    ) -> Result<Arc<[Certificate]>, IssuerError> {
        for certificate in &chain {
            self.store(certificate)?;
        }
        let chain: Arc<[Certificate]> = chain.into();
        if !ders.is_empty() {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if known.chains.len() == MAX_CHAINS {
                known.chains.clear();
            }
            known.chains.insert(chain_id(ders), Arc::clone(&chain));
        }
        Ok(chain)
    }

    fn store(&self, certificate: &Certificate) -> Result<(), IssuerError> {
        let fingerprint = certificate.fingerprint();
        if self.find(&fingerprint).is_some() {
            return Ok(());
        }
        if self.read().certificates.len() >= MAX_ISSUERS {
            return Err(IssuerError::TooMany);
        }
        let path = self.directory.join(hex::encode(fingerprint));
        durable::make_private_directory(&self.directory)
            .and_then(|()| durable::write(&path, certificate.der(), durable::PUBLIC))
            .map_err(IssuerError::Write)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.certificates.insert(fingerprint, certificate.clone());
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Reads one file. What is half written has a name that begins with a dot.
    fn read(&mut self, path: &Path) -> io::Result<()> {
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            return Ok(());
        }
        let certificate = Certificate::from_der(&std::fs::read(path)?).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
        })?;
        self.certificates.insert(certificate.fingerprint(), certificate);
        Ok(())
    }
}

/// Names a chain by what was sent, each certificate after its length.
fn chain_id(ders: &[Vec<u8>]) -> [u8; 32] {
    let mut hasher = crypto::Hasher::new(crypto::HashAlgorithm::Sha256);
    for der in ders {
        hasher.update(&(der.len() as u64).to_be_bytes());
        hasher.update(der);
    }
    let mut id = [0; 32];
    id.copy_from_slice(hasher.finish().as_bytes());
    id
}
