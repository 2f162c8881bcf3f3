//! A certificate that the directory's own TLS authority issues: at each start, and every month that the server runs.

use std::sync::Arc;
use std::time::Duration;

use crypto::SigningKey;
use jiff::Timestamp;
use services::instance::Instance;
use services::keys::OnlineKey;
use services::layout::Layout;
use services::tls::{ServerCertificate, ServerCertificateError};
use tokio::sync::watch;
use web::server::{TlsConfig, TlsError, tls_from_pem};

use super::Tls;
use super::newest::Newest;
use crate::failure::{Failure, OrFail};
use crate::serve::Site;

/// How often it is looked whether a month has passed.
const PERIOD: Duration = Duration::from_secs(3600);

/// What a certificate is made of. Clients know the authority from the trust repository.
pub(super) struct SelfMade {
    layout: Layout,
    instance: Instance,
    authority: Arc<SigningKey>,
    hosts: Vec<String>,
}

/// Why there is no certificate. The operator's to fix.
#[derive(Debug, thiserror::Error)]
enum SelfMadeError {
    #[error(transparent)]
    Certificate(#[from] ServerCertificateError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl SelfMade {
    pub(super) fn of(site: &Site) -> Result<Self, Failure> {
        Ok(Self {
            layout: site.layout.clone(),
            instance: site.instance.clone(),
            authority: Arc::new(site.key(OnlineKey::TlsAuthority)?),
            hosts: site.config.hosts.clone(),
        })
    }

    /// Issues a certificate, now and every month.
    pub(super) fn serve(self) -> Result<Tls, Failure> {
        // Wall time: a clock that is not synchronised yet does not keep the server from starting.
        let now = Timestamp::now();
        let first = self.issue(now).or_undecided("connections cannot be encrypted")?;
        let (newest, config) = Newest::starting_with(&first);
        Ok(Tls {
            config: Some(config),
            chore: Some(Box::new(move |stop| Box::pin(self.follow(now, newest, stop)))),
        })
    }

    /// Issues the next one when it is time, until the server stops. What fails is tried again.
    async fn follow(
        self,
        mut issued: Timestamp,
        newest: Arc<Newest>,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            match self.renew(issued, Timestamp::now(), &newest) {
                Ok(latest) => issued = latest,
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "no new TLS certificate was issued");
                }
            }
        }
    }

    /// Issues a certificate if a month has passed since the last. Returns when the newest was issued.
    fn renew(
        &self,
        issued: Timestamp,
        now: Timestamp,
        newest: &Newest,
    ) -> Result<Timestamp, SelfMadeError> {
        if now.duration_since(issued) < ServerCertificate::RENEW_AFTER {
            return Ok(issued);
        }
        newest.replace(&*self.issue(now)?);
        tracing::info!("a new TLS certificate was issued");
        Ok(now)
    }

    fn issue(&self, now: Timestamp) -> Result<TlsConfig, SelfMadeError> {
        let authority = Arc::clone(&self.authority);
        let issued =
            ServerCertificate::issue(&self.layout, &self.instance, authority, &self.hosts, now)?;
        Ok(tls_from_pem(issued.chain.as_bytes(), issued.key.as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use services::init::{InitOptions, init};
    use services::keys::{KeyDirectory, Passphrase};

    use super::*;

    #[test]
    fn a_certificate_is_replaced_after_a_month_and_not_before() {
        let top = tempfile::tempdir().unwrap();
        let directory = top.path().join("sigstore");
        let options = InitOptions {
            directory: directory.clone(),
            url: "https://localhost:8700".parse().unwrap(),
            offline: None,
            passphrase_file: None,
            root_keys: 1,
            threshold: 1,
            organization: "Example".to_owned(),
            tls: true,
            anchors: top.path().join("anchors"),
            dev: true,
        };
        let now = Timestamp::now();
        let instance = init(&options, now).unwrap().instance;
        let layout = Layout::new(&directory);
        let passphrase = Passphrase::find(None, &directory).unwrap();
        let keys: KeyDirectory<OnlineKey> =
            KeyDirectory::open(&layout.keys(), &passphrase).unwrap();
        let authority = Arc::new(keys.load(OnlineKey::TlsAuthority).unwrap());
        let self_made = SelfMade { layout, instance, authority, hosts: Vec::new() };

        let (newest, _) = Newest::starting_with(&self_made.issue(now).unwrap());
        let first = newest.resolver();
        let almost = now + ServerCertificate::RENEW_AFTER - Duration::from_secs(1);
        assert_eq!(self_made.renew(now, almost, &newest).unwrap(), now);
        assert!(Arc::ptr_eq(&newest.resolver(), &first));
        let month = now + ServerCertificate::RENEW_AFTER;
        assert_eq!(self_made.renew(now, month, &newest).unwrap(), month);
        assert!(!Arc::ptr_eq(&newest.resolver(), &first));
    }
}
