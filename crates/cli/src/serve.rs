//! `serve`: runs the servers of a directory. This is where the parts are put together.

mod logging;
mod roles;
mod site;
mod tls;

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use services::repo::TrustRepository;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use web::Router;
use web::operations::{Metrics, private_routes, public_routes};
use web::server::{
    Gate, Listener, Rate, Socket, TlsConfig, expected_hosts_only, guard, serve, serve_socket,
};
use wire::client_trust_config::ClientTrustConfig;

use crate::command_line::Globals;
use crate::config::{Config, Role};
use crate::directories;
use crate::failure::{Failure, OrFail};
use crate::online::{self, Threads};
use crate::output::say;

pub(crate) use site::{Site, SiteOptions};

/// What an operator reads when a log is refused.
const ANCHORS: &str = "\
Anchors: after each batch, a log notes its size and root hash in a file outside
the directory. A directory that is older than its anchors is refused, because
entries that were acknowledged would be missing: bring back the newest one. On
another machine, or after the directory was moved, there are no anchors yet. If
it is certainly the newest state that ever was, --new-anchor makes them.";

/// What one client may write per second on an address that others can reach, unless the configuration says otherwise.
/// A busy CI runner signs a few artifacts a second, each with three requests.
const WRITES_PER_SECOND: u32 = 50;
/// How long the parts may take to end when the server stops. Listeners cut requests off after ten seconds; what takes
/// longer must not keep the logs from being closed.
const FAREWELL: Duration = Duration::from_secs(15);

