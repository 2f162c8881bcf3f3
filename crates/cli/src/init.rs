//! `init`: makes the directory of a new Sigstore.
//!
//! Everything can be said by flags or environment, nothing is asked. A second run finds what is there and changes
//! nothing.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::ArgAction;
use clap::builder::FalseyValueParser;
use jiff::Timestamp;
use serde::Serialize;
use services::init::{
    CertificatesError, InitError, InitOptions, Initialised, Instance, InstanceError,
};
use url::{Host, Url};

use crate::command_line::Globals;
use crate::config::{Config, Role};
use crate::directories;
use crate::failure::{Failure, OrFail};
use crate::output::say;

const CONFIG: &str = include_str!("init/bulla.toml");
/// Where a server is that only this machine uses.
const DEFAULT_URL: &str = "http://localhost:8700";
/// Where a server listens whose URL says nothing of this machine.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8700);
const ISSUERS: &str = include_str!("init/fulcio.yaml");

/// Make the directory of a new Sigstore: keys, certificates, trust root, configuration
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory to make
    directory: PathBuf,
    /// The address under which clients will reach the server; fixed for ever [default: http://localhost:8700]
    #[arg(long, env = "BULLA_URL", value_name = "URL")]
    url: Option<Url>,
    /// Where the server will listen; by default at the port of a URL of this machine, else at 127.0.0.1:8700
    #[arg(long, env = "BULLA_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The parts that will run: idp, ca, ct, rekor-v1, rekor-v2, tsa, tuf
    #[arg(long, env = "BULLA_ROLES", value_delimiter = ',', value_name = "ROLES")]
    roles: Vec<Role>,
    /// Encrypt connections with a certificate authority made for this server
    #[arg(long, env = "BULLA_TLS", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    tls: bool,
    /// Where the offline keys go, instead of DIRECTORY/offline
    #[arg(long, env = "BULLA_OFFLINE_DIR", value_name = "DIR")]
    offline_dir: Option<PathBuf>,
    /// A file with the passphrase of the keys, instead of a new one in DIRECTORY/passphrase
    #[arg(long, env = "BULLA_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// How many holders get a key for the root of trust
    #[arg(long, env = "BULLA_ROOT_KEYS", default_value_t = 1, value_name = "N")]
    root_keys: u8,
    /// How many of them must sign a change of trust
    #[arg(long, env = "BULLA_THRESHOLD", default_value_t = 1, value_name = "M")]
    threshold: u8,
    /// The organisation named in certificates
    #[arg(long, env = "BULLA_ORGANIZATION", default_value = "bulla", value_name = "NAME")]
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
    let settings = args.settings(&options.url);
    let new = make(&options, &settings)?;
    if new.made && !args.dev {
        say(if settings.require_sync {
            "the kernel's clock is synchronised: signing will require that it stays so ([clock] require_sync)"
        } else {
            "the kernel's clock is not synchronised: signing will not require it, and /readyz will warn"
        });
    }
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

/// Makes a directory, or finds that it is there. A configuration that could not be served leaves nothing behind.
pub(crate) fn make(options: &InitOptions, settings: &Settings) -> Result<Initialised, Failure> {
    let directory = &options.directory;
    let path = directory.join("bulla.toml");
    let text = config_text(options, settings);
    let config = if path.exists() { Config::read(directory) } else { Config::parse(&text, &path) };
    config.map_err(|error| {
        let hint = error.hint();
        Failure::usage(error).hint(hint)
    })?;
    let made = services::init::init(options, Timestamp::now());
    let mut new = made.map_err(|error| failure(directory, error))?;
    write_if_absent(&path, &text)?;
    let issuer = format!("{}/auth", new.instance.url);
    write_if_absent(&directory.join("fulcio.yaml"), &ISSUERS.replace("{issuer}", &issuer))?;
    if new.made && behind_proxy(options, settings) {
        new.notes.push(format!(
            "put a proxy before {} that ends TLS for {} and sets X-Forwarded-For; one on this machine is believed (trusted_proxies)",
            settings.listen, new.instance.url
        ));
    }
    Ok(new)
}

/// What it means that a directory was not made.
fn failure(directory: &Path, error: InitError) -> Failure {
    let doing = format!("{} cannot be made", directory.display());
    let hint = match &error {
        InitError::OtherUrl { .. } => "leave out --url, or name another directory",
        InitError::Holders { .. } => "let --threshold M be at most --root-keys N",
        InitError::Certificates(CertificatesError::Name(_)) => {
            "give a shorter name with --organization"
        }
        InitError::Instance(InstanceError::Url { .. }) => {
            "name it as clients will: --url https://sigstore.example.com"
        }
        _ => return Failure::undecided_about(doing, error),
    };
    Failure::usage_about(doing, error).hint(hint)
}

/// Whether somebody else must end TLS: clients use `https:`, and the server itself speaks plain HTTP on loopback.
fn behind_proxy(options: &InitOptions, settings: &Settings) -> bool {
    options.url.scheme() == "https" && !options.tls && settings.listen.ip().is_loopback()
}

