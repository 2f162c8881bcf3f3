//! The contract of API v1, apart from what the golden cases say.

use http::Method;
use serde_json::{Value, json};

use crate::logs::{Answer, HOST, Logs, TREE, proposal_v1, signing_key};

const ENTRIES: &str = "/api/v1/log/entries";
const RETRIEVE: &str = "/api/v1/log/entries/retrieve";

/// Adds `count` entries and returns their ids.
async fn add(logs: &Logs, count: u64) -> Vec<String> {
    let key = signing_key();
    let mut ids = Vec::new();
    for number in 0..count {
        let answer = logs.post(ENTRIES, proposal_v1(&key, number).to_string()).await;
        assert_eq!(answer.status, 201);
        ids.push(answer.header("etag").to_owned());
    }
    ids
}

/// The ids of a list of entries.
fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let list = answer.json();
    let first = |map: &Value| map.as_object().unwrap().keys().next().unwrap().clone();
    list.as_array().unwrap().iter().map(first).collect()
}

#[tokio::test]
async fn an_entry_is_created_once_and_a_repeat_is_told_where_it_is() {
    let logs = Logs::open();
    let proposal = proposal_v1(&signing_key(), 0).to_string();
    let path = format!("{ENTRIES}?apiKey=secret&b=2&a=1");
    let created = logs.post(&path, proposal.clone()).await;
    let id = created.header("etag").to_owned();
    assert_eq!(created.status, 201);
    assert_eq!(created.header("location"), format!("{ENTRIES}/{id}?b=2&a=1"));
    assert_eq!(id.len(), 80);
    assert!(id.starts_with("0102030405060708"));
    let repeated = logs.post(ENTRIES, proposal).await;
    let message =
        format!("an equivalent entry already exists in the transparency log with UUID {id}");
    assert_eq!(repeated.refusal(), (409, 409, message));
    assert_eq!(repeated.header("location"), format!("{ENTRIES}/{id}"));
}

#[tokio::test]
async fn an_entry_is_found_by_index_by_id_and_by_leaf_hash_and_is_always_the_same() {
    let logs = Logs::open();
    let id = add(&logs, 3).await.swap_remove(1);
    let by_id = logs.get(&format!("{ENTRIES}/{id}")).await.json();
    let by_hash = logs.get(&format!("{ENTRIES}/{}", &id[16..])).await.json();
    let by_index = logs.get(&format!("{ENTRIES}?logIndex=1001")).await.json();
    let upper_case = logs.get(&format!("{ENTRIES}/{}", id.to_uppercase())).await.json();
    assert!(by_id == by_hash && by_id == by_index && by_id == upper_case);
    assert_eq!(by_id[&id]["logIndex"], 1001);
    assert_eq!(by_id[&id]["verification"]["inclusionProof"]["logIndex"], 1);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_cannot_be_is_refused() {
    let logs = Logs::open();
    let id = add(&logs, 1).await.remove(0);
    let (hash, other) = (&id[16..], "00".repeat(32));
    for path in [
        format!("{ENTRIES}/{other}"),
        format!("{ENTRIES}/0000000000000001{hash}"),
        format!("{ENTRIES}?logIndex=1001"),
        format!("{ENTRIES}?logIndex=999"),
        format!("{ENTRIES}?logIndex=9223372036854775807"),
    ] {
        let answer = logs.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (404, 0), "{path}");
    }
    for (path, status, code) in [
        (format!("{ENTRIES}/0000000000000000{hash}"), 400, 400),
        (format!("{ENTRIES}/8000000000000000{hash}"), 400, 400),
        (format!("{ENTRIES}/{}", &hash[1..]), 422, 605),
        (ENTRIES.to_owned(), 422, 602),
        (format!("{ENTRIES}?logIndex="), 422, 602),
        (format!("{ENTRIES}?logIndex=x"), 422, 601),
        (format!("{ENTRIES}?logIndex=-1"), 422, 609),
        (format!("{ENTRIES}?logIndex=9223372036854775808"), 422, 601),
    ] {
        let refusal = logs.get(&path).await.refusal();
        assert_eq!((refusal.0, refusal.1), (status, code), "{path}");
    }
}