/// Run the servers of a directory
#[derive(Debug, clap::Args)]
#[command(after_help = ANCHORS)]
pub(crate) struct Args {
    /// The directory that `init` made
    directory: PathBuf,
    /// A file with the passphrase of the keys, instead of DIRECTORY/passphrase or a systemd credential
    #[arg(long, env = "BULLA_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Where the anchors against rollback are kept, as init was told
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
        anchors: directories::anchors(args.anchors.as_deref(), &args.directory)?,
        new_anchor: args.new_anchor,
        dev: args.dev,
    };
    if options.new_anchor {
        directories::make_private(&options.anchors)?;
    }
    let site = Site::open(&args.directory, config, &options)?;
    online::run(Threads::PerProcessor, async {
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
    tasks: JoinSet<()>,
    logs: roles::Logs,
    trust: Option<Arc<TrustRepository>>,
}

impl Server {
    /// Opens every part and begins to answer.
    pub(crate) async fn start(site: Site) -> Result<Self, Failure> {
        let metrics = Metrics::default();
        let gate = Arc::new(gate(&site.config, metrics.clone())?);
        let tls = tls::config(&site)?;
        let parts = roles::open(&site)?;
        let doors = match Doors::bind(&site, tls.config).await {
            Ok(doors) => doors,
            Err(failure) => {
                parts.logs.stop().await;
                return Err(failure);
            }
        };
        let readiness = Arc::new(parts.readiness);
        let page = web::page::routes(web::page::Page {
            url: site.config.base_url().to_owned(),
            fingerprint: parts.fingerprint,
            tls_authority: tls::authority(&site, parts.trust.as_deref()),
            readiness: Arc::clone(&readiness),
            logs: parts.logs_on_page,
        });
        let public = parts.router.merge(page).merge(public_routes(Arc::clone(&readiness)));
        let (stopping, stop) = watch::channel(false);
        let address = doors.address;
        let mut tasks = doors.open(guard(public, gate), &private_routes(readiness, metrics), &stop);
        for chore in parts.chores.into_iter().chain(tls.chore) {
            tasks.spawn(chore(stop.clone()));
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
    pub(crate) async fn stop(mut self) {
        let _ = self.stopping.send(true);
        // A task that panicked has said so.
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(FAREWELL, ended).await.is_err() {
            tracing::warn!("the server was stopped before every part had ended");
        }
        self.logs.stop().await;
    }
}

/// What is listened on. All of it is bound before anything is answered, so that a server runs wholly or not at all.
struct Doors {
    public: Listener,
    address: SocketAddr,
    admin: Socket,
    metrics: Option<Listener>,
}

impl Doors {
    async fn bind(site: &Site, tls: Option<TlsConfig>) -> Result<Self, Failure> {
        let config = &site.config;
        let proxies = config.proxies().or_usage("`trusted_proxies` cannot be used")?;
        let public = listener(config.listen, "listen", tls).await?;
        let public = public.with_proxies(proxies);
        let address = public.address().or_undecided("the address that was bound is not known")?;
        let metrics = match config.admin.metrics {
            None => None,
            Some(address) => Some(listener(address, "admin.metrics", None).await?),
        };
        let path = site.directory.join(&config.admin.socket);
        let admin = Socket::bind(&path).await;
        let admin = admin.or_undecided(format!("cannot listen on {}", path.display()))?;
        Ok(Self { public, address, admin, metrics })
    }

    /// Begins to answer: what everybody may ask, and what only the operator may.
    fn open(self, public: Router, private: &Router, stop: &watch::Receiver<bool>) -> JoinSet<()> {
        let until_stopped = || {
            let mut stop = stop.clone();
            // An error means that the sender is gone, and with it the server.
            async move { drop(stop.wait_for(|stop| *stop).await) }
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(self.public, public, until_stopped()));
        tasks.spawn(serve_socket(self.admin, private.clone(), until_stopped()));
        if let Some(metrics) = self.metrics {
            let private = expected_hosts_only(private.clone(), Vec::new());
            tasks.spawn(serve(metrics, private, until_stopped()));
        }
        tasks
    }
}

/// Listens on the address that the configuration has under `setting`.
async fn listener(
    address: SocketAddr,
    setting: &str,
    tls: Option<TlsConfig>,
) -> Result<Listener, Failure> {
    Listener::bind(address, tls).await.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AddrInUse => "stop what listens there (ss -ltnp names it)",
            ErrorKind::PermissionDenied => {
                "ports below 1024 need CAP_NET_BIND_SERVICE, which deploy/bulla.service gives"
            }
            _ => "choose an address that this machine has",
        };
        Failure::undecided_about(format!("cannot listen on {address}"), error)
            .hint(format!("{hint}, or set another `{setting}` in bulla.toml"))
    })
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
    let default = if is_for_this_machine(config) { 0 } else { WRITES_PER_SECOND };
    let writes = config.rates.writes_per_second.unwrap_or(default);
    Ok(Gate {
        hosts,
        proxies: config.proxies().or_usage("`trusted_proxies` cannot be used")?,
        writes: (writes > 0).then(|| Rate::new(writes)),
        metrics,
    })
}

/// Whether only programs of this machine are served. A public name of another host means that others come through
/// something that listens there, declared or not.
fn is_for_this_machine(config: &Config) -> bool {
    let host = config.host().trim_matches(['[', ']']);
    let named_so = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    named_so && config.listen.ip().is_loopback() && config.trusted_proxies.is_empty()
}

/// Whether the configuration runs a part that the CA asks for SCTs.
fn has_own_ct_log(config: &Config) -> bool {
    config.ca.ct_log_url.is_none() && config.runs(Role::Ct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_for_this_machine_has_no_limit() {
        let limited = |url: &str, more: &str| {
            let text = format!("format = 1\nurl = '{url}'\nlisten = '127.0.0.1:8700'\n{more}");
            let config = Config::parse(&text, std::path::Path::new("bulla.toml")).unwrap();
            gate(&config, Metrics::default()).unwrap().writes.is_some()
        };
        for local in ["http://localhost:8700", "http://127.0.0.1:8700", "http://[::1]:8700"] {
            assert!(!limited(local, ""), "{local}");
            assert!(limited(local, "trusted_proxies = ['127.0.0.1']"), "{local}");
        }
        assert!(limited("https://sigstore.example.com", ""));
        assert!(limited("http://localhost.example.com", ""));
    }
}
