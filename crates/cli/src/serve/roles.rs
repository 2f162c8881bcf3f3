//! The parts of a server, opened and joined. Each has one function here; a part that does not run is not opened.
//!
//! Parts meet only through named traits: the certificate authority asks a `PrecertificateLog` for SCTs and a `KeySource`
//! for the keys of token issuers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crypto::PublicKey;
use jiff::{SignedDuration, Timestamp};
use pki::Certificate;
use pki::tsp::{Policy, TokenSigner};
use services::ca::{self, CertificateAuthority, Discovery, KeySource, PrecertificateLog};
use services::clock::Clock;
use services::ct::{self, CtLog};
use services::idp::{IdentityProvider, IdpSettings, UserFile};
use services::keys::OnlineKey;
use services::repo::{RoleState, TrustRepository};
use services::transparency::{Anyone, RekorV1, RekorV2};
use services::tsa::{Rules, TimestampAuthority};
use tlog::{LogState, Reader};
use tokio::sync::watch;
use web::Router;
use web::operations::{Check, Readiness, Sample, SampleKind};
use web::page::LogOnPage;
use web::timestamp::Granted;

use super::{Site, has_own_ct_log};
use crate::config::Role;
use crate::failure::{Failure, OrFail};

/// `/readyz` warns when a certificate, or a TUF role that people sign, has less than this to live: the time that it takes
/// to bring the holders of offline keys together.
const NEAR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The same for what the server itself signs every day: two days were missed.
const NEAR_ONLINE: SignedDuration = SignedDuration::from_hours(48);

/// Work that goes on beside requests until the server stops.
pub(super) type Chore =
    Box<dyn FnOnce(watch::Receiver<bool>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Everything that was opened.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) router: Router,
    pub(super) readiness: Readiness,
    pub(super) logs: Logs,
    pub(super) logs_on_page: Vec<LogOnPage>,
    pub(super) fingerprint: Option<String>,
    pub(super) trust: Option<Arc<TrustRepository>>,
    pub(super) chores: Vec<Chore>,
}

/// The logs that are open, to be closed last.
#[derive(Default)]
pub(super) struct Logs {
    ct: Option<Arc<CtLog>>,
    v1: Option<Arc<RekorV1>>,
    v2: Option<Arc<RekorV2>>,
}

impl Logs {
    /// Lets every log finish what waits.
    pub(super) async fn stop(self) {
        if let Some(log) = self.ct {
            log.stop().await;
        }
        if let Some(log) = self.v1 {
            log.stop().await;
        }
        if let Some(log) = self.v2 {
            log.stop().await;
        }
    }
}

/// Opens every part that runs.
pub(super) fn open(site: &Site) -> Result<Parts, Failure> {
    let mut parts = Parts::default();
    clock(site, &mut parts);
    let provider = if site.config.runs(Role::Idp) { Some(idp(site, &mut parts)?) } else { None };
    if site.config.runs(Role::Ct) {
        ct(site, &mut parts)?;
    }
    if site.config.runs(Role::Ca) {
        ca(site, provider, &mut parts)?;
    }
    if site.config.runs(Role::RekorV1) {
        rekor_v1(site, &mut parts)?;
    }
    if site.config.runs(Role::RekorV2) {
        rekor_v2(site, &mut parts)?;
    }
    if site.config.runs(Role::Tsa) {
        tsa(site, &mut parts)?;
    }
    if site.config.runs(Role::Tuf) {
        tuf(site, &mut parts)?;
    }
    Ok(parts)
}

impl Parts {
    fn route(&mut self, routes: Router) {
        self.router = std::mem::take(&mut self.router).merge(routes);
    }

    /// What the operator is told about a part that can work until its certificate ends.
    fn watch_certificate(&mut self, role: Role, clock: &Clock, until: Timestamp) {
        let (name, clock) = (role.name(), clock.clone());
        self.readiness.probe(move || match clock.now() {
            Ok(now) if now >= until => {
                Check::not_ready(name, format!("its certificate could be used until {until}"))
            }
            Ok(now) if until.duration_since(now) < NEAR => {
                Check::warning(name, format!("its certificate can be used until {until}"))
            }
            _ => Check::ready(name),
        });
    }

    /// What the operator is told about a log.
    fn watch_log(&mut self, name: &'static str, origin: &str, reader: &Reader) {
        let probe = reader.clone();
        self.readiness.probe(move || log_check(name, &probe.state()));
        let gauge = reader.clone();
        self.readiness.gauge(move || log_samples(name, &gauge));
        let page = reader.clone();
        self.logs_on_page.push(LogOnPage {
            name,
            origin: origin.to_owned(),
            size: Box::new(move || page.published().size.get()),
        });
    }
}

