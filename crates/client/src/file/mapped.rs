//! Long files, hashed where the kernel has them: copying them into a buffer first takes a fifth of the time of SHA-256.
//!
//! What is mapped is never looked at but by the hash function, so that it does not matter if somebody writes to the file
//! meanwhile: the digest is then of no version of it, as it would be after reading. Who shortens the file meanwhile ends
//! the program (SIGBUS), before anything is signed or verified.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Advice, fadvise};
use vmap::{Advise, Map};

/// The shortest file that is mapped: below, setting up a map costs more than the copy.
const MIN_LENGTH: u64 = 1 << 20;
/// How much is mapped at a time: memory stays constant, and setting up maps does not count.
const WINDOW: u64 = 16 << 20;
/// How much is hashed between two reports of progress.
const CHUNK: usize = 1 << 20;

/// Passes a file to `take`, piece by piece. `false`: it is not one to be mapped, and nothing was passed.
pub(super) fn stream(path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<bool> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() < MIN_LENGTH {
        return Ok(false);
    }
    let mut start = 0;
    while start < metadata.len() {
        // Somebody may have shortened it since.
        let left = file.metadata()?.len().saturating_sub(start);
        if left == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match window(&file, start, left.min(WINDOW)) {
            Ok(map) => map.chunks(CHUNK).for_each(&mut take),
            // Some file systems map nothing.
            Err(_) if start == 0 => return Ok(false),
            Err(error) => return Err(error),
        }
        start += left.min(WINDOW);
    }
    Ok(true)
}

fn window(file: &File, start: u64, length: u64) -> io::Result<Map> {
    let place = usize::try_from(start).map_err(io::Error::other)?;
    let extent = usize::try_from(length).map_err(io::Error::other)?;
    let map = Map::with_options().offset(place).len(extent).map(file).map_err(io::Error::other)?;
    // The disk goes on while this window is hashed. Where it cannot be told, nothing is lost.
    let _ = map.advise(Advise::Sequential);
    let _ = fadvise(file, start + length, std::num::NonZero::new(WINDOW), Advice::WillNeed);
    Ok(map)
}
