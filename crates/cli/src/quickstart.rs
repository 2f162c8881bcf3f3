//! `quickstart`: a complete private Sigstore, a signature made with it, and its verification, in one command.
//!
//! Nothing here is special: the directory is made as by `init`, the server started as by `serve`, the demo user signs in through
//! the ordinary authorization code flow, and the file is signed and verified as by `sign-blob` and `verify-blob`.

mod home;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use client::file::{self, Readers};
use client::select::{RekorVersion, Services};
use client::sign::{Signed, Signer};
use jiff::Timestamp;
use net::{Client, Settings};
use serde::Serialize;
use services::idp::{UserFile, UserFileError};
use services::init::{InitOptions, Initialised};
use verify::{Artifact, Expected, Policy, Verified};
use wire::bundle::Bundle;
use wire::signing_config::SigningConfig;
use wire::trusted_root::TrustedRoot;

use crate::command_line::Globals;
use crate::config::{Config, Role, Tls};
use crate::failure::{Failure, OrFail};
use crate::init::{Settings as InitSettings, make};
use crate::input::with_ending;
use crate::online::{self, Threads};
use crate::output::say;
use crate::serve::{Server, Site, SiteOptions, terminated};
use home::Home;

/// Who signs. The address is of a domain that nobody can have (RFC 2606).
const EMAIL: &str = "demo@example.com";

/// Start a complete private Sigstore, sign a file and verify it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to sign
    file: PathBuf,
    /// Leave the server running, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// The directory of the server, instead of a new temporary one
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What a program reads of the result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    url: String,
    fingerprint: String,
    directory: PathBuf,
    artifact: PathBuf,
    bundle: PathBuf,
    trusted_root: PathBuf,
    identity: String,
    issuer: String,
    log_index: u64,
    /// How to call this program, which may not be on the path.
    #[serde(skip)]
    program: String,
    #[serde(skip)]
    kept: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, fingerprint, identity, issuer, program, .. } = self;
        let (artifact, bundle) = (self.artifact.display(), self.bundle.display());
        let trusted_root = self.trusted_root.display();
        let signer =
            format!("--certificate-identity {identity} --certificate-oidc-issuer {issuer}");
        writeln!(f, "{artifact} is signed: the proof is {bundle}\n")?;
        writeln!(f, "try next, now or later, with or without the network:")?;
        let offline = format!("--trusted-root {trusted_root} {signer}");
        writeln!(f, "  {program} verify-blob {artifact} --bundle {bundle} {offline}")?;
        writeln!(f, "  cosign verify-blob {artifact} --bundle {bundle} {offline}")?;
        writeln!(f, "  {program} bundle inspect {bundle}")?;
        if self.kept {
            writeln!(f, "\nand while the server runs:")?;
            writeln!(f, "  {program} trust add {url} --fingerprint {fingerprint}")?;
            let root = self.directory.join("tuf/1.root.json");
            write!(f, "  cosign initialize --mirror {url}/tuf --root {}", root.display())
        } else {
            writeln!(f, "\nand for a server that stays, for this once or for good:")?;
            writeln!(f, "  {program} quickstart --keep {artifact}")?;
            write!(f, "  {program} init DIR --url https://sigstore.example.com --tls")
        }
    }
}

/// Says what is done, with the time since the process began.
struct Story {
    began: Instant,
}

impl Story {
    fn tell(&self, what: impl fmt::Display) {
        say(format!("{:8.3} s  {what}", self.began.elapsed().as_secs_f64()));
    }

