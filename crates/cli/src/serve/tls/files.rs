//! A certificate chain and its key in files that another program renews, such as an ACME client.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use web::server::{TlsConfig, TlsError, tls_from_pem};

use super::Tls;
use super::newest::Newest;
use crate::failure::{Failure, OrFail};

/// How often the files are looked at. They are renewed weeks before they end.
const PERIOD: Duration = Duration::from_secs(60);
/// The largest file that is read: a chain has some kilobytes.
const MAX_BYTES: u64 = 1 << 20;
/// What anybody but the owner could do with a file.
const OTHERS: u32 = 0o077;

/// Where chain and key are.
pub(super) struct Files {
    chain: PathBuf,
    key: PathBuf,
}

/// When both were last changed.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Changed(SystemTime, SystemTime);

/// Why the files cannot be used. The operator's to fix.
#[derive(Debug, thiserror::Error)]
enum FilesError {
    #[error("{} cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is larger than {MAX_BYTES} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("others than its owner can use {} (mode {mode:03o})", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Files {
    pub(super) fn of(chain: PathBuf, key: PathBuf) -> Self {
        Self { chain, key }
    }

    /// Reads the files, now and whenever they change.
    pub(super) fn serve(self) -> Result<Tls, Failure> {
        let read = self.changed().and_then(|changed| Ok((changed, self.read()?)));
        let (changed, first) = read.map_err(|error| {
            let exposed = matches!(error, FilesError::Exposed { .. });
            let failure = Err::<(), _>(error).or_undecided("connections cannot be encrypted");
            match failure {
                Err(failure) if exposed => failure.hint("take the others' rights: chmod 600 FILE"),
                Err(failure) => failure,
                Ok(()) => Failure::undecided("connections cannot be encrypted"),
            }
        })?;
        let (newest, config) = Newest::starting_with(&first);
        Ok(Tls {
            config: Some(config),
            chore: Some(Box::new(move |stop| Box::pin(self.follow(changed, newest, stop)))),
        })
    }

    /// Reads the files again when they change, until the server stops. What cannot be used is not: the old certificate stays.
    async fn follow(self, mut seen: Changed, newest: Arc<Newest>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            match self.renew(seen, &newest) {
                Ok(now) if now == seen => {}
                Ok(now) => {
                    seen = now;
                    tracing::info!("the TLS certificate was read again");
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the TLS certificate was not read again");
                }
            }
        }
    }

    /// Reads the files if they have changed since `seen`. Both are renewed one after the other: while they do not belong
    /// together, this is an error and tried again.
    fn renew(&self, seen: Changed, newest: &Newest) -> Result<Changed, FilesError> {
        let now = self.changed()?;
        if now != seen {
            newest.replace(&*self.read()?);
        }
        Ok(now)
    }

    fn read(&self) -> Result<TlsConfig, FilesError> {
        let mode = metadata(&self.key)?.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(FilesError::Exposed { path: self.key.clone(), mode });
        }
        Ok(tls_from_pem(&contents(&self.chain)?, &contents(&self.key)?)?)
    }

    fn changed(&self) -> Result<Changed, FilesError> {
        let at = |path: &PathBuf| {
            let changed = metadata(path)?.modified();
            changed.map_err(|source| FilesError::Read { path: path.clone(), source })
        };
        Ok(Changed(at(&self.chain)?, at(&self.key)?))
    }
}

fn metadata(path: &PathBuf) -> Result<Metadata, FilesError> {
    std::fs::metadata(path).map_err(|source| FilesError::Read { path: path.clone(), source })
}

fn contents(path: &PathBuf) -> Result<Vec<u8>, FilesError> {
    if metadata(path)?.len() > MAX_BYTES {
        return Err(FilesError::TooLarge { path: path.clone() });
    }
    std::fs::read(path).map_err(|source| FilesError::Read { path: path.clone(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use crypto::{KeyKind, SigningKey};
    use jiff::{SignedDuration, Timestamp};
    use pki::DistinguishedName;
    use pki::issue::{Issuer, Serial, ServerName, Validity, root};

    use super::*;

    /// A chain of one certificate for `localhost`, and its key.
    fn pair() -> (String, String) {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let authority_key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
        let name = DistinguishedName::new("Example", "tls").unwrap();
        let (serial, validity) = (
            Serial::from_random(crypto::random_array()),
            Validity::starting(Timestamp::now(), SignedDuration::from_hours(1)),
        );
        let authority = root(&authority_key, &name, validity, serial).unwrap();
        let issuer = Issuer::new(authority, authority_key).unwrap();
        let names = [ServerName::Dns("localhost".into())];
        let leaf = issuer.tls_server(key.public_key(), &names, validity, serial).unwrap();
        (leaf.to_pem(), key.to_pkcs8_pem().unwrap().to_string())
    }

    /// Writes a file that only its owner reads, as of `minute`.
    fn put(path: &PathBuf, text: &str, minute: u64) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minute);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_that_was_renewed_is_served_and_half_of_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let paths = (directory.path().join("chain.pem"), directory.path().join("key.pem"));
        let (chain, key) = pair();
        put(&paths.0, &chain, 1);
        put(&paths.1, &key, 1);
        let files = Files::of(paths.0.clone(), paths.1.clone());
        let first = files.read().unwrap();
        let (newest, _) = Newest::starting_with(&first);
        let served = || newest.resolver();
        let seen = files.changed().unwrap();
        let (stop, stopped) = watch::channel(false);
        let following = tokio::spawn(files.follow(seen, Arc::clone(&newest), stopped));
        let a_while = || tokio::time::sleep(PERIOD * 2);

        a_while().await;
        assert!(Arc::ptr_eq(&served(), &first.cert_resolver), "nothing has changed");
        let (chain, key) = pair();
        put(&paths.0, &chain, 2);
        a_while().await;
        assert!(
            Arc::ptr_eq(&served(), &first.cert_resolver),
            "the key is of the other certificate"
        );
        put(&paths.1, &key, 2);
        a_while().await;
        let second = served();
        assert!(!Arc::ptr_eq(&second, &first.cert_resolver), "both are there");
        std::fs::remove_file(&paths.0).unwrap();
        a_while().await;
        assert!(Arc::ptr_eq(&served(), &second), "what is gone changes nothing");
        stop.send(true).unwrap();
        following.await.unwrap();
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::of(directory.path().join("chain.pem"), directory.path().join("key.pem"));
        std::fs::write(&files.chain, "").unwrap();
        std::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o640)
            .open(&files.key)
            .unwrap();
        assert!(matches!(files.read(), Err(FilesError::Exposed { mode: 0o640, .. })));
        std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(files.read(), Err(FilesError::Tls(TlsError::Chain))));
    }
}
