//! `init`: makes the directory of a new Sigstore.
//!
//! Everything can be said by flags or environment, nothing is asked. A second run finds what is there and changes
//! nothing.

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use services::init::{InitOptions, Initialised};
use url::Url;

use crate::command_line::Globals;
use crate::config::{Config, Role};
use crate::directories;
use crate::failure::{Failure, OrFail};
use crate::output::say;

const CONFIG: &str = include_str!("init/bulla.toml");
const ISSUERS: &str = include_str!("init/fulcio.yaml");

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory to make
    directory: PathBuf,
    /// The address under which clients will reach the server; fixed for ever
    #[arg(long, env = "BULLA_URL", default_value = "http://localhost:8700", value_name = "URL")]
    url: Url,
    /// Where the server will listen
    #[arg(
        long,
        env = "BULLA_LISTEN",
        default_value = "127.0.0.1:8700",
        value_name = "ADDRESS:PORT"
    )]
    listen: SocketAddr,
    /// The parts that will run: idp, ca, ct, rekor-v1, rekor-v2, tsa, tuf
    #[arg(long, value_delimiter = ',', value_name = "ROLES")]
    roles: Vec<Role>,
    /// Encrypt connections with a certificate authority made for this server
    #[arg(long)]
    tls: bool,
    /// Where the offline keys go, instead of DIRECTORY/offline
    #[arg(long, value_name = "DIR")]
    offline_dir: Option<PathBuf>,
    /// A file with the passphrase of the keys, instead of a new one in DIRECTORY/passphrase
    #[arg(long, env = "BULLA_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// How many holders get a key for the root of trust
    #[arg(long, default_value_t = 1, value_name = "N")]
    root_keys: u8,
    /// How many of them must sign a change of trust
    #[arg(long, default_value_t = 1, value_name = "M")]
    threshold: u8,
    /// The organisation named in certificates
    #[arg(long, default_value = "bulla", value_name = "NAME")]
    organization: String,
    /// Where the anchors against rollback are kept, outside the directory
    #[arg(long, env = "BULLA_ANCHORS", value_name = "DIR")]
    anchors: Option<PathBuf>,
    /// For development: keep everything together, and never require a synchronised clock
    #[arg(long)]
    dev: bool,
}

/// What a program reads of the result.
#[derive(Serialize)]
struct Made {
    directory: PathBuf,
    made: bool,
    url: String,
    fingerprint: String,
    offline_keys: PathBuf,
    notes: Vec<String>,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        if self.made {
            writeln!(f, "made {directory} for {}", self.url)?;
        } else {
            writeln!(f, "{directory} was there already; nothing was changed")?;
        }
        writeln!(f, "root of trust: {}", self.fingerprint)?;
        writeln!(f, "offline keys:  {} (move them away)", self.offline_keys.display())?;
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        writeln!(f, "\nnext:")?;
        writeln!(f, "  bulla user add alice@example.com --dir {directory}")?;
        writeln!(f, "  bulla serve {directory}")?;
        write!(f, "  bulla trust add {} --fingerprint {}", self.url, self.fingerprint)
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let options = args.options()?;
    let new = make(&options, &args.settings())?;
    globals.output.print(&Made {
        directory: args.directory.clone(),
        made: new.made,
        url: new.instance.url,
        fingerprint: new.fingerprint,
        offline_keys: new.offline,
        notes: new.notes,
    })
}

/// What goes into the configuration file and nowhere else.
pub(crate) struct Settings {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The parts; all of them if empty.
    pub(crate) roles: Vec<Role>,
    /// Whether signing waits for a synchronised clock.
    pub(crate) require_sync: bool,
}

/// Makes a directory, or finds that it is there.
pub(crate) fn make(options: &InitOptions, settings: &Settings) -> Result<Initialised, Failure> {
    let directory = &options.directory;
    let new = services::init::init(options, Timestamp::now())
        .or_undecided(format!("{} cannot be made", directory.display()))?;
    write_if_absent(&directory.join("bulla.toml"), &config_text(options, settings))?;
    let issuer = format!("{}/auth", new.instance.url);
    write_if_absent(&directory.join("fulcio.yaml"), &ISSUERS.replace("{issuer}", &issuer))?;
    // What was written must be readable, or `serve` would find out at night.
    Config::read(directory).map_err(|error| {
        let hint = error.hint();
        Failure::usage(error).hint(hint)
    })?;
    Ok(new)
}

impl Args {
    fn options(&self) -> Result<InitOptions, Failure> {
        Ok(InitOptions {
            directory: self.directory.clone(),
            url: self.url.clone(),
            offline: self.offline_dir.clone(),
            passphrase_file: self.passphrase_file.clone(),
            root_keys: self.root_keys,
            threshold: self.threshold,
            organization: self.organization.clone(),
            tls: self.tls,
            anchors: directories::anchors(self.anchors.as_deref(), &self.directory)?,
            dev: self.dev,
        })
    }

    fn settings(&self) -> Settings {
        let require_sync = !self.dev && directories::kernel_clock_is_synchronised();
        if !self.dev && !self.directory.join("bulla.toml").exists() {
            say(if require_sync {
                "the kernel's clock is synchronised: signing will require that it stays so ([clock] require_sync)"
            } else {
                "the kernel's clock is not synchronised: signing will not require it, and /readyz will warn"
            });
        }
        Settings { listen: self.listen, roles: self.roles.clone(), require_sync }
    }
}

fn config_text(options: &InitOptions, settings: &Settings) -> String {
    let roles = if settings.roles.is_empty() { Role::ALL } else { &settings.roles };
    let roles: Vec<_> = roles.iter().map(|role| format!("{:?}", role.name())).collect();
    CONFIG
        .replace("{url}", options.url.as_str().trim_end_matches('/'))
        .replace("{listen}", &settings.listen.to_string())
        .replace("{roles}", &roles.join(", "))
        .replace("{tls}", if options.tls { "self-made" } else { "none" })
        .replace("{require_sync}", if settings.require_sync { "true" } else { "false" })
}

/// Writes a new file, whole or not at all. One that is there is the operator's.
fn write_if_absent(path: &Path, text: &str) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    let new = path.with_extension("new");
    std::fs::File::create(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&new, path))
        .or_undecided(format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_configuration_says_what_the_defaults_are() {
        let options = InitOptions {
            directory: "d".into(),
            url: "https://sigstore.example.com".parse().unwrap(),
            offline: None,
            passphrase_file: None,
            root_keys: 1,
            threshold: 1,
            organization: "bulla".into(),
            tls: true,
            anchors: "a".into(),
            dev: false,
        };
        let settings = Settings {
            listen: "127.0.0.1:8700".parse().unwrap(),
            roles: Vec::new(),
            require_sync: false,
        };
        let text = config_text(&options, &settings);
        let path = Path::new("bulla.toml");
        let as_written = Config::parse(&text, path).unwrap();
        // What is commented out shows the default: uncommenting it changes nothing but these lists of examples.
        let uncommented: String = text
            .lines()
            .filter(|line| !line.contains("ct_log_") && !line.starts_with("# trusted_proxies"))
            .filter(|line| !line.starts_with("# metrics"))
            .filter(|line| !line.starts_with("# writes_per_second"))
            .map(|line| match line.strip_prefix("# ") {
                Some(setting) if setting.split(' ').nth(1) == Some("=") => format!("{setting}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let as_uncommented = Config::parse(&uncommented, path).unwrap();
        let show = |config: &Config| toml::to_string(config).unwrap();
        assert_eq!(show(&as_written), show(&as_uncommented));
    }
}
