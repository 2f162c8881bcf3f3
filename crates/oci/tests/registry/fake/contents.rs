//! What the registry holds, and what it does when nothing goes wrong.

use std::collections::{BTreeMap, HashMap};

use oci::Digest;

use super::Abilities;
use super::http::{Answer, Request};

#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) blobs: HashMap<String, Vec<u8>>,
    pub(crate) documents: HashMap<String, (String, Vec<u8>)>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) requests: Vec<Request>,
}

impl Contents {
    pub(super) fn begin(&mut self, request: &Request, abilities: Abilities) -> Answer {
        match request.query("digest") {
            Some(digest) if abilities.whole_blobs => self.store(&digest, &request.body),
            _ => Answer::new(202).header("Location", "/v2/a/b/blobs/upload-1?state=x"),
        }
    }

    pub(super) fn finish(&mut self, request: &Request, _: &str) -> Answer {
        let digest = request.query("digest").unwrap_or_default();
        self.store(&digest, &request.body)
    }

    fn store(&mut self, digest: &str, body: &[u8]) -> Answer {
        let wanted = digest.parse::<Digest>().ok();
        if wanted.is_none_or(|wanted| Digest::from(wanted.algorithm().digest(body)) != wanted) {
            return Answer::new(400)
                .body("application/json", r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
        }
        self.blobs.insert(digest.to_owned(), body.to_vec());
        Answer::new(201).header("Docker-Content-Digest", digest)
    }

    pub(super) fn blob(&self, digest: &str) -> Answer {
        match self.blobs.get(digest) {
            Some(blob) => Answer::new(200).body("application/octet-stream", blob.clone()),
            None => Answer::new(404),
        }
    }

    pub(super) fn manifest(
        &mut self,
        request: &Request,
        target: &str,
        abilities: Abilities,
    ) -> Answer {
        match request.method.as_str() {
            "PUT" => self.put(request, target, abilities),
            "DELETE" => self.delete(target),
            _ => {
                let digest = self.tags.get(target).map_or(target, String::as_str);
                match self.documents.get(digest) {
                    Some((media_type, bytes)) => Answer::new(200)
                        .body(media_type, bytes.clone())
                        .header("Docker-Content-Digest", digest),
                    None => Answer::new(404),
                }
            }
        }
    }

    /// As the registry of Debian: a document that points to what is not there is refused.
    fn put(&mut self, request: &Request, target: &str, abilities: Abilities) -> Answer {
        let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        if !self.dangling(&json).is_empty() {
            return Answer::new(400)
                .body("application/json", r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#);
        }
        let digest = Digest::of(&request.body).to_string();
        let media_type = request.headers["content-type"].clone();
        self.documents.insert(digest.clone(), (media_type, request.body.clone()));
        if !target.contains(':') {
            self.tags.insert(target.to_owned(), digest.clone());
        }
        let answer = Answer::new(201).header("Docker-Content-Digest", digest);
        match json["subject"]["digest"].as_str() {
            Some(subject) if abilities.referrers && !abilities.silent => {
                answer.header("OCI-Subject", subject)
            }
            _ => answer,
        }
    }

    fn delete(&mut self, target: &str) -> Answer {
        self.tags.retain(|tag, digest| tag != target && digest != target);
        self.documents.remove(target);
        Answer::new(202)
    }

    /// What a document points to that is not there, but for its subject.
    pub(crate) fn dangling(&self, json: &serde_json::Value) -> Vec<String> {
        let digest =
            |part: &serde_json::Value| part["digest"].as_str().unwrap_or_default().to_owned();
        let list = |name: &str| json[name].as_array().cloned().unwrap_or_default();
        let blobs = list("layers").into_iter().chain(json.get("config").cloned());
        let blobs =
            blobs.map(|blob| digest(&blob)).filter(|digest| !self.blobs.contains_key(digest));
        let documents = list("manifests").into_iter();
        let documents = documents
            .map(|part| digest(&part))
            .filter(|digest| !self.documents.contains_key(digest));
        blobs.chain(documents).collect()
    }

    pub(super) fn list_tags(&self) -> Answer {
        let tags: Vec<_> = self.tags.keys().collect();
        let json = serde_json::json!({"name": "a/b", "tags": tags});
        Answer::new(200).body("application/json", json.to_string())
    }

    pub(super) fn referrers(&self, subject: &str) -> Answer {
        let manifests: Vec<_> = self
            .documents
            .iter()
            .filter(|(_, (_, bytes))| {
                let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                json["subject"]["digest"] == subject
            })
            .map(|(digest, (media_type, bytes))| {
                serde_json::json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
            })
            .collect();
        let json = serde_json::json!({"schemaVersion": 2, "mediaType": oci::media_type::INDEX, "manifests": manifests});
        Answer::new(200).body(oci::media_type::INDEX, json.to_string())
    }
}
