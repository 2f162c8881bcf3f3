//! Certificates by an authority of the verifier's own: each bundle that is refused beside one that is not.

use std::sync::Arc;

use crypto::{KeyKind, SigningKey, random_array};
use jiff::{SignedDuration, Timestamp};
use pki::chain::{PathError, Purpose};
use pki::fulcio::{LeafContents, San};
use pki::issue::{Issuer, LeafRequest, Serial, ServerName, Validity};
use pki::sct::SctError;
use pki::{Certificate, DistinguishedName};
use verify::{
    Artifact, CertifyError, Expected, Holder, IdentityError, MaterialError, OwnPolicy, OwnRoots,
    OwnRootsError, Policy, SignatureError, Signer as Who, Verified, VerifyError, danger,
};
use wire::bundle::{Bundle, SignerMaterial};

use crate::acceptance_6::{assert_refused, exactly};
use crate::sigstore::{
    ARTIFACT, Api, ISSUER, NAME, Signer, Sigstore, began, contents, issued, signed,
};

/// A company: what it has in common with a Sigstore are an authority, logs and clocks, but no certificate log.
struct Company(Sigstore);

fn serial() -> Serial {
    Serial::from_random(random_array())
}

fn key() -> SigningKey {
    SigningKey::generate(KeyKind::EcdsaP256).expect("a key")
}

fn validity() -> Validity {
    Validity::starting(issued(), SignedDuration::from_hours(24))
}

impl Company {
    fn new() -> Self {
        Self(Sigstore::new())
    }

    /// An employee with a certificate for a day, which no log knows and which names no issuer of tokens.
    fn employee(&self) -> Signer {
        self.unlogged(&LeafContents { san: San::Email(NAME.to_owned()), extensions: Vec::new() })
    }

    /// Somebody with a certificate for a day that says this, and which no log knows.
    fn unlogged(&self, contents: &LeafContents) -> Signer {
        let key = key();
        let request =
            LeafRequest { key: key.public_key(), contents, serial: serial(), validity: validity() };
        let certificate = self.0.intermediate.unlogged_certificate(&request).expect("a leaf");
        Signer { key, certificate }
    }

    fn root(&self) -> Certificate {
        self.0.root.certificate().clone()
    }

    fn intermediate(&self) -> Certificate {
        self.0.intermediate.certificate().clone()
    }

    /// The artifact signed, logged and timestamped, in a bundle with the chain below the root.
    fn sign(&self, signer: &Signer) -> Bundle {
        let mut bundle = self.0.sign(signer, Api::V2);
        bundle.material.signer = chain(&[&signer.certificate, &self.intermediate()]);
        bundle
    }

    /// The same without log and timestamp.
    fn sign_alone(&self, signer: &Signer) -> Bundle {
        let mut bundle = self.sign(signer);
        bundle.material.entries.clear();
        bundle.material.timestamps.clear();
        bundle
    }

    /// The policy that knows the root only.
    fn policy(&self) -> OwnPolicy {
        OwnPolicy {
            roots: OwnRoots::new(vec![self.root()], Vec::new()).expect("it is a root"),
            holder: Holder::Named(exactly(NAME)),
            issuer: None,
            extensions: Vec::new(),
            present: signed(),
        }
    }

    fn ask(&self, bundle: &Bundle, policy: OwnPolicy) -> Result<Verified, VerifyError> {
        self.ask_for(bundle, &Policy::own(policy))
    }

    /// Asks for no log.
    fn ask_alone(&self, bundle: &Bundle, policy: OwnPolicy) -> Result<Verified, VerifyError> {
        self.ask_for(bundle, &danger::ignore_transparency_logs(Policy::own(policy)))
    }

    /// The only place that calls the verifier.
    fn ask_for(&self, bundle: &Bundle, policy: &Policy) -> Result<Verified, VerifyError> {
        verify::verify(&Artifact::from_bytes(ARTIFACT), bundle, policy, &self.0.trust)
    }
}

fn chain(certificates: &[&Certificate]) -> SignerMaterial {
    SignerMaterial::Chain(certificates.iter().map(|c| c.der().to_vec()).collect())
}

