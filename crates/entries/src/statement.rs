//! The index keys that an in-toto statement gives: the digests of its subjects and of its materials.
//!
//! The payload is whatever the signer signed, and an entry is logged whether it can be read or not. How much of
//! it is found follows Go's decoder, which two kinds use differently.

mod shape;

use std::collections::BTreeMap;

use crate::json::Json;
use shape::{LIST_OF_DIGESTS, SLSA_STATEMENT, STATEMENT};

/// The keys of a `dsse` entry. Materials count if they can be read; nothing else of the predicate need be.
pub(crate) fn subjects_and_materials(payload: &[u8]) -> Vec<String> {
    let Some(statement) = read(payload) else { return Vec::new() };
    let mut keys = digests(statement, "subject");
    if let Some(predicate) = statement.members_like("predicate").last() {
        keys.extend(materials(predicate));
    }
    keys
}

/// The keys of an `intoto` entry; `None` if its subjects cannot be read. Materials count if the whole predicate has
/// the shape of SLSA provenance 0.2.
pub(crate) fn subjects_and_slsa_materials(payload: &[u8]) -> Option<Vec<String>> {
    let statement = read(payload)?;
    let mut keys = digests(statement, "subject");
    if SLSA_STATEMENT.fits(statement)
        && let Some(predicate) = statement.members_like("predicate").last()
    {
        keys.extend(materials(predicate));
    }
    Some(keys)
}

fn read(payload: &[u8]) -> Option<Json<'_>> {
    Json::only(payload).ok().filter(|statement| STATEMENT.fits(*statement))
}

fn materials(predicate: Json<'_>) -> Vec<String> {
    let fits = predicate.is_object()
        && predicate.members_like("materials").all(|list| LIST_OF_DIGESTS.fits(list));
    if fits { digests(predicate, "materials") } else { Vec::new() }
}

/// `algorithm:digest` for each digest of each item of the list `name`.
///
/// Where the list is repeated, items at the same place are merged, as Go decodes into what is there already.
fn digests(of: Json<'_>, name: &str) -> Vec<String> {
    let mut items: Vec<BTreeMap<String, String>> = Vec::new();
    for list in of.members_like(name) {
        let mut length = 0;
        for (place, item) in list.elements().enumerate() {
            if place == items.len() {
                items.push(BTreeMap::new());
            }
            if let Some(digests) = items.get_mut(place) {
                merge(item, digests);
            }
            length = place + 1;
        }
        items.truncate(length);
    }
    items.into_iter().flatten().map(|(algorithm, digest)| format!("{algorithm}:{digest}")).collect()
}

fn merge(item: Json<'_>, digests: &mut BTreeMap<String, String>) {
    for digest in item.members_like("digest") {
        if digest.is_null() {
            digests.clear();
        }
        for (algorithm, value) in digest.members() {
            let value = value.as_str().unwrap_or_default();
            digests.insert(algorithm.into_owned(), value.into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dsse(payload: &str) -> Vec<String> {
        subjects_and_materials(payload.as_bytes())
    }

    #[test]
    fn names_are_folded_and_repeated_subjects_are_merged() {
        let payload = r#"{"Subject":[{"digest":{"a":"1"}}],"subject":[{"DIGEST":{"b":"2"}},{}]}"#;
        assert_eq!(dsse(payload), ["a:1", "b:2"]);
        assert_eq!(dsse(r#"{"subject":[{"digest":{"a":"1"}}],"subject":null}"#), [""; 0]);
    }

    #[test]
    fn materials_of_another_shape_than_slsa_count_for_dsse_only() {
        let payload =
            r#"{"subject":[],"predicate":{"builder":1,"materials":[{"digest":{"a":"1"}}]}}"#;
        assert_eq!(dsse(payload), ["a:1"]);
        assert_eq!(subjects_and_slsa_materials(payload.as_bytes()).unwrap(), [""; 0]);
        let payload = payload.replace("\"builder\":1,", "");
        assert_eq!(subjects_and_slsa_materials(payload.as_bytes()).unwrap(), ["a:1"]);
    }

    #[test]
    fn a_statement_of_another_shape_has_no_keys() {
        for payload in
            ["", "x", "{} x", "[]", r#"{"subject":{}}"#, r#"{"subject":[{"digest":{"a":1}}]}"#]
        {
            assert_eq!(dsse(payload), [""; 0]);
            assert_eq!(subjects_and_slsa_materials(payload.as_bytes()), None, "{payload}");
        }
        assert_eq!(subjects_and_slsa_materials(b"null"), Some(Vec::new()));
    }
}
