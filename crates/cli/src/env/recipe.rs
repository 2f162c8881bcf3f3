//! What each client has to be told, in the words that it understands.

use std::fmt::Write as _;
use std::path::Path;

/// The file with the root that trust begins with.
pub(super) const FIRST_ROOT: &str = "root.json";

/// What is known of the Sigstore.
pub(super) struct Facts<'a> {
    pub(super) name: &'a str,
    /// The URL of its TUF repository, without a final slash.
    pub(super) tuf: &'a str,
    /// `SHA256:` and the hexadecimal SHA-256 of its first root.
    pub(super) fingerprint: &'a str,
    /// That root, which clients are given as a file: nothing has to be fetched and checked by hand.
    pub(super) first_root: &'a str,
    /// Where files for clients are.
    pub(super) directory: &'a Path,
    /// Whether its TLS certificate is by an authority of its own.
    pub(super) has_tls_authority: bool,
}

/// What is printed, and whether files must be there for it to work.
pub(super) struct Recipe {
    pub(super) text: String,
    pub(super) needs_files: bool,
    /// Files that no other client needs, by their names.
    pub(super) files: Vec<(&'static str, String)>,
}

impl Recipe {
    fn new(text: String, needs_files: bool) -> Self {
        Self { text, needs_files, files: Vec::new() }
    }
}

impl Facts<'_> {
    pub(super) fn file(&self, name: &str) -> String {
        quoted(&self.directory.join(name).to_string_lossy())
    }

    /// The public URL: the TUF repository is below it.
    fn url(&self) -> &str {
        self.tuf.strip_suffix("/tuf").unwrap_or(self.tuf)
    }

    fn checksum(&self) -> &str {
        self.fingerprint.split_once(':').map_or(self.fingerprint, |(_, digits)| digits)
    }

    /// The first root as a file beside the others.
    pub(super) fn root_file(&self) -> (&'static str, String) {
        (FIRST_ROOT, self.first_root.to_owned())
    }

    /// The variable by which a client trusts the TLS authority, if that is needed.
    pub(super) fn tls(&self, variable: &str) -> String {
        if self.has_tls_authority {
            format!("export {variable}={}\n", self.file("tls_ca.pem"))
        } else {
            String::new()
        }
    }
}

/// For a POSIX shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

pub(super) fn cosign(facts: &Facts<'_>) -> Recipe {
    let mut text = format!("# cosign 3 and the Sigstore {}\n", facts.name);
    // cosign keeps one Sigstore in a directory, and empties it when it is initialised for another.
    let _ = writeln!(text, "export TUF_ROOT={}", facts.file("cosign-tuf"));
    text.push_str(&facts.tls("SSL_CERT_FILE"));
    let _ = writeln!(
        text,
        "cosign initialize --mirror {} --root {} --root-checksum sha256:{}",
        facts.tuf,
        facts.file(FIRST_ROOT),
        facts.checksum()
    );
    text.push_str("# from now on, in this shell:\n");
    text.push_str("#   cosign sign-blob --bundle FILE.sigstore.json FILE\n");
    text.push_str(
        "#   cosign verify-blob --bundle FILE.sigstore.json --certificate-identity NAME \
         --certificate-oidc-issuer URL FILE\n",
    );
    Recipe { files: vec![facts.root_file()], ..Recipe::new(text, true) }
}

pub(super) fn sigstore_python(facts: &Facts<'_>) -> Recipe {
    let config = facts.file("client_trust_config.json");
    let mut text = format!("# sigstore-python 4 and the Sigstore {}\n", facts.name);
    text.push_str(&facts.tls("REQUESTS_CA_BUNDLE"));
    text.push_str(&facts.tls("SSL_CERT_FILE"));
    let _ = writeln!(text, "alias sigstore=\"sigstore --trust-config {config}\"");
    text.push_str("# from now on, in this shell:\n");
    text.push_str("#   sigstore sign FILE\n");
    text.push_str(
        "#   sigstore verify identity --cert-identity NAME --cert-oidc-issuer URL FILE\n",
    );
    Recipe::new(text, true)
}

