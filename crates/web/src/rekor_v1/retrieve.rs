//! `POST /api/v1/log/entries/retrieve`: up to ten entries at once, by id, index or proposal.

use std::borrow::Cow;

use entries::json::Json;
use services::transparency::{Found, ReadError, RekorV1};
use wire::rekor_v1::EntryId;

use super::Problem;
use super::query::{INVALID_TYPE, MAX_ITEMS, MINIMUM, REQUIRED, entry_id};

/// How many entries may be asked for, in all.
const MAX_ENTRIES: usize = 10;

/// What is asked for.
pub(super) struct Wanted {
    /// Ids with a tree come first in the answer, then those without and the proposals, then the indexes.
    with_tree: Vec<EntryId>,
    by_hash: Vec<EntryId>,
    indexes: Vec<u64>,
}

impl Wanted {
    /// Reads a request. Proposals are judged, so that their ids are known.
    pub(super) fn read(log: &RekorV1, body: &[u8]) -> Result<Self, Problem> {
        let json = Json::first(body).map_err(|error| Problem::not_json(&error))?;
        let json = json.filter(|json| !json.is_null());
        let required = || Problem::invalid(REQUIRED, "entry in body is required".to_owned());
        let json = json.ok_or_else(required)?;
        if !json.is_object() {
            return Err(Problem::bad_request("the request is not an object".to_owned()));
        }
        let ids = list(json, "entryUUIDs")?;
        let indexes = list(json, "logIndexes")?;
        let proposals = list(json, "entries")?;
        if ids.len() + indexes.len() + proposals.len() > MAX_ENTRIES {
            return Err(Problem::too_many(MAX_ENTRIES));
        }
        let ids: Result<Vec<EntryId>, Problem> = ids.into_iter().map(id).collect();
        let (with_tree, mut by_hash): (Vec<_>, Vec<_>) =
            ids?.into_iter().partition(|id| id.tree.is_some());
        for proposal in proposals {
            by_hash.push(log.id_of(proposal)?);
        }
        let indexes: Result<Vec<u64>, Problem> = indexes.into_iter().map(index).collect();
        Ok(Self { with_tree, by_hash, indexes: indexes? })
    }

    /// Finds what is there. What is not is left out.
    pub(super) async fn find(&self, log: &RekorV1) -> Result<Vec<Found>, ReadError> {
        let mut found = Vec::new();
        for id in self.with_tree.iter().chain(&self.by_hash) {
            found.extend(log.entry_by_id(id).await?);
        }
        for index in &self.indexes {
            found.extend(log.entry_by_index(*index).await?);
        }
        Ok(found)
    }
}

/// The list `name`; empty if there is none.
fn list<'a>(json: Json<'a>, name: &'static str) -> Result<Vec<Json<'a>>, Problem> {
    let Some(value) = json.members_like(name).last().filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let wrong_type = || Problem::invalid(INVALID_TYPE, format!("{name} in body must be an array"));
    // One more than may be is enough to see that there are too many.
    let items: Vec<_> = value.as_array().ok_or_else(wrong_type)?.take(MAX_ENTRIES + 1).collect();
    if items.len() > MAX_ENTRIES {
        let message = format!("{name} in body should have at most {MAX_ENTRIES} items");
        return Err(Problem::invalid(MAX_ITEMS, message));
    }
    Ok(items)
}

fn id(value: Json<'_>) -> Result<EntryId, Problem> {
    let wrong_type =
        || Problem::invalid(INVALID_TYPE, "entryUUIDs in body must be of type string".to_owned());
    let text: Cow<'_, str> = value.as_str().ok_or_else(wrong_type)?;
    entry_id(&text, "entryUUIDs in body")
}

fn index(value: Json<'_>) -> Result<u64, Problem> {
    let number = value.as_i64().ok_or_else(|| {
        Problem::invalid(INVALID_TYPE, "logIndexes in body must be of type int64".to_owned())
    })?;
    u64::try_from(number).map_err(|_| {
        let message = "logIndexes in body should be greater than or equal to 0";
        Problem::invalid(MINIMUM, message.to_owned())
    })
}