#[test]
fn a_certificate_of_ones_own_authority_is_verified_without_a_certificate_log() {
    let company = Company::new();
    let employee = company.employee();
    let mut bundle = company.sign(&employee);
    let verified = company.ask(&bundle, company.policy()).expect("it is good");
    let Who::Own { name, certified, .. } = &verified.signer else { panic!("it is our own") };
    assert_eq!((name.as_str(), certified.path.issuers.len()), (NAME, 2));
    assert_eq!((verified.times.len(), verified.entries.len()), (1, 1));
    // The chain may be at the verifier's instead of in the bundle.
    bundle.material.signer = SignerMaterial::Certificate(employee.certificate.der().to_vec());
    assert_refused!(
        company.ask(&bundle, company.policy()).expect_err("nothing leads to the root"),
        VerifyError::Certificate(CertifyError::OwnPath(PathError::UnknownIssuer { .. }))
    );
    let roots = OwnRoots::of_chain(vec![company.intermediate(), company.root()]);
    let policy = OwnPolicy { roots: roots.expect("a chain"), ..company.policy() };
    company.ask(&bundle, policy).expect("it is good");
}

#[test]
fn a_log_is_asked_for_unless_it_is_not() {
    let company = Company::new();
    let bundle = company.sign_alone(&company.employee());
    company.ask_alone(&bundle, company.policy()).expect("it is good");
    assert_refused!(
        company.ask(&bundle, company.policy()).expect_err("no log has it"),
        VerifyError::Log(_)
    );
}

#[test]
fn another_root_is_refused_also_if_it_is_in_the_bundle() {
    let (ours, theirs) = (Company::new(), Company::new());
    let employee = theirs.employee();
    let mut bundle = theirs.sign_alone(&employee);
    theirs.ask_alone(&bundle, theirs.policy()).expect("it is good");
    let refused = |bundle: &Bundle| {
        assert_refused!(
            ours.ask_alone(bundle, ours.policy()).expect_err("another root"),
            VerifyError::Certificate(CertifyError::OwnPath(
                PathError::UnknownIssuer { .. } | PathError::Signature { .. }
            ))
        );
    };
    refused(&bundle);
    bundle.material.signer =
        chain(&[&employee.certificate, &theirs.intermediate(), &theirs.root()]);
    refused(&bundle);
    // It is in nobody's way where it is trusted.
    theirs.ask_alone(&bundle, theirs.policy()).expect("it is good");
}

#[test]
fn a_certificate_must_be_valid_at_the_present_unless_the_signature_is_known_to_be_older() {
    let company = Company::new();
    let employee = company.employee();
    let last = employee.certificate.not_after();
    let after = last + SignedDuration::from_secs(1);
    let at = |present: Timestamp| OwnPolicy { present, ..company.policy() };
    let alone = company.sign_alone(&employee);
    company.ask_alone(&alone, at(last)).expect("it is the last second");
    for present in [after, issued() - SignedDuration::from_secs(1)] {
        assert_refused!(
            company.ask_alone(&alone, at(present)).expect_err("it is not valid"),
            VerifyError::Certificate(CertifyError::NotValidAtPresent { .. })
        );
    }
    let mut bundle = company.sign(&employee);
    company.ask(&bundle, at(after)).expect("the timestamp is from before");
    let late = company.0.timestamp(bundle.content.signature(), after);
    bundle.material.timestamps = vec![late];
    assert_refused!(
        company.ask(&bundle, at(last)).expect_err("the timestamp is from after"),
        VerifyError::Certificate(CertifyError::Validity { .. })
    );
}