fn clock(site: &Site, parts: &mut Parts) {
    let (clock, required) = (site.clock.clone(), site.require_sync);
    parts.readiness.probe(move || match clock.now() {
        Err(error) => {
            Check::not_ready("clock", format!("{error}: nothing is signed until it is right"))
        }
        Ok(_) if !required => Check::warning(
            "clock",
            "nothing checks that the clock is synchronised: see [clock] require_sync",
        ),
        Ok(_) => Check::ready("clock"),
    });
}

fn idp(site: &Site, parts: &mut Parts) -> Result<Arc<IdentityProvider>, Failure> {
    let settings = IdpSettings {
        issuer: site.instance.at("/auth"),
        key: site.key(OnlineKey::IdentityProvider)?,
        other_keys: Vec::new(),
        users: UserFile::at(&site.directory.join(&site.config.idp.users)),
        clock: site.clock.clone(),
    };
    let provider =
        IdentityProvider::new(settings).or_undecided("the identity provider cannot start")?;
    parts.route(web::oidc::routes(Arc::clone(&provider)));
    parts.readiness.probe(|| Check::ready(Role::Idp.name()));
    Ok(provider)
}

fn ct(site: &Site, parts: &mut Parts) -> Result<(), Failure> {
    let origin = &site.instance.ct_origin;
    let chain = Site::chain(&site.layout.ca_chain())?;
    let log = CtLog::open(ct::Parts {
        options: site.log_options(site.layout.ct_log(), origin),
        key: Arc::new(site.key(OnlineKey::CtLog)?),
        roots: chain.last().cloned().into_iter().collect(),
        clock: site.clock.clone(),
    });
    let log = Arc::new(log.map_err(|error| cannot_open(Role::Ct, error))?);
    parts.route(Router::new().nest("/ct/1", web::rfc6962::routes(Arc::clone(&log))));
    parts.route(Router::new().nest("/ct/1", web::static_ct::routes(Arc::clone(&log))));
    parts.watch_log(Role::Ct.name(), origin, log.reader());
    parts.logs.ct = Some(log);
    Ok(())
}

fn ca(
    site: &Site,
    provider: Option<Arc<IdentityProvider>>,
    parts: &mut Parts,
) -> Result<(), Failure> {
    let path = site.directory.join(&site.config.ca.issuers);
    let text = std::fs::read(&path).or_undecided(format!("{} cannot be read", path.display()))?;
    let config = ca::Config::read(&text).or_usage(format!("{} cannot be used", path.display()))?;
    let chain_path = site.layout.ca_chain();
    let chain = std::fs::read_to_string(&chain_path)
        .or_undecided(format!("{} cannot be read", chain_path.display()))?;
    let (log, log_key) = precertificate_log(site, parts)?;
    let authority = CertificateAuthority::new(ca::Parts {
        config,
        keys: key_source(provider),
        signing_key: site.key(OnlineKey::CertificateAuthority)?,
        chain,
        log,
        log_key,
        clock: site.clock.clone(),
    });
    let authority = Arc::new(authority.or_undecided("the certificate authority cannot start")?);
    parts.route(web::fulcio_v2::routes(Arc::clone(&authority)));
    parts.route(web::fulcio_v1::routes(Arc::clone(&authority)));
    parts.watch_certificate(Role::Ca, &site.clock, authority.issues_until());
    Ok(())
}

/// Where the certificate authority gets its SCTs: from the log of this process, or from one elsewhere.
fn precertificate_log(
    site: &Site,
    parts: &Parts,
) -> Result<(Arc<dyn PrecertificateLog>, PublicKey), Failure> {
    if has_own_ct_log(&site.config)
        && let Some(log) = &parts.logs.ct
    {
        return Ok((Arc::clone(log) as Arc<dyn PrecertificateLog>, log.public_key().clone()));
    }
    let (Some(url), Some(path)) = (&site.config.ca.ct_log_url, &site.config.ca.ct_log_key) else {
        return Err(Failure::usage("the certificate authority has no CT log"));
    };
    let path = site.directory.join(path);
    let text = std::fs::read(&path).or_undecided(format!("{} cannot be read", path.display()))?;
    let key =
        PublicKey::from_pem(&text).or_usage(format!("{} is no public key", path.display()))?;
    let log = ca::RemoteLog::new(url).or_usage("`ct_log_url` in [ca] cannot be used")?;
    Ok((Arc::new(log), key))
}

