//! Certificates by an authority of one's own, such as a company's: the flags, and the files that they name.

use std::path::{Path, PathBuf};

use client::file;
use client::sign::{OwnCertificate, OwnCertificateError};
use pki::Certificate;
use pki::chain::PathError;
use verify::{OwnRoots, OwnRootsError};

use crate::failure::{Failure, OrFail};

/// The largest file with certificates. PEM text that is longer is not read.
const MAX_FILE: u64 = 1 << 20;
/// The longest chain, as in the reference client.
pub(crate) const MAX_CHAIN: usize = 32;
/// The most roots or intermediates: browsers trust some hundred and fifty.
const MAX_AUTHORITIES: usize = 512;

/// Who vouches for signers, instead of the trusted root.
#[derive(Debug, Default, Eq, PartialEq, clap::Args)]
#[command(next_help_heading = "An authority of your own")]
pub(crate) struct RootArgs {
    /// The authority that must have issued the signer's certificate, and those above it, each issued by the next, up to the
    /// root that you trust (PEM). Given several times, the files are one chain
    #[arg(long, value_name = "FILE", conflicts_with = "ca_roots")]
    certificate_chain: Vec<PathBuf>,
    /// Roots that you trust, in any order (PEM)
    #[arg(long, value_name = "FILE")]
    ca_roots: Vec<PathBuf>,
    /// Authorities between signers and those roots, in any order (PEM), besides those that stand beside a signature
    #[arg(long, value_name = "FILE", requires = "ca_roots")]
    ca_intermediates: Vec<PathBuf>,
    /// Accept whoever your authority has issued a certificate for signing to, whatever their name: an
    /// alternative name or else the subject
    #[arg(long)]
    pub(crate) any_identity: bool,
}

/// The files with roots of one's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RootFiles {
    /// One chain.
    Chain(Vec<PathBuf>),
    /// Roots, and what lies between signers and them.
    Roots { roots: Vec<PathBuf>, intermediates: Vec<PathBuf> },
}

impl RootArgs {
    /// What is meant, if an authority of one's own is.
    pub(crate) fn files(self) -> Option<RootFiles> {
        let Self { certificate_chain, ca_roots: roots, ca_intermediates: intermediates, .. } = self;
        match (certificate_chain.is_empty(), roots.is_empty()) {
            (false, _) => Some(RootFiles::Chain(certificate_chain)),
            (true, false) => Some(RootFiles::Roots { roots, intermediates }),
            (true, true) => None,
        }
    }
}

impl RootFiles {
    /// Reads the certificates.
    pub(crate) fn read(&self) -> Result<OwnRoots, Failure> {
        let roots = match self {
            Self::Chain(files) => OwnRoots::of_chain(read_all(files, MAX_CHAIN)?),
            Self::Roots { roots, intermediates } => {
                let intermediates = read_all(intermediates, MAX_AUTHORITIES)?;
                OwnRoots::new(read_all(roots, MAX_AUTHORITIES)?, intermediates)
            }
        };
        roots.or_usage("the certificates of the authority cannot be used").map_err(|failure| {
            failure.hint(match self {
                Self::Chain(_) => ORDER,
                Self::Roots { .. } => "give certificates of authorities with --ca-roots",
            })
        })
    }
}

const ORDER: &str = "begin with the authority that issues certificates to signers, and end with the root; roots and \
     intermediates in another order are given with --ca-roots and --ca-intermediates";

/// The certificate to sign with.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct OwnCertificateArgs {
    /// Sign with this certificate of an authority of your own for the key (PEM or DER)
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The authority that issued the certificate, and those above it, each issued by the next, up to the root (PEM). The
    /// bundle gets all but the root. Given several times, the files are one chain
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_chain: Vec<PathBuf>,
}

impl OwnCertificateArgs {
    /// Reads the certificate, if one was named.
    pub(crate) fn read(&self) -> Result<Option<OwnCertificate>, Failure> {
        let Some(path) = &self.certificate else { return Ok(None) };
        let leaf = read_certificate(path)?;
        let chain = read_all(&self.certificate_chain, MAX_CHAIN)?;
        Ok(Some(OwnCertificate::new(leaf, chain)))
    }
}

/// One certificate, in either of its forms.
fn read_certificate(path: &Path) -> Result<Certificate, Failure> {
    let bytes = file::read(path, MAX_FILE).map_err(Failure::undecided)?;
    let said = format!("{} holds no certificate that can be used", path.display());
    if bytes.starts_with(b"-----") {
        return Certificate::from_pem(&bytes).or_undecided(said);
    }
    Certificate::from_der(&bytes).or_undecided(said)
}

/// The certificates of a file, in PEM.
pub(crate) fn read_certificates(path: &Path, limit: usize) -> Result<Vec<Certificate>, Failure> {
    let pem = file::read(path, MAX_FILE).map_err(Failure::undecided)?;
    Certificate::chain_from_pem(&pem, limit)
        .or_undecided(format!("{} holds no certificates that can be used", path.display()))
}

/// Those of several files, one after the other.
fn read_all(files: &[PathBuf], limit: usize) -> Result<Vec<Certificate>, Failure> {
    let files: Vec<_> =
        files.iter().map(|path| read_certificates(path, limit)).collect::<Result<_, _>>()?;
    Ok(files.concat())
}

/// What it means that a certificate is not signed with.
pub(crate) fn refusal(error: OwnCertificateError) -> Failure {
    let hint = match &error {
        OwnCertificateError::OtherKey => {
            "give the key for which the certificate was issued, with --key FILE"
        }
        OwnCertificateError::Chain(OwnRootsError::Order(_)) => {
            "begin with the authority that issued the certificate, and end with the root"
        }
        OwnCertificateError::Chain(_)
        | OwnCertificateError::NoAuthority
        | OwnCertificateError::NotVouchedFor(PathError::UnknownIssuer { .. }) => {
            "give the authority that issued the certificate, and those above it up to the root, with --certificate-chain FILE"
        }
        OwnCertificateError::Nameless => {
            "ask the authority for a certificate with an e-mail address, a URI or a host name as alternative name"
        }
        OwnCertificateError::NotVouchedFor(error) => from_authority(error),
        OwnCertificateError::Unlogged(_) => {
            "verifiers ask for a certificate log's word on what a Fulcio issued: sign with a certificate that has it, and give \
             the trusted root that names the log, with --trusted-root FILE"
        }
    };
    Failure::refused(error).hint(hint)
}

/// What the holder of a certificate can do about a refusal of it.
pub(crate) const fn from_authority(error: &PathError) -> &'static str {
    match error {
        PathError::LeafIsCa => {
            "an authority's own certificate does not sign: have one issued for the signer"
        }
        PathError::Purpose { .. } | PathError::LeafKeyUsage => {
            "the signer needs a certificate for code signing from the authority"
        }
        PathError::Validity { .. } => "the signer needs a new certificate from the authority",
        PathError::UnknownIssuer { .. } | PathError::Signature { .. } => {
            "another authority issued the certificate, or one between it and the root is missing: give it with \
             --certificate-chain, or with --ca-intermediates beside --ca-roots"
        }
        _ => "ask the authority for a certificate without this fault",
    }
}