#[test]
pub(crate) fn an_intermediate_must_be_valid_as_long_as_the_leaf() {
    let company = Company::new();
    let bundle = company.sign_alone(&company.employee());
    let make = |hours| {
        let issuer = &company.0.intermediate;
        let validity = Validity::starting(began(), SignedDuration::from_hours(hours));
        let name = DistinguishedName::new("example", "intermediate").expect("a name");
        let key = issuer.certificate().public_key();
        let made =
            company.0.root.intermediate(key, &name, Purpose::CodeSigning, validity, serial());
        made.expect("an intermediate")
    };
    let leaf = bundle.material.signer.leaf().expect("a leaf").to_vec();
    for (hours, valid) in [(24 * 300, true), (24, false)] {
        let mut bundle = bundle.clone();
        let chain = vec![leaf.clone(), make(hours).der().to_vec()];
        bundle.material.signer = SignerMaterial::Chain(chain);
        let answer = company.ask_alone(&bundle, company.policy());
        if valid {
            answer.expect("it is good");
            continue;
        }
        assert_refused!(
            answer.expect_err("the intermediate has ended"),
            VerifyError::Certificate(CertifyError::OwnPath(PathError::Validity { .. }))
        );
    }
}

#[test]
fn a_certificate_for_something_else_is_refused() {
    let company = Company::new();
    let employee = company.employee();
    company.ask_alone(&company.sign_alone(&employee), company.policy()).expect("it is good");
    let names = [ServerName::Dns("www.example.com".to_owned())];
    // From the root: the intermediate is for code only.
    let server = company.0.root.tls_server(employee.key.public_key(), &names, validity(), serial());
    let server = Signer { certificate: server.expect("a certificate"), key: employee.key };
    let policy = OwnPolicy { holder: Holder::Anyone, ..company.policy() };
    assert_refused!(
        company.ask_alone(&company.sign_alone(&server), policy).expect_err("it is a web server's"),
        VerifyError::Certificate(CertifyError::OwnPath(PathError::Purpose { .. }))
    );
}

#[test]
fn an_authority_does_not_sign_by_itself() {
    let company = Company::new();
    let employee = company.employee();
    let policy = || OwnPolicy { holder: Holder::Anyone, ..company.policy() };
    company.ask_alone(&company.sign_alone(&employee), policy()).expect("it is good");
    let name = DistinguishedName::new("example", "another").expect("a name");
    let public = employee.key.public_key();
    let made =
        company.0.root.intermediate(public, &name, Purpose::CodeSigning, validity(), serial());
    let authority = Signer { certificate: made.expect("an authority"), key: employee.key };
    assert_refused!(
        company.ask_alone(&company.sign_alone(&authority), policy()).expect_err("it is a CA's"),
        VerifyError::Certificate(CertifyError::OwnPath(PathError::LeafIsCa))
    );
}

#[test]
fn a_signature_with_another_key_than_the_certificate_s_is_refused() {
    let company = Company::new();
    let employee = company.employee();
    company.ask_alone(&company.sign_alone(&employee), company.policy()).expect("it is good");
    let other = Signer { certificate: employee.certificate, key: key() };
    assert_refused!(
        company.ask_alone(&company.sign_alone(&other), company.policy()).expect_err("another key"),
        VerifyError::Signature(SignatureError::Invalid)
    );
}

#[test]
fn the_signer_s_certificate_is_the_first_and_the_root_the_last() {
    let company = Company::new();
    let employee = company.employee();
    let mut bundle = company.sign_alone(&employee);
    company.ask_alone(&bundle, company.policy()).expect("it is good");
    bundle.material.signer = chain(&[&company.intermediate(), &employee.certificate]);
    assert_refused!(
        company.ask_alone(&bundle, company.policy()).expect_err("the intermediate did not sign"),
        VerifyError::Signature(SignatureError::Invalid)
    );

    let (intermediate, root) = (company.intermediate(), company.root());
    OwnRoots::of_chain(vec![intermediate.clone(), root.clone()]).expect("each by the next");
    let turned = OwnRoots::of_chain(vec![root.clone(), intermediate.clone()]);
    assert!(matches!(turned, Err(OwnRootsError::Order(PathError::UnknownIssuer { .. }))));
    assert_eq!(OwnRoots::of_chain(Vec::new()), Err(OwnRootsError::None));
    let leaf = OwnRoots::of_chain(vec![employee.certificate.clone()]);
    assert!(matches!(leaf, Err(OwnRootsError::NotAnAuthority { .. })));
    // Roots and intermediates that are given apart have no order.
    OwnRoots::new(vec![root], vec![intermediate]).expect("a root");
}