pub(super) fn sigstore_js(facts: &Facts<'_>) -> Recipe {
    let mut text = format!("# sigstore-js and the Sigstore {}\n", facts.name);
    text.push_str(&facts.tls("NODE_EXTRA_CA_CERTS"));
    let _ = writeln!(text, "export SIGSTORE_TUF_MIRROR_URL={}", quoted(facts.tuf));
    let _ = writeln!(text, "export SIGSTORE_TUF_ROOT_PATH={}", facts.file(FIRST_ROOT));
    let _ = writeln!(text, "export SIGSTORE_URL={}", quoted(facts.url()));
    text.push_str(
        "# sigstore-js takes no settings from the environment. Pass them on in your program:\n\
         #   verify(bundle, { tufMirrorURL: process.env.SIGSTORE_TUF_MIRROR_URL, tufRootPath: process.env.SIGSTORE_TUF_ROOT_PATH })\n\
         #   sign(data, { fulcioURL: process.env.SIGSTORE_URL, rekorURL: process.env.SIGSTORE_URL, tsaServerURL: process.env.SIGSTORE_URL })\n",
    );
    Recipe { files: vec![facts.root_file()], ..Recipe::new(text, true) }
}

pub(super) fn github(facts: &Facts<'_>) -> Recipe {
    let text = format!(
        "\
# GitHub Actions: a job that signs with the Sigstore {name}.
# Its certificate authority must accept the issuer https://token.actions.githubusercontent.com.
jobs:
  sign:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write # lets the job prove which workflow it is
    steps:
      - uses: actions/checkout@v4
      - run: bulla trust add {url} --fingerprint {fingerprint}
      - run: bulla sign-blob --yes ARTIFACT
",
        name = facts.name,
        url = facts.url(),
        fingerprint = facts.fingerprint,
    );
    Recipe::new(text, false)
}

pub(super) fn gitlab(facts: &Facts<'_>) -> Recipe {
    let text = format!(
        "\
# GitLab CI: a job that signs with the Sigstore {name}.
# Its certificate authority must accept the issuer of your GitLab, such as https://gitlab.com.
sign:
  id_tokens:
    SIGSTORE_ID_TOKEN: # lets the job prove which pipeline it is
      aud: sigstore
  script:
    - bulla trust add {url} --fingerprint {fingerprint}
    - bulla sign-blob --yes ARTIFACT
",
        name = facts.name,
        url = facts.url(),
        fingerprint = facts.fingerprint,
    );
    Recipe::new(text, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            name: "sigstore.example.com",
            tuf: "https://sigstore.example.com/tuf",
            fingerprint: "SHA256:abcd",
            first_root: "{}",
            directory: Path::new("."),
            has_tls_authority: true,
        }
    }

    #[test]
    fn cosign_is_initialised_once_with_the_fingerprint() {
        let text = cosign(&facts()).text;
        assert!(text.contains(
            "cosign initialize --mirror https://sigstore.example.com/tuf \
             --root './root.json' --root-checksum sha256:abcd\n"
        ));
        assert!(text.contains("export SSL_CERT_FILE='./tls_ca.pem'\n"));
    }

    /// Was wrong: they were told to fetch it with curl, which does not know an authority of the server's own.
    #[test]
    fn the_first_root_is_given_and_not_fetched() {
        for recipe in [cosign(&facts()), sigstore_js(&facts())] {
            assert_eq!(recipe.files, [("root.json", "{}".to_owned())]);
            assert!(!recipe.text.contains("curl"), "{}", recipe.text);
        }
    }

    #[test]
    fn a_public_certificate_needs_no_variable() {
        let public = Facts { has_tls_authority: false, ..facts() };
        for recipe in [cosign(&public), sigstore_python(&public), sigstore_js(&public)] {
            assert!(!recipe.text.contains("tls_ca"), "{}", recipe.text);
        }
    }

    #[test]
    fn a_path_with_a_quote_stays_one_word() {
        assert_eq!(quoted("a'b"), r"'a'\''b'");
    }
}
