//! `quickstart`: a complete private Sigstore, a signature made with it, and its verification, in one command.
//!
//! Nothing here is special: the directory is made as by `init`, the server started as by `serve`, the demo user signs in through
//! the ordinary authorization code flow, and the file is signed and verified as by `sign-blob` and `verify-blob`.

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
use services::idp::UserFile;
use services::init::{InitOptions, Initialised};
use verify::{Artifact, Expected, Policy, Verified};
use wire::bundle::Bundle;
use wire::signing_config::SigningConfig;
use wire::trusted_root::TrustedRoot;

use crate::command_line::Globals;
use crate::config::{Config, Role};
use crate::failure::{Failure, OrFail};
use crate::init::{Settings as InitSettings, make};
use crate::input::with_ending;
use crate::online;
use crate::output::say;
use crate::serve::{Server, Site, SiteOptions, terminated};

/// Who signs. The address is of a domain that nobody can have (RFC 2606).
const EMAIL: &str = "demo@example.com";

/// What was typed.
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
    identity: String,
    issuer: String,
    log_index: u64,
    #[serde(skip)]
    kept: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, fingerprint, artifact, bundle, identity, issuer, .. } = self;
        let (artifact, bundle) = (artifact.display(), bundle.display());
        writeln!(f, "{artifact} is signed: the proof is {bundle}\n")?;
        writeln!(f, "try next:")?;
        if self.kept {
            writeln!(f, "  bulla trust add {url} --fingerprint {fingerprint}")?;
            writeln!(
                f,
                "  bulla verify-blob {artifact} --certificate-identity {identity} --certificate-oidc-issuer {issuer}"
            )?;
            writeln!(
                f,
                "  cosign initialize --mirror {url}/tuf --root {}/tuf/1.root.json",
                self.directory.display()
            )?;
            write!(
                f,
                "  cosign verify-blob {artifact} --bundle {bundle} --certificate-identity {identity} --certificate-oidc-issuer {issuer}"
            )
        } else {
            writeln!(
                f,
                "  bulla quickstart --keep {artifact}     # leaves the server running, for cosign too"
            )?;
            writeln!(f, "  bulla bundle inspect {bundle}")?;
            write!(f, "  bulla init DIR --url https://sigstore.example.com     # one to keep")
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
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let story = Story { began: Instant::now() };
    if !args.file.is_file() {
        return Err(Failure::usage(format!("{} is not a file", args.file.display())));
    }
    let home = Home::make(args.dir.as_deref(), args.keep)?;
    let made = prepare(&home)?;
    story.tell(format!(
        "made keys, certificates, logs and a root of trust in {} (for development: the offline keys are there too)",
        home.directory().display()
    ));
    let password = hex::encode(crypto::random_array::<16>());
    let config = Config::read(home.directory())
        .or_undecided("the configuration that was just written cannot be read")?;
    let users = UserFile::at(&home.directory().join(&config.idp.users));
    let adding = std::thread::spawn({
        let password = password.clone();
        move || users.add(EMAIL, &password, Timestamp::now())
    });
    let options = SiteOptions {
        passphrase_file: None,
        anchors: home.anchors(),
        new_anchor: false,
        dev: true,
    };
    let site = Site::open(home.directory(), config, &options)?;
    online::run(async {
        let server = Server::start(site).await?;
        story.tell(format!("ready: {} serves {}", server.url(), role_names()));
        let added = adding.join().map_err(|_| Failure::undecided("adding the demo user failed"))?;
        match added {
            Err(services::idp::UserFileError::Taken { .. }) | Ok(_) => {}
            Err(error) => return Err(Failure::undecided(error)),
        }
        let demo = Demo { story: &story, server: &server, home: &home };
        let report = demo.sign_and_verify(args, &made, &password).await?;
        globals.output.print(&report)?;
        if args.keep {
            story.tell(format!(
                "the server goes on at {}; sign in as {EMAIL} with the password {password}; stop it with Ctrl-C",
                server.url()
            ));
            terminated().await?;
        }
        server.stop().await;
        Ok(())
    })
}

/// Makes the directory as `init` would.
fn prepare(home: &Home) -> Result<Initialised, Failure> {
    let free =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let listen: SocketAddr = free.or_undecided("there is no free port on loopback")?;
    let url = format!("http://localhost:{}", listen.port());
    let options = InitOptions {
        directory: home.directory().to_owned(),
        url: url.parse().or_undecided("the address on loopback is no URL")?,
        offline: None,
        passphrase_file: None,
        root_keys: 1,
        threshold: 1,
        organization: "bulla quickstart".to_owned(),
        tls: false,
        anchors: home.anchors(),
        dev: true,
    };
    make(&options, &InitSettings { listen, roles: Vec::new(), require_sync: false })
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

fn role_names() -> String {
    let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
    names.join(", ")
}

/// Where the server lives: a directory that was named, or a temporary one that goes when the program ends.
enum Home {
    Named(PathBuf),
    Temporary(PathBuf),
}

impl Home {
    fn make(named: Option<&Path>, keep: bool) -> Result<Self, Failure> {
        if let Some(named) = named {
            return Ok(Self::Named(named.to_owned()));
        }
        let name = format!("bulla-quickstart-{}", hex::encode(crypto::random_array::<6>()));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).or_undecided(format!("{} cannot be made", path.display()))?;
        Ok(if keep { Self::Named(path.join("server")) } else { Self::Temporary(path) })
    }

    fn directory(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Temporary(path) => path,
        }
    }

    /// Beside the data, because both go together here. A server to keep has them elsewhere.
    fn anchors(&self) -> PathBuf {
        match self {
            Self::Named(path) => with_ending(path, "-anchors"),
            Self::Temporary(path) => path.join("anchors"),
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            // What cannot be removed is in the directory for temporary files.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}
