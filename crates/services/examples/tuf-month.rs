//! Writes the thirty versions that a trust repository has in a month, for other programs to read.
//!
//! `cargo run -p services --example tuf-month -- DIR` makes a Sigstore in `DIR/sigstore`, deletes its offline keys, lets
//! thirty days pass, and copies the repository of each day to `DIR/01` … `DIR/30`. The last day is today. `DIR/NN/now`
//! holds the time at which that version is read.

use std::error::Error;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use services::init::{InitOptions, init};
use services::keys::{KeyDirectory, OnlineKey, Passphrase};
use services::layout::Layout;
use services::repo::TrustRepository;

const DAYS: i32 = 30;
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: tuf-month DIR")?;
    let today = Timestamp::now();
    let start = today - DAY * (DAYS - 1);
    let layout = make(&directory, start)?;
    std::fs::remove_dir_all(layout.offline())?;

    let repository = open(&layout, start)?;
    for day in 1..=DAYS {
        let now = start + DAY * (day - 1);
        if day > 1 && !repository.renew(now)? {
            return Err(format!("day {day}: nothing was renewed").into());
        }
        let copy = directory.join(format!("{day:02}"));
        copy_files(&layout.tuf(), &copy)?;
        std::fs::write(copy.join("now"), now.as_second().to_string())?;
    }
    println!("{DAYS} versions in {}", directory.display());
    Ok(())
}

fn make(directory: &Path, start: Timestamp) -> Result<Layout, Box<dyn Error>> {
    let options = InitOptions {
        directory: directory.join("sigstore"),
        url: "http://localhost:8700".parse()?,
        offline: None,
        passphrase_file: None,
        root_keys: 3,
        threshold: 2,
        organization: "Example".to_owned(),
        tls: true,
        anchors: directory.join("anchors"),
        dev: false,
    };
    let made = init(&options, start)?;
    println!("{}", made.fingerprint);
    Ok(Layout::new(options.directory))
}

fn open(layout: &Layout, now: Timestamp) -> Result<TrustRepository, Box<dyn Error>> {
    let passphrase = Passphrase::find(None, layout.directory())?;
    let keys: KeyDirectory = KeyDirectory::open(&layout.keys(), &passphrase)?;
    let (snapshot, timestamp) =
        (keys.load(OnlineKey::TufSnapshot)?, keys.load(OnlineKey::TufTimestamp)?);
    Ok(TrustRepository::open(&layout.tuf(), snapshot, timestamp, now)?)
}

fn copy_files(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_files(&entry.path(), &copy)?;
        } else {
            std::fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}
