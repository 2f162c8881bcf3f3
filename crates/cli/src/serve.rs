//! `serve`: runs the servers of a directory. This is where the parts are put together.

mod logging;
mod roles;
mod site;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use services::repo::TrustRepository;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use web::operations::{Metrics, private_routes, public_routes};
use web::server::{Gate, Listener, Rate, Socket, guard, serve, serve_socket};
use wire::client_trust_config::ClientTrustConfig;

use crate::command_line::Globals;
use crate::config::{Config, Role};
use crate::failure::{Failure, OrFail};
use crate::online;
use crate::output::say;

pub(crate) use site::{Site, SiteOptions};

/// What one client may write per second on an address that others can reach, unless the configuration says otherwise.
/// A busy CI runner signs a few artifacts a second, each with three requests.
const WRITES_PER_SECOND: u32 = 50;

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory that `init` made
    directory: PathBuf,
    /// A file with the passphrase of the keys, instead of DIRECTORY/passphrase or a systemd credential
    #[arg(long, env = "BULLA_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Where the anchors against rollback are kept
    #[arg(long, env = "BULLA_ANCHORS", value_name = "DIR")]
    anchors: Option<PathBuf>,
    /// Make new anchors where there are none: this directory is the newest state that ever was
    #[arg(long)]
    new_anchor: bool,
    /// For development: never require a synchronised clock
    #[arg(long)]
    dev: bool,
}

pub(crate) fn run(args: &Args, _globals: &Globals) -> Result<(), Failure> {
    let config = Config::read(&args.directory).map_err(|error| {
        let hint = error.hint();
        Failure::usage(error).hint(hint)
    })?;
    logging::start(&config.logging)?;
    let options = SiteOptions {
        passphrase_file: args.passphrase_file.clone(),
        anchors: crate::directories::anchors(args.anchors.as_deref(), &args.directory)?,
        new_anchor: args.new_anchor,
        dev: args.dev,
    };
    let site = Site::open(&args.directory, config, &options)?;
    online::run(async {
        let server = Server::start(site).await?;
        for line in server.introduction() {
            say(line);
        }
        terminated().await?;
        say("stopping: requests under way are answered first");
        server.stop().await;
        Ok(())
    })
}

/// Waits for a signal that asks to stop.
pub(crate) async fn terminated() -> Result<(), Failure> {
    let listen = |kind| signal(kind).or_undecided("signals cannot be listened for");
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    url: String,
    names: Vec<&'static str>,
    stopping: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    logs: roles::Logs,
    trust: Option<Arc<TrustRepository>>,
}

impl Server {
    /// Opens every part and begins to answer.
    pub(crate) async fn start(site: Site) -> Result<Self, Failure> {
        let parts = roles::open(&site)?;
        let metrics = Metrics::default();
        let readiness = Arc::new(parts.readiness);
        let page = web::page::routes(web::page::Page {
            url: site.config.base_url().to_owned(),
            fingerprint: parts.fingerprint,
            readiness: Arc::clone(&readiness),
            logs: parts.logs_on_page,
        });
        let public = parts.router.merge(page).merge(public_routes(Arc::clone(&readiness)));
        let public = guard(public, Arc::new(gate(&site.config, metrics.clone())?));

        let tls = tls::config(&site)?;
        let bound = Listener::bind(site.config.listen, tls).await;
        let listener = bound.or_undecided(format!("cannot listen on {}", site.config.listen))?;
        let address = listener.address().or_undecided("the address that was bound is not known")?;

        let (stopping, stop) = watch::channel(false);
        let until_stopped = move |mut stop: watch::Receiver<bool>| async move {
            // An error means that the sender is gone, and with it the server.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let mut tasks = vec![tokio::spawn(serve(listener, public, until_stopped(stop.clone())))];

        let private = private_routes(readiness, metrics);
        let path = site.directory.join(&site.config.admin.socket);
        let socket = Socket::bind(&path).await;
        let socket = socket.or_undecided(format!("cannot listen on {}", path.display()))?;
        let admin = serve_socket(socket, private.clone(), until_stopped(stop.clone()));
        tasks.push(tokio::spawn(admin));
        if let Some(address) = site.config.admin.metrics {
            let bound = Listener::bind(address, None).await;
            let listener = bound.or_undecided(format!("cannot listen on {address}"))?;
            tasks.push(tokio::spawn(serve(listener, private, until_stopped(stop.clone()))));
        }
        for chore in parts.chores {
            tasks.push(tokio::spawn(chore(stop.clone())));
        }
        let names = site.config.roles.iter().map(|role| role.name()).collect();
        let url = site.config.base_url().to_owned();
        Ok(Self { address, url, names, stopping, tasks, logs: parts.logs, trust: parts.trust })
    }

    /// The public URL, without a final slash.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The issuer of the identity provider's tokens.
    pub(crate) fn issuer(&self) -> String {
        format!("{}/auth", self.url)
    }

    /// Everything that a client needs to be given: trusted root and signing config.
    pub(crate) fn client_trust_config(&self) -> Option<ClientTrustConfig> {
        let file = self.trust.as_ref()?.client_trust_config()?;
        ClientTrustConfig::parse(&file).ok()
    }

    /// What an operator wants to see first.
    pub(crate) fn introduction(&self) -> Vec<String> {
        vec![
            format!("serving {} on {}", self.url, self.address),
            format!("parts: {}", self.names.join(", ")),
            "ready; stop with Ctrl-C or SIGTERM".to_owned(),
        ]
    }

    /// Answers what is under way, takes nothing new, and lets every log finish.
    pub(crate) async fn stop(self) {
        let _ = self.stopping.send(true);
        for task in self.tasks {
            // A task that panicked has said so.
            let _ = task.await;
        }
        self.logs.stop().await;
    }
}

/// The rules at the public port.
fn gate(config: &Config, metrics: Metrics) -> Result<Gate, Failure> {
    let loopback = config.listen.ip().is_loopback();
    let mut hosts: Vec<String> =
        config.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    hosts.push(config.host().to_ascii_lowercase());
    if loopback {
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
    }
    let open = loopback && config.trusted_proxies.is_empty();
    let default = if open { 0 } else { WRITES_PER_SECOND };
    let writes = config.rates.writes_per_second.unwrap_or(default);
    Ok(Gate {
        hosts,
        proxies: config.proxies().or_usage("`trusted_proxies` cannot be used")?,
        writes: (writes > 0).then(|| Rate::new(writes)),
        metrics,
    })
}

/// Whether the configuration runs a part that the CA asks for SCTs.
fn has_own_ct_log(config: &Config) -> bool {
    config.ca.ct_log_url.is_none() && config.runs(Role::Ct)
}
