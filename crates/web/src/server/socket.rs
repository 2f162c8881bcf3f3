//! The administrator's socket: a Unix socket that only its owner can use.

use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::net::{UnixListener, UnixStream};

/// A bound socket. Its file is removed when [`serve_socket`] ends.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds `path`, for its owner alone. A socket that a server left behind when it was killed is replaced; one on
    /// which a server still answers is not, and neither is a file of any other kind.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if another server answers there, `AlreadyExists` if something is there that is not a socket;
    /// else what the system says.
    pub async fn bind(path: &Path) -> io::Result<Self> {
        make_room(path).await?;
        let listener = UnixListener::bind(path)?;
        // Until this line the umask decides. To connect takes write permission, which the usual 022 gives to the
        // owner alone; under a umask that gives it to others, only a closed directory keeps them out.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

/// Removes the socket of a server that is gone.
async fn make_room(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::from(io::ErrorKind::AlreadyExists));
    }
    if UnixStream::connect(path).await.is_ok() {
        return Err(io::Error::from(io::ErrorKind::AddrInUse));
    }
    std::fs::remove_file(path)
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

    #[tokio::test]
    async fn a_file_that_is_not_a_socket_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        std::fs::write(&path, "precious").unwrap();
        let refused = Socket::bind(&path).await.err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