/// Where the keys of token issuers come from: from our own identity provider without a request, from others over HTTPS.
fn key_source(provider: Option<Arc<IdentityProvider>>) -> Arc<dyn KeySource> {
    match provider {
        None => Arc::new(Discovery),
        Some(provider) => {
            let issuer = provider.issuer().to_owned();
            let keys = move || provider.key_set_json();
            Arc::new(ca::OwnIssuer::new(&issuer, keys, Arc::new(Discovery)))
        }
    }
}

fn rekor_v1(site: &Site, parts: &mut Parts) -> Result<(), Failure> {
    let shard = site.instance.rekor_v1_shard();
    let origin = shard.origin();
    let log = RekorV1::open(
        &site.log_options(site.layout.rekor_v1_log(), &origin),
        shard,
        Arc::new(site.key(OnlineKey::RekorV1)?),
        site.clock.clone(),
        Arc::new(Anyone),
    );
    let log = Arc::new(log.map_err(|error| cannot_open(Role::RekorV1, error))?);
    parts.route(web::rekor_v1::routes(Arc::clone(&log)));
    parts.watch_log(Role::RekorV1.name(), &origin, log.reader());
    parts.logs.v1 = Some(log);
    Ok(())
}

fn rekor_v2(site: &Site, parts: &mut Parts) -> Result<(), Failure> {
    let origin = &site.instance.rekor_v2_origin;
    let log = RekorV2::open(
        &site.log_options(site.layout.rekor_v2_log(), origin),
        Arc::new(site.key(OnlineKey::RekorV2)?),
        site.clock.clone(),
        Arc::new(Anyone),
    );
    let log = Arc::new(log.map_err(|error| cannot_open(Role::RekorV2, error))?);
    parts.route(web::rekor_v2::routes(Arc::clone(&log)));
    parts.watch_log(Role::RekorV2.name(), origin, log.reader());
    parts.logs.v2 = Some(log);
    Ok(())
}

fn tsa(site: &Site, parts: &mut Parts) -> Result<(), Failure> {
    let said = &site.config.tsa;
    let policy = |text: &String| {
        Policy::from_dotted(text).or_usage(format!("{text:?} in [tsa] is not a policy identifier"))
    };
    let rules = Rules {
        default_policy: policy(&said.default_policy)?,
        accepted_policies: said.accepted_policies.iter().map(policy).collect::<Result<_, _>>()?,
        allow_extensions: said.allow_extensions,
    };
    let key = Arc::new(site.key(OnlineKey::TimestampAuthority)?);
    let chain = Site::chain(&site.layout.tsa_chain())?;
    let until = chain.iter().map(Certificate::not_after).min();
    let signer = TokenSigner::new(key, chain, None, said.include_chain, wall_time())
        .or_undecided("the timestamp authority cannot start")?;
    let authority = TimestampAuthority::new(signer, rules, site.clock.clone());
    parts.route(web::timestamp::routes(Arc::new(authority), Granted::Ok));
    if let Some(until) = until {
        parts.watch_certificate(Role::Tsa, &site.clock, until);
    }
    Ok(())
}

fn tuf(site: &Site, parts: &mut Parts) -> Result<(), Failure> {
    let repository = TrustRepository::open(
        &site.layout.tuf(),
        site.key(OnlineKey::TufSnapshot)?,
        site.key(OnlineKey::TufTimestamp)?,
        wall_time(),
    );
    let repository = Arc::new(repository.or_undecided("the trust repository cannot be opened")?);
    let root = repository.file("1.root.json").map(|file| crypto::sha256(&file.contents));
    parts.fingerprint = root.map(|hash| format!("SHA256:{}", hex::encode(hash)));
    parts.route(web::tuf::routes(Arc::clone(&repository)));
    let (clock, states) = (site.clock.clone(), Arc::clone(&repository));
    parts.readiness.probe(move || tuf_check(&clock, &states));
    let (clock, states) = (site.clock.clone(), Arc::clone(&repository));
    parts.readiness.gauge(move || tuf_samples(&clock, &states));
    parts.trust = Some(Arc::clone(&repository));
    let clock = site.clock.clone();
    parts.chores.push(Box::new(move |stop| Box::pin(renew(repository, clock, stop))));
    Ok(())
}

/// The time for what is checked while the server starts. A clock that is not synchronised yet, as after a boot, does not keep
/// it from starting: requests are refused one by one until it is.
fn wall_time() -> Timestamp {
    Timestamp::now()
}

