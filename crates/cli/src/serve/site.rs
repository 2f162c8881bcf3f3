//! The directory of a server: what is in it, and what every part is given of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crypto::SigningKey;
use pki::Certificate;
use services::clock::Clock;
use services::instance::Instance;
use services::keys::{KeyDirectory, KeyRole, OnlineKey, Passphrase};
use services::layout::Layout;
use tlog::LogOptions;

use crate::config::Config;
use crate::directories::kernel_clock_is_synchronised;
use crate::failure::{Failure, OrFail};

/// How often the kernel is asked whether its clock is synchronised.
const SYNC_PERIOD: Duration = Duration::from_secs(60);
/// The longest chain of ours: what serves, and its root.
const MAX_CHAIN: usize = 4;

/// What was said on the command line.
pub(crate) struct SiteOptions {
    /// A file with the passphrase.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Where anchors are.
    pub(crate) anchors: PathBuf,
    /// Whether missing anchors are made.
    pub(crate) new_anchor: bool,
    /// Whether the clock need not be synchronised.
    pub(crate) dev: bool,
}

/// An opened directory.
pub(crate) struct Site {
    pub(crate) directory: PathBuf,
    pub(crate) config: Config,
    pub(crate) instance: Instance,
    pub(crate) layout: Layout,
    pub(crate) clock: Clock,
    /// Whether the clock refuses to tell the time while it is not synchronised.
    pub(crate) require_sync: bool,
    keys: KeyDirectory<OnlineKey>,
    anchors: PathBuf,
    new_anchor: bool,
}

impl Site {
    /// Opens a directory. Offline keys are not looked at, wherever they are.
    pub(crate) fn open(
        directory: &Path,
        config: Config,
        options: &SiteOptions,
    ) -> Result<Self, Failure> {
        let what = || format!("{} cannot be served", directory.display());
        let instance = Instance::read(directory).or_undecided(what())?.ok_or_else(|| {
            Failure::usage(format!("{} was not made by `bulla init`", directory.display()))
                .hint(format!("bulla init {}", directory.display()))
        })?;
        if instance.url != config.base_url() {
            return Err(Failure::usage(format!(
                "bulla.toml says url = {}, but the directory was made for {}",
                config.base_url(),
                instance.url
            ))
            .hint("the public name is fixed for ever: set it back, or make a new directory"));
        }
        let layout = Layout::new(directory);
        let explicit = options.passphrase_file.as_deref();
        let passphrase = Passphrase::find(explicit, directory).or_undecided(what())?;
        let keys = KeyDirectory::open(&layout.keys(), &passphrase).or_undecided(what())?;
        let require_sync = config.clock.require_sync && !options.dev;
        Ok(Self {
            directory: directory.to_owned(),
            config,
            instance,
            layout,
            clock: clock(require_sync),
            require_sync,
            keys,
            anchors: options.anchors.clone(),
            new_anchor: options.new_anchor,
        })
    }

    /// The key of a part.
    pub(crate) fn key(&self, role: OnlineKey) -> Result<SigningKey, Failure> {
        self.keys.load(role).or_undecided(format!("the key of {} cannot be used", role.name()))
    }

    /// The certificates in a PEM file.
    pub(crate) fn chain(path: &Path) -> Result<Vec<Certificate>, Failure> {
        let text =
            std::fs::read(path).or_undecided(format!("{} cannot be read", path.display()))?;
        Certificate::chain_from_pem(&text, MAX_CHAIN)
            .or_undecided(format!("{} does not hold certificates", path.display()))
    }

    /// Where and how the log in `directory` is opened.
    pub(crate) fn log_options(&self, directory: PathBuf, origin: &str) -> LogOptions {
        let options = LogOptions::new(directory, &self.anchors, origin);
        LogOptions { new_anchor: self.new_anchor, ..options }
    }
}

/// The clock of the process. Where it must be synchronised, a thread asks the kernel now and then.
fn clock(require_sync: bool) -> Clock {
    if !require_sync {
        return Clock::system(|| true);
    }
    let synchronised = Arc::new(AtomicBool::new(kernel_clock_is_synchronised()));
    let latest = Arc::clone(&synchronised);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(SYNC_PERIOD);
            latest.store(kernel_clock_is_synchronised(), Ordering::Relaxed);
        }
    });
    Clock::system(move || synchronised.load(Ordering::Relaxed))
}