    fn tell_made(&self, home: &Home, initialised: &Initialised) {
        let directory = home.directory().display();
        self.tell(if initialised.made {
            format!(
                "made keys, certificates, logs and a root of trust in {directory} (for development: the offline keys are there too)"
            )
        } else {
            format!("{directory} was there already")
        });
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let story = Story { began: Instant::now() };
    if !args.file.is_file() {
        return Err(Failure::usage(format!("{} is not a file", args.file.display())));
    }
    let home = Arc::new(Home::make(args.dir.as_deref(), args.keep)?);
    let password = hex::encode(crypto::random_array::<16>());
    online::run(Threads::PerProcessor, async {
        // Whatever ends it from here on, the server is stopped and a temporary directory is removed.
        let mut signal = std::pin::pin!(terminated());
        let made = tokio::select! {
            biased;
            signal = &mut signal => return Err(interrupted(args, &home, signal)),
            made = make_server(Arc::clone(&home), password.clone()) => made?,
        };
        story.tell_made(&home, &made.initialised);
        let server = Server::start(made.site).await?;
        story.tell(format!("ready: {} serves {}", server.url(), role_names()));
        let demo = Demo { story: &story, server: &server, home: &home };
        let mut outcome = tokio::select! {
            biased;
            signal = &mut signal => Err(interrupted(args, &home, signal)),
            shown = demo.sign_and_verify(args, &made.initialised, &password) => shown,
        }
        .and_then(|report| globals.output.print(&report));
        if outcome.is_ok() && args.keep {
            story.tell(format!(
                "the server goes on at {}; sign in as {EMAIL} with the password {password}; stop it with Ctrl-C",
                server.url()
            ));
            outcome = signal.await;
        }
        server.stop().await;
        outcome
    })
}

/// What it means that somebody stops it before the end.
fn interrupted(args: &Args, home: &Home, signal: Result<(), Failure>) -> Failure {
    let stopped = || {
        Failure::undecided(format!(
            "stopped before {} was signed and verified",
            args.file.display()
        ))
        .hint(home.after_a_stop())
    };
    signal.err().unwrap_or_else(stopped)
}

/// A server that is made and not running yet.
struct Made {
    initialised: Initialised,
    site: Site,
}

/// Makes the server and its demo user. All of that is work, and no waiting.
async fn make_server(home: Arc<Home>, password: String) -> Result<Made, Failure> {
    let work = move || {
        let config = home.config()?;
        let initialised = prepare(&home, config.as_ref())?;
        let config = Config::read(home.directory())
            .or_undecided("the configuration that was just written cannot be read")?;
        let users = UserFile::at(&home.directory().join(&config.idp.users));
        let options = SiteOptions {
            passphrase_file: None,
            anchors: home.anchors(),
            new_anchor: false,
            dev: true,
        };
        std::thread::scope(|scope| {
            let adding = scope.spawn(|| establish(&users, &password));
            let site = Site::open(home.directory(), config, &options)?;
            let added = adding.join();
            added.map_err(|_| Failure::undecided("adding the demo user failed"))??;
            Ok(Made { initialised, site })
        })
    };
    tokio::task::spawn_blocking(work).await.or_undecided("making the server failed")?
}

/// Makes the demo user, or gives one that is there the new password.
fn establish(users: &UserFile, password: &str) -> Result<(), Failure> {
    match users.add(EMAIL, password, Timestamp::now()) {
        Err(UserFileError::Taken { .. }) => users.set_password(EMAIL, password),
        added => added.map(drop),
    }
    .or_undecided("the demo user cannot be made")
}

/// Makes the directory as `init` would: at the address of its own configuration if it has one, else at a free port.
fn prepare(home: &Home, config: Option<&Config>) -> Result<Initialised, Failure> {
    let (listen, url) = match config {
        Some(config) => (config.listen, config.base_url().to_owned()),
        None => free_address()?,
    };
    let options = InitOptions {
        directory: home.directory().to_owned(),
        url: url.parse().or_undecided("the address on loopback is no URL")?,
        offline: None,
        passphrase_file: None,
        root_keys: 1,
        threshold: 1,
        organization: "bulla quickstart".to_owned(),
        tls: config.is_some_and(|config| !matches!(config.tls, Tls::None)),
        anchors: home.anchors(),
        dev: true,
    };
    make(&options, &InitSettings { listen, roles: Vec::new(), require_sync: false })
}

/// A port on loopback that is free now, and the URL of a server there.
fn free_address() -> Result<(SocketAddr, String), Failure> {
    let free =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let listen = free.or_undecided("there is no free port on loopback")?;
    Ok((listen, format!("http://localhost:{}", listen.port())))
}

/// The demonstration itself.
struct Demo<'a> {
    story: &'a Story,
    server: &'a Server,
    home: &'a Home,
}

