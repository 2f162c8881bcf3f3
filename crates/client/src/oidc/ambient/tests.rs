//! Where a token is looked for, and what a place that should have one says when it has none.

use std::collections::HashMap;

use net::{Retry, Settings};

use super::*;
use crate::oidc::tests::{Answer, serve};

struct Machine {
    variables: HashMap<&'static str, String>,
    root: tempfile::TempDir,
}

impl Machine {
    fn new(variables: &[(&'static str, &str)]) -> Self {
        let variables =
            variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { variables, root: tempfile::tempdir().unwrap() }
    }

    async fn find(&self) -> Result<Option<String>, AmbientError> {
        let http = Client::new(Settings::default());
        let surroundings = Surroundings {
            variable: &|name| self.variables.get(name).cloned(),
            root: self.root.path(),
            http: &http,
            audience: "sigstore",
        };
        Ok(find(&surroundings).await?.map(|token| token.to_string()))
    }

    async fn hint(&self) -> &'static str {
        match self.find().await {
            Err(AmbientError::NotSetUp { hint, .. }) => hint,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_desk_has_no_token() {
    assert_eq!(Machine::new(&[("SIGSTORE_ID_TOKEN", "")]).find().await.unwrap(), None);
}

#[tokio::test]
async fn what_was_put_there_on_purpose_comes_first() {
    let machine = Machine::new(&[("SIGSTORE_ID_TOKEN", "mine"), ("GITHUB_ACTIONS", "true")]);
    assert_eq!(machine.find().await.unwrap().as_deref(), Some("mine"));

    let machine = Machine::new(&[("GITHUB_ACTIONS", "true")]);
    let folder = machine.root.path().join("var/run/sigstore/cosign");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("oidc-token"), "a file\n").unwrap();
    assert_eq!(machine.find().await.unwrap().as_deref(), Some("a file\n"));
}

#[tokio::test]
async fn github_gives_a_token_for_the_audience_and_is_asked_again_after_an_empty_answer() {
    let server = serve(|request, turn| {
        assert_eq!(request.target, "/token?version=2&audience=sigstore");
        assert!(request.text.contains("authorization: bearer secret"), "{}", request.text);
        if turn == 0 { Answer::ok("") } else { Answer::ok(r#"{"count":1,"value":"from github"}"#) }
    })
    .await;
    let url = format!("{server}/token?version=2");
    let machine = Machine::new(&[
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &url),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret"),
    ]);
    assert_eq!(machine.find().await.unwrap().as_deref(), Some("from github"));
}

#[tokio::test]
async fn buildkite_gives_a_token_to_the_job() {
    let server = serve(|request, _| {
        assert_eq!(request.target, "/v3/jobs/a%2Fb/oidc/tokens");
        assert!(request.text.contains("authorization: Token secret"), "{}", request.text);
        assert!(request.text.ends_with(r#"{"audience":"sigstore"}"#), "{}", request.text);
        Answer::ok(r#"{"token":"from buildkite"}"#)
    })
    .await;
    let endpoint = format!("{server}/v3/");
    let machine = Machine::new(&[
        ("BUILDKITE", "true"),
        ("BUILDKITE_AGENT_ACCESS_TOKEN", "secret"),
        ("BUILDKITE_AGENT_ENDPOINT", &endpoint),
        ("BUILDKITE_JOB_ID", "a/b"),
    ]);
    assert_eq!(machine.find().await.unwrap().as_deref(), Some("from buildkite"));
}

#[tokio::test]
async fn a_build_that_is_not_set_up_is_told_what_to_write() {
    let hint = Machine::new(&[("GITHUB_ACTIONS", "true")]).hint().await;
    assert!(hint.contains("id-token: write"), "{hint}");
    let hint = Machine::new(&[("GITLAB_CI", "true")]).hint().await;
    assert!(hint.contains("id_tokens"), "{hint}");
    let hint = Machine::new(&[("BUILDKITE", "true")]).hint().await;
    assert!(hint.contains("BUILDKITE_JOB_ID"), "{hint}");
}

#[tokio::test]
async fn an_answer_without_a_token_is_told_without_its_text() {
    let server = serve(|_, _| Answer { status: "403 Forbidden", body: "secret".into() }).await;
    let http = Client::new(Settings::default());
    let request = http.get(net::Url::parse(&server).unwrap()).retry(Retry::NEVER);
    let error = field("it", &request.send().await.unwrap(), "value").unwrap_err();
    assert_eq!(error.to_string(), "it answers with no token: status 403 Forbidden");
}