#[tokio::test]
async fn several_entries_are_retrieved_at_once_in_the_existing_servers_order() {
    let logs = Logs::open();
    let key = signing_key();
    for number in 0..4 {
        logs.post(ENTRIES, proposal_v1(&key, number).to_string()).await;
    }
    let id = |index: u64| {
        let logs = &logs;
        async move {
            let entry = logs.get(&format!("{ENTRIES}?logIndex={index}")).await.json();
            entry.as_object().unwrap().keys().next().unwrap().clone()
        }
    };
    let (a, b, c, d) = (id(1000).await, id(1001).await, id(1002).await, id(1003).await);
    let request = json!({
        "logIndexes": [1003, 5],
        "entries": [proposal_v1(&key, 2)],
        "entryUUIDs": [&b[16..], &a, "00".repeat(32)],
    });
    // A proposal is found if its signature is the one that was logged; ECDSA makes another each time.
    let found = ids(&logs.post(RETRIEVE, request.to_string()).await);
    assert_eq!(found, [a.clone(), b.clone(), d]);
    let entry = logs.get(&format!("{ENTRIES}/{c}")).await.json();
    let body = crate::logs::base64(&entry[&c]["body"]);
    let stored: Value = serde_json::from_slice(&body).unwrap();
    let found = ids(&logs.post(RETRIEVE, json!({"entries": [stored]}).to_string()).await);
    assert_eq!(found, [c]);
    assert_eq!(ids(&logs.post(RETRIEVE, "{}").await), [""; 0]);
}