impl Demo<'_> {
    async fn sign_and_verify(
        &self,
        args: &Args,
        made: &Initialised,
        password: &str,
    ) -> Result<Report, Failure> {
        let given = self.server.client_trust_config();
        let given = given.ok_or_else(|| Failure::undecided("the trust repository is empty"))?;
        let trust = Arc::new(given.trusted_root);
        let signer = self.signer(&given.signing_config, &trust, password).await?;
        let digest =
            file::digest(&args.file, &[signer.hash_algorithm()]).map_err(Failure::undecided)?;
        let [digest] = digest.as_slice() else {
            return Err(Failure::undecided("one hash function made several digests"));
        };
        let signed = signer.sign(digest).await.map_err(crate::signing::failure)?;
        self.tell_signed(&signed);
        let bundle = with_ending(&args.file, ".sigstore.json");
        file::write(&bundle, signed.bundle.to_json().as_bytes(), Readers::Everyone)
            .map_err(Failure::undecided)?;
        self.story.tell(format!("bundle: {}", bundle.display()));
        // The server may be gone in a second: what its signatures are verified with stays.
        let trusted_root = with_ending(&args.file, ".trusted_root.json");
        file::write(&trusted_root, trust.to_json().as_bytes(), Readers::Everyone)
            .map_err(Failure::undecided)?;

        let verified = verify_offline(
            &bundle,
            &trust,
            &Artifact::from_digest(*digest),
            &self.server.issuer(),
        )?;
        let log_index = verified.entries.first().map_or(0, |entry| entry.index);
        self.story.tell(format!(
            "verified offline: signed by {EMAIL}, for whom {} vouched; in the log at index {log_index}",
            self.server.issuer()
        ));
        Ok(Report {
            url: self.server.url().to_owned(),
            fingerprint: made.fingerprint.clone(),
            directory: self.home.directory().to_owned(),
            artifact: args.file.clone(),
            bundle,
            trusted_root,
            program: program(),
            identity: EMAIL.to_owned(),
            issuer: self.server.issuer(),
            log_index,
            kept: args.keep,
        })
    }

    async fn signer(
        &self,
        config: &SigningConfig,
        trust: &Arc<TrustedRoot>,
        password: &str,
    ) -> Result<Signer, Failure> {
        let services = Services::select(config, RekorVersion::Highest, Timestamp::now(), 0)
            .or_undecided("the signing config has no services")?;
        let http = Client::new(Settings::default());
        let token = client::oidc::sign_in_by_script(
            &http,
            &self.server.issuer(),
            wire::oidc::CLIENT_ID,
            EMAIL,
            password,
        )
        .await
        .or_undecided("the demo user cannot sign in")?;
        self.story.tell(format!("{EMAIL} signed in: an ID token from {}", self.server.issuer()));
        Signer::keyless(services, http, Arc::clone(trust), token).map_err(crate::signing::failure)
    }

    fn tell_signed(&self, signed: &Signed) {
        let ms = |time: std::time::Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let times = &signed.timings;
        self.story.tell(format!(
            "certificate for a key in memory, valid for ten minutes, with the CT log's promise in it ({})",
            ms(times.certificate)
        ));
        self.story.tell(format!("timestamp of the signature ({})", ms(times.timestamp)));
        for entry in &signed.verified.entries {
            self.story.tell(format!(
                "transparency log {}: index {} ({})",
                entry.log,
                entry.index,
                ms(times.log)
            ));
        }
    }
}

/// Reads the bundle back and verifies it as anybody would, who has it and the trusted root and no network.
fn verify_offline(
    bundle: &Path,
    trust: &TrustedRoot,
    artifact: &Artifact<'_>,
    issuer: &str,
) -> Result<Verified, Failure> {
    let text = std::fs::read(bundle).or_undecided("the bundle cannot be read back")?;
    let bundle = Bundle::parse(&text).or_refused("the bundle is malformed")?;
    let expected = |text: &str| Expected::exactly(text).or_undecided("an empty expectation");
    let policy = Policy::identity(expected(EMAIL)?, expected(issuer)?);
    verify::verify(artifact, &bundle, &policy, trust).or_refused("the bundle does not verify")
}

/// The path of this program: it may have been started by another, such as `cargo run`.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "bulla".to_owned(), |path| path.display().to_string())
}

fn role_names() -> String {
    let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
    names.join(", ")
}