/// Keeps the trust repository fresh until the server stops.
async fn renew(repository: Arc<TrustRepository>, clock: Clock, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = repository.keep_fresh(clock) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

fn tuf_check(clock: &Clock, repository: &TrustRepository) -> Check {
    match clock.now() {
        Ok(now) => judge_roles(&repository.state(now)),
        Err(_) => Check::ready(Role::Tuf.name()),
    }
}

/// What the operator is told about the role that matters most.
fn judge_roles(states: &[RoleState]) -> Check {
    let name = Role::Tuf.name();
    let Some(first) = states.iter().min_by_key(|state| state.expires_in_seconds) else {
        return Check::not_ready(name, "there are no metadata");
    };
    if first.expires_in_seconds <= 0 {
        return Check::not_ready(
            name,
            format!("the {} role has expired: `bulla trust propose`", first.role),
        );
    }
    match states.iter().find(|state| state.expires_in_seconds < near(state.role).as_secs()) {
        None => Check::ready(name),
        Some(state) => {
            let days = state.expires_in_seconds / (24 * 3600);
            Check::warning(name, format!("the {} role expires in {days} days", state.role))
        }
    }
}

/// When the end of a TUF role is near.
fn near(role: &str) -> SignedDuration {
    if matches!(role, "snapshot" | "timestamp") { NEAR_ONLINE } else { NEAR }
}

fn tuf_samples(clock: &Clock, repository: &TrustRepository) -> Vec<Sample> {
    let Ok(now) = clock.now() else { return Vec::new() };
    let sample = |state: RoleState| Sample {
        name: "bulla_tuf_role_expiry_seconds",
        help: "Seconds until a role of the trust repository expires",
        kind: SampleKind::Gauge,
        label: Some(("role", state.role.to_owned())),
        #[expect(clippy::cast_precision_loss, reason = "seconds up to years fit")]
        value: state.expires_in_seconds as f64,
    };
    repository.state(now).into_iter().map(sample).collect()
}

fn log_check(name: &'static str, state: &LogState) -> Check {
    match state {
        LogState::Ready => Check::ready(name),
        LogState::Indexing { done, of } => {
            Check::not_ready(name, format!("indexing: {done} of {of} entries"))
        }
        LogState::Frozen => {
            Check::warning(name, "the log is frozen: it answers, and takes nothing")
        }
        LogState::Stopped { reason } => {
            Check::not_ready(name, format!("the log has stopped: {reason}; start the server again"))
        }
    }
}

/// Figures of a log, as `SampleKind` says either growing or not.
fn log_samples(name: &'static str, reader: &Reader) -> Vec<Sample> {
    let counters = reader.counters();
    let sample = |metric, help, kind, value: u64| Sample {
        name: metric,
        help,
        kind,
        label: Some(("log", name.to_owned())),
        #[expect(clippy::cast_precision_loss, reason = "counts for people")]
        value: value as f64,
    };
    use SampleKind::{Counter, Gauge};
    vec![
        sample("bulla_log_entries", "Entries in the log", Gauge, reader.published().size.get()),
        sample("bulla_log_batches", "Batches committed", Counter, counters.batches),
        sample(
            "bulla_log_repeats",
            "Submissions that were there already",
            Counter,
            counters.repeats,
        ),
        sample("bulla_log_syncs", "Syncs that a reply waited for", Counter, counters.reply_syncs),
        sample("bulla_log_other_syncs", "All other syncs", Counter, counters.other_syncs),
        sample(
            "bulla_log_written_bytes",
            "Bytes written to files",
            Counter,
            counters.bytes_written,
        ),
        sample(
            "bulla_log_payload_bytes",
            "Bytes of entries and metadata",
            Counter,
            counters.payload_bytes,
        ),
    ]
}

/// A log that does not open says why.
fn cannot_open(role: Role, error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::undecided(Opening { role: role.name(), source: Box::new(error) })
}

#[derive(Debug, thiserror::Error)]
#[error("the {role} log cannot be opened")]
struct Opening {
    role: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::operations::Condition;

    #[test]
    fn people_are_warned_a_month_ahead_and_of_a_failing_server_two_days() {
        const DAY: i64 = 24 * 3600;
        let condition = |role, days: i64| {
            let state = RoleState { role, version: 1, expires_in_seconds: days * DAY };
            judge_roles(&[state]).condition
        };
        assert_eq!(condition("root", 31), Condition::Ready);
        assert_eq!(condition("root", 29), Condition::Warning);
        assert_eq!(condition("targets", 29), Condition::Warning);
        assert_eq!(condition("timestamp", 3), Condition::Ready);
        assert_eq!(condition("snapshot", 1), Condition::Warning);
        assert_eq!(condition("root", 0), Condition::NotReady);
    }
}