#[test]
fn whom_the_policy_names_must_be_in_the_certificate() {
    let company = Company::new();
    let bundle = company.sign_alone(&company.employee());
    let named = |holder| OwnPolicy { holder, ..company.policy() };
    company.ask_alone(&bundle, named(Holder::Named(exactly(NAME)))).expect("it is good");
    company.ask_alone(&bundle, named(Holder::Anyone)).expect("it is good");
    let pattern = Expected::pattern(".*@example.com").expect("a pattern");
    company.ask_alone(&bundle, named(Holder::Named(pattern))).expect("it is good");
    assert_refused!(
        company
            .ask_alone(&bundle, named(Holder::Named(exactly("other@example.com"))))
            .expect_err("another name"),
        VerifyError::Identity(IdentityError::OtherName { .. })
    );
    let issuer = OwnPolicy { issuer: Some(exactly(ISSUER)), ..company.policy() };
    assert_refused!(
        company.ask_alone(&bundle, issuer).expect_err("the certificate names no issuer"),
        VerifyError::Identity(IdentityError::NoIssuer)
    );
}

#[test]
fn a_certificate_of_the_trusted_root_s_authority_may_say_more_that_is_asked_for() {
    let company = Company::new();
    let bundle = company.0.sign(&company.0.signer(), Api::V1);
    let roots = OwnRoots::new(vec![company.root()], vec![company.intermediate()]);
    let policy = OwnPolicy {
        roots: roots.expect("a root"),
        issuer: Some(exactly(ISSUER)),
        ..company.policy()
    };
    company.ask(&bundle, policy.clone()).expect("it is good");
    let policy = OwnPolicy { issuer: Some(exactly("https://other.example")), ..policy };
    assert_refused!(
        company.ask(&bundle, policy).expect_err("another issuer"),
        VerifyError::Identity(IdentityError::OtherIssuer { .. })
    );
}

#[test]
fn a_certificate_of_fulcio_must_be_in_a_certificate_log_also_for_roots_of_ones_own() {
    let mut company = Company::new();
    let says = contents(&San::Email(NAME.to_owned()), ISSUER);
    let hidden = company.sign(&company.unlogged(&says));
    let issuer = || OwnPolicy { issuer: Some(exactly(ISSUER)), ..company.policy() };
    let ignoring = danger::ignore_certificate_logs(Policy::own(issuer()));
    company.ask(&company.sign(&company.0.signer()), issuer()).expect("a log has it");
    company.ask_for(&hidden, &ignoring).expect("no log is asked for");
    // What counts is what the certificate says, whether or not anybody asks for it.
    for policy in [issuer(), company.policy()] {
        assert_refused!(
            company.ask(&hidden, policy).expect_err("no log has it"),
            VerifyError::Certificate(CertifyError::Sct(SctError::Missing))
        );
    }
    let policy = issuer();
    company.0.trust.ctlogs.clear();
    assert_refused!(
        company.ask(&hidden, policy).expect_err("no log is known"),
        VerifyError::Certificate(CertifyError::NoCtLog)
    );
    company.ask_for(&hidden, &ignoring).expect("no log is asked for");
}

#[test]
fn certificates_of_other_authorities_are_in_a_certificate_log_only_if_that_is_asked_for() {
    let company = Company::new();
    let bundle = company.sign(&company.employee());
    let policy = Policy::own(company.policy());
    company.ask_for(&bundle, &policy).expect("it is good");
    assert_refused!(
        company
            .ask_for(&bundle, &policy.with_certificate_logs(1).expect("it is one"))
            .expect_err("no log has it"),
        VerifyError::Certificate(CertifyError::Sct(SctError::Missing))
    );
}

#[test]
fn a_chain_in_a_bundle_of_version_0_3_is_for_roots_of_ones_own_only() {
    let company = Company::new();
    let bundle = company.sign(&company.0.signer());
    let identity = Policy::identity(exactly(NAME), exactly(ISSUER));
    assert_refused!(
        company.ask_for(&bundle, &identity).expect_err("Fulcio's leaves stand alone"),
        VerifyError::Material(MaterialError::ChainInVersion3)
    );
    company.ask(&bundle, company.policy()).expect("it is good");
    let key = Policy::key(key().public_key().clone());
    assert_refused!(
        company.ask_for(&bundle, &key).expect_err("it is no key's"),
        VerifyError::Material(MaterialError::CertificateInsteadOfKey)
    );
}