#[tokio::test]
async fn a_stored_body_of_each_kind_is_found_again() {
    let logs = Logs::open();
    for set in ["rekor/dsse", "rekor/intoto"] {
        for case in crate::logs::cases(set) {
            let proposed = std::fs::read(case.join("proposed.json")).unwrap();
            let answer = logs.post(ENTRIES, proposed).await;
            // The existing server cannot read its own body where a signature is URL-safe base64; ours can.
            if answer.status != 201 {
                continue;
            }
            let body = std::fs::read_to_string(case.join("canonical.json")).unwrap();
            let request = format!(r#"{{"entries":[{body}]}}"#);
            let found = ids(&logs.post(RETRIEVE, request).await);
            assert_eq!(found, [answer.header("etag")], "{}", case.display());
        }
    }
}

#[tokio::test]
async fn retrieval_has_limits() {
    let logs = Logs::open();
    let hashes = |count: usize| vec!["00".repeat(32); count];
    let refusal = |body: String| {
        let logs = &logs;
        async move {
            let refusal = logs.post(RETRIEVE, body).await.refusal();
            (refusal.0, refusal.1)
        }
    };
    let ten = json!({"entryUUIDs": hashes(9), "logIndexes": [0]}).to_string();
    assert_eq!(ids(&logs.post(RETRIEVE, ten).await), [""; 0]);
    let eleven = json!({"entryUUIDs": hashes(10), "logIndexes": [0]}).to_string();
    assert_eq!(refusal(eleven).await, (422, 422));
    assert_eq!(refusal(json!({"entryUUIDs": hashes(11)}).to_string()).await, (422, 611));
    assert_eq!(refusal(json!({"logIndexes": [-1]}).to_string()).await, (422, 609));
    assert_eq!(refusal(json!({"logIndexes": [1.5]}).to_string()).await, (422, 601));
    assert_eq!(refusal(json!({"logIndexes": {}}).to_string()).await, (422, 601));
    assert_eq!(refusal(json!({"entryUUIDs": ["x"]}).to_string()).await, (422, 605));
    assert_eq!(refusal(json!({"entries": [{}]}).to_string()).await, (422, 602));
    assert_eq!(refusal(String::new()).await, (422, 602));
    assert_eq!(refusal("{".to_owned()).await, (400, 400));
}

#[tokio::test]
async fn the_log_tells_its_size_and_root_and_proves_that_it_only_grew() {
    let logs = Logs::open();
    let old = logs.get("/api/v1/log").await.json();
    assert_eq!(old["treeSize"], 0);
    add(&logs, 2).await;
    let middle = logs.get("/api/v1/log").await.json();
    add(&logs, 5).await;
    let new = logs.get("/api/v1/log").await.json();
    assert_eq!(new["treeID"], TREE.to_string());
    assert_eq!(new["inactiveShards"], json!([]));
    let head = new["signedTreeHead"].as_str().unwrap();
    assert!(head.starts_with(&format!("{HOST} - {TREE}\n7\n")), "{head}");

    let proof = logs.get("/api/v1/log/proof?firstSize=2&lastSize=7").await.json();
    assert_eq!(proof["rootHash"], new["rootHash"]);
    let hashes: Vec<_> =
        proof["hashes"].as_array().unwrap().iter().map(crate::logs::hash).collect();
    merkle::verify_consistency(
        merkle::TreeSize::new(2),
        crate::logs::hash(&middle["rootHash"]),
        merkle::TreeSize::new(7),
        crate::logs::hash(&new["rootHash"]),
        &hashes,
    )
    .unwrap();
}

#[tokio::test]
async fn a_proof_that_cannot_be_is_refused() {
    let logs = Logs::open();
    add(&logs, 3).await;
    let path = |query: &str| format!("/api/v1/log/proof?{query}");
    for query in ["lastSize=3", "firstSize=3&lastSize=3", &format!("lastSize=2&treeID={TREE}")] {
        assert_eq!(logs.get(&path(query)).await.status, 200, "{query}");
    }
    let too_large = "the tree size requested(4) was greater than what is currently observable(3)";
    for (query, refusal) in [
        ("firstSize=2&lastSize=1", (400, 400, "firstSize(2) must be less than lastSize(1)")),
        ("firstSize=1&lastSize=4", (400, 400, too_large)),
        ("firstSize=1", (422, 602, "lastSize in query is required")),
        (
            "firstSize=0&lastSize=1",
            (422, 609, "firstSize in query should be greater than or equal to 1"),
        ),
        ("lastSize=1&treeID=x", (422, 605, "treeID in query should match '^[0-9]+$'")),
        ("lastSize=1&treeID=7", (400, 400, "the log has no tree with this id")),
        ("lastSize=1&treeID=99999999999999999999", (400, 400, "the log has no tree with this id")),
    ] {
        let (status, code, message) = logs.get(&path(query)).await.refusal();
        assert_eq!((status, code, message.as_str()), refusal, "{query}");
    }
}

#[tokio::test]
async fn the_public_key_is_pem_and_that_of_our_tree_only() {
    let logs = Logs::open();
    let answer = logs.get("/api/v1/log/publicKey").await;
    assert_eq!(answer.header("content-type"), "application/x-pem-file");
    assert_eq!(String::from_utf8(answer.body).unwrap(), logs.v1.public_key().to_pem());
    assert_eq!(logs.get(&format!("/api/v1/log/publicKey?treeID={TREE}")).await.status, 200);
    assert_eq!(logs.get("/api/v1/log/publicKey?treeID=1").await.status, 400);
}

/// What the clients that we know send, and what they would get elsewhere if they took something else.
#[tokio::test]
async fn who_takes_another_form_than_answers_have_is_told_which_they_have() {
    const KEY: &str = "/api/v1/log/publicKey";
    let logs = Logs::open();
    let ask = async |path: &str, accept: &'static str| {
        logs.ask(Method::GET, path, &[("accept", accept)], Vec::new()).await
    };
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    for accept in ["application/json", "*/*", "application/json;q=1, application/yaml", browser, ""]
    {
        assert_eq!(ask("/api/v1/log", accept).await.status, 200, "{accept}");
    }
    for accept in ["application/x-pem-file", "*/*", ""] {
        assert_eq!(ask(KEY, accept).await.status, 200, "{accept}");
    }
    let message =
        |ours: &str| format!("unsupported media type requested, only [{ours}] are available");
    let refused = ask("/api/v1/log", "application/yaml").await;
    assert_eq!(refused.refusal(), (406, 406, message("application/json")));
    assert_eq!(refused.header("content-type"), "application/json");
    let refused = ask(KEY, "application/json").await;
    assert_eq!(refused.refusal(), (406, 406, message("application/x-pem-file")));
    // Nothing is logged for somebody who does not take the answer.
    let proposal = proposal_v1(&signing_key(), 0).to_string().into_bytes();
    let headers = [("content-type", "application/json"), ("accept", "text/html")];
    assert_eq!(logs.ask(Method::POST, ENTRIES, &headers, proposal.clone()).await.status, 406);
    assert_eq!(logs.post(ENTRIES, proposal).await.status, 201);
}

