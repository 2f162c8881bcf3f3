//! Requests that are meant to hurt the server. Each has a twin that passes.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};

use crate::logs::{Logs, proposal_v1, proposal_v2, signing_key};

const V1: &str = "/api/v1/log/entries";
const V2: &str = "/api/v2/log/entries";

/// A proposal with white space before it, `length` bytes long.
fn padded(proposal: impl Into<Vec<u8>>, length: usize) -> Vec<u8> {
    let proposal = proposal.into();
    [vec![b' '; length - proposal.len()], proposal].concat()
}

#[tokio::test]
async fn a_body_of_the_longest_length_passes_and_one_byte_more_does_not() {
    let logs = Logs::open();
    let key = signing_key();
    let longest = 8 << 20;
    let proposal = proposal_v1(&key, 0).to_string();
    assert_eq!(logs.post(V1, padded(proposal, longest)).await.status, 201);
    let proposal = proposal_v1(&key, 1).to_string();
    let refusal = logs.post(V1, padded(proposal, longest + 1)).await.refusal();
    assert_eq!((refusal.0, refusal.1), (413, 413));
    assert_eq!(refusal.2, "Request Entity Too Large. Limit set to 8388608");

    let longest = 256 << 10;
    assert_eq!(logs.post(V2, padded(proposal_v2(&key, 0), longest)).await.status, 201);
    let refusal = logs.post(V2, padded(proposal_v2(&key, 1), longest + 1)).await.refusal();
    assert_eq!(refusal, (400, 3, "http: request body too large".to_owned()));
}

#[tokio::test]
async fn a_client_that_goes_away_and_asks_again_has_one_entry() {
    let logs = Logs::open();
    let proposal = proposal_v1(&signing_key(), 0).to_string();
    {
        let mut gone = pin!(logs.v1.submit(proposal.as_bytes()));
        let mut context = Context::from_waker(Waker::noop());
        // It is with the sequencer now, and nobody waits for the answer.
        assert!(gone.as_mut().poll(&mut context).is_pending());
    }
    let again = logs.post(V1, proposal).await;
    // Either it was logged already, or both submissions share one leaf.
    assert!(again.status == 409 || again.status == 201, "{}", again.status);
    assert_eq!(logs.get("/api/v1/log").await.json()["treeSize"], 1);
}

#[tokio::test]
async fn what_is_no_json_is_refused_by_both() {
    let logs = Logs::open();
    for body in [&b"\xff"[..], b"{", b"\xef\xbb\xbf{}", &[b'['; 100_000], b"\0"] {
        assert_eq!(logs.post(V1, body).await.status, 400);
        assert_eq!(logs.post(V2, body).await.status, 400);
    }
    let key = signing_key();
    assert_eq!(logs.post(V1, proposal_v1(&key, 0).to_string()).await.status, 201);
    assert_eq!(logs.post(V2, proposal_v2(&key, 0)).await.status, 201);
}

#[tokio::test]
async fn ten_proposals_of_the_longest_length_cannot_be_looked_up_at_once() {
    let logs = Logs::open();
    let key = signing_key();
    let request = |padding: usize| {
        let proposal = proposal_v1(&key, 0).to_string();
        let proposals = vec![padded(proposal, 2048 + padding); 10].join(&b","[..]);
        [&br#"{"entries":["#[..], &proposals, b"]}"].concat()
    };
    let path = "/api/v1/log/entries/retrieve";
    assert_eq!(logs.post(path, request(0)).await.status, 200);
    assert_eq!(logs.post(path, request(1 << 20)).await.refusal().0, 413);
}
