//! The administrator's socket: a Unix socket that only its owner can use.

use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::net::{UnixListener, UnixStream};

/// A bound socket. Its file is removed when it is dropped.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds `path`, for its owner alone. A file that a server left behind when it was killed is replaced; one on which a
    /// server still answers is not.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if another server answers there; else what the system says.
    pub async fn bind(path: &Path) -> io::Result<Self> {
        if path.exists() {
            if UnixStream::connect(path).await.is_ok() {
                return Err(io::Error::from(io::ErrorKind::AddrInUse));
            }
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        // The directory is its owner's alone (0700), so nobody gets in before this line.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

/// Serves `router` on `socket` until `stop` is ready.
pub async fn serve_socket(
    socket: Socket,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let Socket { listener, path } = socket;
    // Serving a listener that is bound does not fail.
    let _ = axum::serve(listener, router).with_graceful_shutdown(stop).await;
    let _ = std::fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_owner_gets_in_and_a_stale_file_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let first = Socket::bind(&path).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = Socket::bind(&path).await.err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        Socket::bind(&path).await.unwrap();
    }
}