#[tokio::test]
async fn what_is_no_request_of_this_api_is_refused_in_its_form() {
    let logs = Logs::open();
    let proposal = proposal_v1(&signing_key(), 0).to_string().into_bytes();
    let text = [("content-type", "text/plain")];
    let refused = logs.ask(Method::POST, ENTRIES, &text, proposal.clone()).await;
    assert_eq!(refused.refusal().0, 415);
    let charset = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(logs.ask(Method::POST, ENTRIES, &charset, proposal).await.status, 201);

    let search = logs.post("/api/v1/index/retrieve", "{}").await;
    let message = "Search Index API not enabled in this Rekor instance".to_owned();
    assert_eq!(search.refusal(), (501, 501, message));

    let deleted = logs.ask(Method::DELETE, "/api/v1/log", &[], Vec::new()).await;
    assert_eq!((deleted.refusal().0, deleted.header("allow")), (405, "GET"));
    let put = logs.ask(Method::PUT, ENTRIES, &[], Vec::new()).await;
    assert_eq!((put.refusal().0, put.header("allow")), (405, "GET,POST"));
    assert_eq!(logs.get("/api/v1/log/other").await.refusal().0, 404);
}

#[tokio::test]
async fn a_frozen_log_is_read_and_not_written() {
    let logs = Logs::open();
    let id = add(&logs, 1).await.remove(0);
    logs.v1.log().freeze().await.unwrap();
    let refused = logs.post(ENTRIES, proposal_v1(&signing_key(), 1).to_string()).await;
    assert_eq!((refused.refusal().0, refused.header("allow")), (405, "GET"));
    assert_eq!(logs.get(&format!("{ENTRIES}/{id}")).await.status, 200);
}

#[tokio::test]
async fn web_pages_may_read_and_not_write() {
    let logs = Logs::open();
    let origin = [("origin", "https://search.example")];
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").to_owned();
    let read = logs.ask(Method::GET, "/api/v1/log", &origin, Vec::new()).await;
    assert_eq!((allowed(&read).as_str(), read.header("cache-control")), ("*", "no-store"));
    assert_eq!(read.header("access-control-allow-credentials"), "");
    let by_index = format!("{ENTRIES}?logIndex=0");
    assert_eq!(allowed(&logs.ask(Method::GET, &by_index, &origin, Vec::new()).await), "*");
    let preflight = [
        ("origin", "https://search.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let asked = logs.ask(Method::OPTIONS, RETRIEVE, &preflight, Vec::new()).await;
    assert_eq!((asked.status.as_u16(), allowed(&asked).as_str()), (200, "*"));
    let json = [("origin", "https://evil.example"), ("content-type", "application/json")];
    assert_eq!(allowed(&logs.ask(Method::POST, ENTRIES, &json, b"{}".to_vec()).await), "");
}
