//! A certificate by an authority of one's own, such as a company's.

use crypto::PublicKey;
use jiff::Timestamp;
use pki::Certificate;
use pki::chain::PathError;
use verify::{CertifyError, Holder, OwnPolicy, OwnRoots, OwnRootsError, check_certificate_logs};
use wire::bundle::SignerMaterial;
use wire::trusted_root::{Authority, TrustedRoot};

/// A certificate by an authority of one's own, with the certificates above it.
#[derive(Clone, Debug)]
pub struct OwnCertificate {
    leaf: Certificate,
    chain: Vec<Certificate>,
}

/// Why a certificate is not signed with.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OwnCertificateError {
    /// It is for another key.
    #[error("the certificate is for another key")]
    OtherKey,
    /// The certificates above it are no chain.
    #[error("the chain of the certificate cannot be used")]
    Chain(#[source] OwnRootsError),
    /// There are none, and the trusted root has none either.
    #[error("neither a chain nor the trusted root says who issued the certificate")]
    NoAuthority,
    /// Its names are in forms that verifiers do not read, so that none could ask for its holder.
    #[error("the certificate has no name that a verifier could ask for")]
    Nameless,
    /// Nobody would accept it now.
    #[error("no verifier would accept the certificate now")]
    NotVouchedFor(#[source] PathError),
    /// It is Fulcio's, and no verifier would accept it without a certificate log's word.
    #[error("the certificate is one of Fulcio's, and not known to be in a certificate log")]
    Unlogged(#[source] CertifyError),
}

/// Proof that a certificate is for the key, and leads to a root at the time of signing.
#[derive(Debug)]
pub(super) struct Vouched {
    material: SignerMaterial,
    roots: OwnRoots,
}

impl OwnCertificate {
    /// A certificate, and those above it from its issuer's up to the root, each issued by the next. There may be none: then
    /// the bundle has the certificate alone, and the trusted root must name its authority.
    #[must_use]
    pub fn new(leaf: Certificate, mut chain: Vec<Certificate>) -> Self {
        // A chain often begins with the certificate that it is for.
        chain.retain(|certificate| *certificate != leaf);
        Self { leaf, chain }
    }

    /// The certificate itself.
    #[must_use]
    pub const fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// Checks that verifiers will accept signatures with `key` now, before any is made and logged for ever.
    pub(super) fn vouch(
        &self,
        key: &PublicKey,
        trust: &TrustedRoot,
        now: Timestamp,
    ) -> Result<Vouched, OwnCertificateError> {
        if self.leaf.public_key() != key {
            return Err(OwnCertificateError::OtherKey);
        }
        if self.leaf.names().is_empty() {
            return Err(OwnCertificateError::Nameless);
        }
        let roots = self.roots(trust)?;
        let path = roots.path(&self.leaf, &[], now).map_err(OwnCertificateError::NotVouchedFor)?;
        check_certificate_logs(&path, trust).map_err(OwnCertificateError::Unlogged)?;
        Ok(Vouched { material: self.material(), roots })
    }

    fn roots(&self, trust: &TrustedRoot) -> Result<OwnRoots, OwnCertificateError> {
        if !self.chain.is_empty() {
            return OwnRoots::of_chain(self.chain.clone()).map_err(OwnCertificateError::Chain);
        }
        let (mut roots, mut intermediates) = (Vec::new(), Vec::new());
        for authority in &trust.certificate_authorities {
            let mut chain = certificates(authority);
            roots.extend(chain.pop());
            intermediates.append(&mut chain);
        }
        OwnRoots::new(roots, intermediates).map_err(|_| OwnCertificateError::NoAuthority)
    }

    /// The certificate alone, or with what leads to the root. The root itself stays out: trust never comes from a bundle.
    fn material(&self) -> SignerMaterial {
        let leaf = self.leaf.der().to_vec();
        let above = self.chain.iter().filter(|certificate| !certificate.is_self_signed());
        let above: Vec<_> = above.map(|certificate| certificate.der().to_vec()).collect();
        if above.is_empty() {
            return SignerMaterial::Certificate(leaf);
        }
        SignerMaterial::Chain(std::iter::once(leaf).chain(above).collect())
    }
}

/// Those of an authority that can be read; verifiers read no others either.
fn certificates(authority: &Authority) -> Vec<Certificate> {
    authority.chain.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
}

impl Vouched {
    /// How the bundle names the signer.
    pub(super) fn material(&self) -> SignerMaterial {
        self.material.clone()
    }

    /// What verifiers will ask for who trust the root.
    pub(super) fn policy(&self, present: Timestamp) -> OwnPolicy {
        OwnPolicy {
            roots: self.roots.clone(),
            holder: Holder::Anyone,
            issuer: None,
            extensions: Vec::new(),
            present,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crypto::{HashAlgorithm, KeyDetails, KeyKind, SigningKey};
    use jiff::SignedDuration;
    use pki::DistinguishedName;
    use pki::chain::Purpose;
    use pki::fulcio::{self, LeafContents, San};
    use pki::issue::{self, Issuer, LeafRequest, Serial, Validity};
    use pki::sct::{Sct, SctError};
    use wire::trusted_root::{LogInstance, TimeRange};

    use super::*;

    fn begin() -> Timestamp {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    /// A key, the certificate for it, and those above it.
    struct Employee {
        key: SigningKey,
        leaf: Certificate,
        chain: Vec<Certificate>,
    }

    fn issuer(above: Option<&Issuer>, name: &str) -> Issuer {
        let key = Arc::new(SigningKey::generate(KeyKind::EcdsaP256).unwrap());
        let name = DistinguishedName::new("Corp", name).unwrap();
        let validity = Validity::starting(begin(), SignedDuration::from_hours(1000));
        let serial = Serial::from_random([7; 20]);
        let certificate = match above {
            None => issue::root(&key, &name, validity, serial),
            Some(above) => {
                let purpose = Purpose::CodeSigning;
                above.intermediate(key.public_key(), &name, purpose, validity, serial)
            }
        };
        Issuer::new(certificate.unwrap(), key).unwrap()
    }

    fn employee() -> Employee {
        let root = issuer(None, "root");
        let intermediate = issuer(Some(&root), "intermediate");
        let chain = vec![intermediate.certificate().clone(), root.certificate().clone()];
        certified(&intermediate, chain)
    }

    /// What a certificate says.
    fn contents() -> LeafContents {
        LeafContents { san: San::Email("a@corp.example".into()), extensions: Vec::new() }
    }

    fn request<'a>(key: &'a SigningKey, contents: &'a LeafContents) -> LeafRequest<'a> {
        LeafRequest {
            key: key.public_key(),
            contents,
            serial: Serial::from_random([7; 20]),
            validity: Validity::starting(begin(), SignedDuration::from_hours(1)),
        }
    }

    /// Somebody whom `issuer` certifies, who has `chain` above.
    fn certified(issuer: &Issuer, chain: Vec<Certificate>) -> Employee {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let leaf = issuer.unlogged_certificate(&request(&key, &contents())).unwrap();
        Employee { key, leaf, chain }
    }

    fn vouch(
        employee: &Employee,
        chain: &[&Certificate],
        now: Timestamp,
    ) -> Result<Vouched, OwnCertificateError> {
        let chain = chain.iter().map(|&certificate| certificate.clone()).collect();
        let own = OwnCertificate::new(employee.leaf.clone(), chain);
        own.vouch(employee.key.public_key(), &TrustedRoot::default(), now)
    }

    #[test]
    fn the_bundle_has_everything_below_the_root() {
        let employee = employee();
        let [intermediate, root] = [&employee.chain[0], &employee.chain[1]];
        let expected =
            SignerMaterial::Chain([&employee.leaf, intermediate].map(|c| c.der().to_vec()).into());
        for chain in [&[intermediate, root][..], &[&employee.leaf, intermediate, root]] {
            assert_eq!(vouch(&employee, chain, begin()).unwrap().material(), expected);
        }
    }

    #[test]
    fn directly_below_the_root_the_bundle_has_the_certificate_alone() {
        let root = issuer(None, "root");
        let employee = certified(&root, vec![root.certificate().clone()]);
        let expected = SignerMaterial::Certificate(employee.leaf.der().to_vec());
        for chain in [&[root.certificate()][..], &[&employee.leaf, root.certificate()]] {
            assert_eq!(vouch(&employee, chain, begin()).unwrap().material(), expected);
        }
    }

    #[test]
    fn nothing_is_signed_that_nobody_would_accept() {
        let employee = employee();
        let [intermediate, root] = [&employee.chain[0], &employee.chain[1]];
        vouch(&employee, &[intermediate, root], begin()).unwrap();
        let refused = |chain: &[&Certificate]| vouch(&employee, chain, begin()).unwrap_err();
        let late = begin() + SignedDuration::from_hours(2);
        assert!(matches!(
            vouch(&employee, &[intermediate, root], late),
            Err(OwnCertificateError::NotVouchedFor(PathError::Validity { .. }))
        ));
        assert!(matches!(
            refused(&[root, intermediate]),
            OwnCertificateError::Chain(OwnRootsError::Order(_))
        ));
        assert!(matches!(
            refused(&[root]),
            OwnCertificateError::NotVouchedFor(PathError::UnknownIssuer { .. })
        ));
        assert_eq!(refused(&[]), OwnCertificateError::NoAuthority);
        let other = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let employee = Employee { key: other, ..employee };
        let chain: Vec<_> = employee.chain.iter().collect();
        let refused = vouch(&employee, &chain, begin()).unwrap_err();
        assert_eq!(refused, OwnCertificateError::OtherKey);
    }

    #[test]
    fn a_certificate_that_names_nobody_is_not_signed_with() {
        use testdata::company::{KEY, OTHER_NAME, ROOT, SUBJECT};

        let read = |pem: &str| Certificate::from_pem(pem.as_bytes()).unwrap();
        let key = SigningKey::from_pem(KEY.as_bytes()).unwrap();
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let vouch = |leaf| {
            let own = OwnCertificate::new(read(leaf), vec![read(ROOT)]);
            own.vouch(key.public_key(), &TrustedRoot::default(), now)
        };
        vouch(SUBJECT).unwrap();
        assert_eq!(vouch(OTHER_NAME).unwrap_err(), OwnCertificateError::Nameless);
    }

    /// A log, and the promise by which it vouches for a certificate that says this.
    fn logged(
        issuer: &Issuer,
        key: &SigningKey,
        contents: &LeafContents,
    ) -> (LogInstance, Certificate) {
        let log = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let precertificate = issuer.precertificate(&request(key, contents)).unwrap();
        let millis = begin().as_millisecond().try_into().unwrap();
        let sct = Sct::sign(&log, precertificate.entry(), millis, Vec::new()).unwrap();
        let promise = sct.verify(precertificate.entry(), log.public_key()).unwrap();
        let instance = LogInstance {
            base_url: "https://ct.corp.example".into(),
            hash_algorithm: HashAlgorithm::Sha256,
            public_key: log.public_key().spki_der().to_vec(),
            key_details: KeyDetails::EcdsaP256Sha256,
            valid_for: TimeRange::since(begin()),
            log_id: crypto::sha256(log.public_key().spki_der()).to_vec(),
            checkpoint_key_id: Vec::new(),
            operator: String::new(),
        };
        (instance, precertificate.finish(&promise).unwrap())
    }

    #[test]
    fn a_certificate_of_fulcio_is_not_signed_with_unless_a_known_log_has_it() {
        let root = issuer(None, "root");
        let employee = certified(&root, vec![root.certificate().clone()]);
        let issuer_of_tokens = fulcio::ISSUER_V2;
        let value = issuer_of_tokens.encode("https://issuer.example");
        let says = LeafContents { extensions: vec![(issuer_of_tokens.oid, value)], ..contents() };
        let hidden = root.unlogged_certificate(&request(&employee.key, &says)).unwrap();
        let (log, leaf) = logged(&root, &employee.key, &says);
        let none = TrustedRoot::default();
        let knowing = TrustedRoot { ctlogs: vec![log], ..none.clone() };
        let vouch = |leaf: &Certificate, trust: &TrustedRoot| {
            let own = OwnCertificate::new(leaf.clone(), employee.chain.clone());
            own.vouch(employee.key.public_key(), trust, begin()).map(drop)
        };
        vouch(&leaf, &knowing).unwrap();
        assert!(matches!(
            vouch(&hidden, &knowing),
            Err(OwnCertificateError::Unlogged(CertifyError::Sct(SctError::Missing)))
        ));
        assert_eq!(vouch(&leaf, &none), Err(OwnCertificateError::Unlogged(CertifyError::NoCtLog)));
        vouch(&employee.leaf, &none).unwrap();
    }

    #[test]
    fn without_a_chain_the_trusted_root_names_the_authority_and_the_bundle_the_leaf() {
        let employee = employee();
        let authority = Authority {
            organization: "Corp".into(),
            common_name: "root".into(),
            uri: "https://ca.corp.example".into(),
            chain: employee.chain.iter().map(|c| c.der().to_vec()).collect(),
            valid_for: TimeRange::since(begin()),
            operator: String::new(),
        };
        let trust =
            TrustedRoot { certificate_authorities: vec![authority], ..TrustedRoot::default() };
        let own = OwnCertificate::new(employee.leaf.clone(), Vec::new());
        let vouched = own.vouch(employee.key.public_key(), &trust, begin()).unwrap();
        let leaf = employee.leaf.der().to_vec();
        assert_eq!(vouched.material(), SignerMaterial::Certificate(leaf));
    }
}