#[test]
fn an_issuer_under_the_same_name_is_no_issuer() {
    let company = Company::new();
    let employee = company.employee();
    company.ask_alone(&company.sign_alone(&employee), company.policy()).expect("it is good");
    let forged = Arc::new(key());
    let root = company.0.root.certificate();
    let name = DistinguishedName::new("example", "root").expect("a name");
    let self_made = pki::issue::root(
        &forged,
        &name,
        Validity::starting(began(), root.not_after().duration_since(began())),
        serial(),
    );
    let forger = Issuer::new(self_made.expect("a root"), forged).expect("its key");
    let contents = LeafContents { san: San::Email(NAME.to_owned()), extensions: Vec::new() };
    let request = LeafRequest {
        key: employee.key.public_key(),
        contents: &contents,
        serial: serial(),
        validity: validity(),
    };
    let certificate = forger.unlogged_certificate(&request).expect("a leaf");
    let bundle = company.sign_alone(&Signer { key: employee.key, certificate });
    assert_refused!(
        company.ask_alone(&bundle, company.policy()).expect_err("only the name is the root's"),
        VerifyError::Certificate(CertifyError::OwnPath(PathError::Signature { .. }))
    );
}

/// A signature with one of the company's certificates by OpenSSL.
fn openssl(company: &Company, leaf: &str) -> Bundle {
    let read = |pem: &str| Certificate::from_pem(pem.as_bytes()).expect("a certificate");
    let key = SigningKey::from_pem(testdata::company::KEY.as_bytes()).expect("a key");
    let mut bundle = company.sign_alone(&Signer { key, certificate: read(leaf) });
    bundle.material.signer = chain(&[&read(leaf)]);
    bundle
}

/// The policy that knows the root by OpenSSL.
fn openssl_policy(company: &Company, holder: Holder) -> OwnPolicy {
    let root = Certificate::from_pem(testdata::company::ROOT.as_bytes()).expect("a certificate");
    OwnPolicy {
        roots: OwnRoots::new(vec![root], Vec::new()).expect("it is a root"),
        holder,
        present: "2030-01-01T00:00:00Z".parse().expect("a time"),
        ..company.policy()
    }
}

fn name_of(verified: &Verified) -> &str {
    match &verified.signer {
        Who::Own { name, .. } => name,
        other => panic!("it is our own, not {other:?}"),
    }
}

#[test]
fn a_subject_is_a_name_where_it_is_expected_exactly_but_matches_no_pattern() {
    let company = Company::new();
    let bundle = openssl(&company, testdata::company::SUBJECT);
    let ask = |holder| company.ask_alone(&bundle, openssl_policy(&company, holder));
    let subject = "O=Corp, CN=ceo@corp.example";
    for holder in [Holder::Named(exactly(subject)), Holder::Anyone] {
        assert_eq!(name_of(&ask(holder).expect("it is the subject")), subject);
    }
    for pattern in [r".*@corp\.example", ".*", "O=Corp, CN=ceo@corp.example"] {
        let pattern = Expected::pattern(pattern).expect("a pattern");
        assert_refused!(
            ask(Holder::Named(pattern)).expect_err("it is not an address"),
            VerifyError::Identity(IdentityError::OtherName { .. })
        );
    }
}

#[test]
fn a_certificate_whose_alternative_names_cannot_be_read_is_anyone_s_by_its_subject() {
    let company = Company::new();
    let bundle = openssl(&company, testdata::company::OTHER_NAME);
    let ask = |holder| company.ask_alone(&bundle, openssl_policy(&company, holder));
    assert_eq!(name_of(&ask(Holder::Anyone).expect("it is anyone's")), "O=Corp, CN=alice");
    assert_refused!(
        ask(Holder::Named(exactly("O=Corp, CN=alice"))).expect_err("the subject is one of two"),
        VerifyError::Identity(IdentityError::NoName)
    );
}