impl Args {
    fn options(&self) -> Result<InitOptions, Failure> {
        Ok(InitOptions {
            directory: self.directory.clone(),
            url: self.url()?,
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

    /// The URL that was typed, else that of a directory that is there.
    fn url(&self) -> Result<Url, Failure> {
        if let Some(typed) = &self.url {
            return Ok(typed.clone());
        }
        let found = Instance::read(&self.directory)
            .map_err(|error| failure(&self.directory, error.into()))?;
        let url = found.map_or_else(|| DEFAULT_URL.to_owned(), |instance| instance.url);
        url.parse().or_undecided(format!("{url} is no URL"))
    }

    fn settings(&self, url: &Url) -> Settings {
        let require_sync = !self.dev && directories::kernel_clock_is_synchronised();
        let listen = self.listen.unwrap_or_else(|| address_of(url));
        Settings { listen, roles: self.roles.clone(), require_sync }
    }
}

/// Where a server at `url` is reached, if that is on this machine; else behind what ends TLS for it.
fn address_of(url: &Url) -> SocketAddr {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain("localhost")) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => return DEFAULT_ADDRESS,
    };
    match url.port_or_known_default() {
        Some(port) if address.is_loopback() => SocketAddr::new(address, port),
        _ => DEFAULT_ADDRESS,
    }
}

fn config_text(options: &InitOptions, settings: &Settings) -> String {
    let roles = if settings.roles.is_empty() { Role::ALL } else { &settings.roles };
    let roles: Vec<_> = roles.iter().map(|role| format!("{:?}", role.name())).collect();
    CONFIG
        .replace("{url}", options.url.as_str().trim_end_matches('/'))
        .replace("{listen}", &settings.listen.to_string())
        .replace("{roles}", &roles.join(", "))
        .replace(
            "{trusted_proxies}",
            if behind_proxy(options, settings) {
                r#"trusted_proxies = ["127.0.0.1", "::1"]"#
            } else {
                r#"# trusted_proxies = ["127.0.0.1"]"#
            },
        )
        .replace("{tls}", if options.tls { "self-made" } else { "none" })
        .replace("{require_sync}", if settings.require_sync { "true" } else { "false" })
}

/// Writes a new file, whole or not at all. One that is there is the operator's.
fn write_if_absent(path: &Path, text: &str) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    write_durably(path, text).or_undecided(format!("{} cannot be written", path.display()))
}

fn write_durably(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    // A rename is lost with the power until its directory is on disk too.
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn options(directory: &Path, url: &str, tls: bool) -> InitOptions {
        InitOptions {
            directory: directory.into(),
            url: url.parse().unwrap(),
            offline: None,
            passphrase_file: None,
            root_keys: 1,
            threshold: 1,
            organization: "bulla".into(),
            tls,
            anchors: directory.join("anchors"),
            dev: false,
        }
    }

    fn settings(listen: &str, roles: &[Role]) -> Settings {
        Settings { listen: listen.parse().unwrap(), roles: roles.to_vec(), require_sync: false }
    }

    #[test]
    fn what_could_not_be_served_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("server");
        let refused = [
            ("http://localhost:8700", true, "127.0.0.1:8700", Role::ALL),
            ("https://sigstore.example.com", false, "0.0.0.0:8700", Role::ALL),
            ("https://sigstore.example.com/path", true, "0.0.0.0:8700", Role::ALL),
            ("https://sigstore.example.com", true, "0.0.0.0:8700", &[Role::Ca]),
        ];
        for (url, tls, listen, roles) in refused {
            let options = options(&directory, url, tls);
            let failure = make(&options, &settings(listen, roles)).unwrap_err();
            assert!(failure.to_text().contains("hint: "), "{}", failure.to_text());
            assert!(!directory.exists(), "{url} {listen}");
        }
    }

    /// Was wrong: it listened at another port than the one that clients were told.
    #[test]
    fn a_server_of_this_machine_listens_where_its_url_says() {
        for (url, listen) in [
            ("http://localhost:8735", "127.0.0.1:8735"),
            ("http://127.0.0.2", "127.0.0.2:80"),
            ("http://[::1]:9", "[::1]:9"),
            ("https://sigstore.example.com:8443", "127.0.0.1:8700"),
            ("https://192.0.2.1", "127.0.0.1:8700"),
        ] {
            assert_eq!(address_of(&url.parse().unwrap()).to_string(), listen, "{url}");
        }
    }

    #[test]
    fn a_directory_that_is_there_needs_no_url() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("server");
        let words = |words: &[&str]| {
            let path = directory.to_str().unwrap();
            let common = ["init", path, "--anchors", parent.path().to_str().unwrap()];
            Typed::try_parse_from(common.iter().chain(words)).unwrap().args.options()
        };
        let first = words(&["--url", "http://localhost:8735"]).unwrap();
        make(&first, &settings("127.0.0.1:8735", &[])).unwrap();
        let again = words(&[]).unwrap();
        assert_eq!(again.url, first.url);
        assert!(!make(&again, &settings("127.0.0.1:8700", &[])).unwrap().made);
        let other = words(&["--url", "http://localhost:8736"]).unwrap();
        let told = make(&other, &settings("127.0.0.1:8736", &[])).unwrap_err().to_text();
        assert!(told.contains("hint: leave out --url"), "{told}");
    }

    #[derive(clap::Parser)]
    struct Typed {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn https_without_tls_of_its_own_believes_a_proxy_on_this_machine() {
        let proxies = |url: &str, tls: bool| {
            let options = options(Path::new("d"), url, tls);
            let text = config_text(&options, &settings("127.0.0.1:8700", &[]));
            Config::parse(&text, Path::new("bulla.toml")).unwrap().trusted_proxies
        };
        assert_eq!(proxies("https://sigstore.example.com", false), ["127.0.0.1", "::1"]);
        assert_eq!(proxies("https://sigstore.example.com", true), [""; 0]);
        assert_eq!(proxies("http://localhost:8700", false), [""; 0]);
    }

    #[test]
    fn the_example_configuration_says_what_the_defaults_are() {
        let options = options(Path::new("d"), "https://sigstore.example.com", true);
        let settings = settings("127.0.0.1:8700", &[]);
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
