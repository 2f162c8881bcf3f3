//! The logs of a new directory, empty, each with its first checkpoint and its anchor.

use std::path::Path;

use tlog::{CreateError, LogOptions};

use super::new_keys::Keys;
use crate::ct::CtLog;
use crate::instance::Instance;
use crate::keys::OnlineKey;
use crate::layout::Layout;
use crate::transparency::{RekorV1, RekorV2};

/// A log was not made.
#[derive(Debug, thiserror::Error)]
#[error("the {log} log was not made")]
pub struct LogsError {
    /// Which.
    log: &'static str,
    /// Why.
    #[source]
    source: CreateError,
}

/// Makes the logs that are not there.
pub(super) fn establish(
    layout: &Layout,
    anchors: &Path,
    instance: &Instance,
    keys: &Keys,
) -> Result<(), LogsError> {
    let shard = instance.rekor_v1_shard();
    let v1 = LogOptions::new(layout.rekor_v1_log(), anchors, shard.origin());
    made("Rekor v1", RekorV1::create(&v1, shard, keys.online(OnlineKey::RekorV1)))?;
    let origin = &instance.rekor_v2_origin;
    let v2 = LogOptions::new(layout.rekor_v2_log(), anchors, origin);
    made("Rekor v2", RekorV2::create(&v2, origin, keys.online(OnlineKey::RekorV2)))?;
    let ct = LogOptions::new(layout.ct_log(), anchors, &instance.ct_origin);
    made("CT", CtLog::create(&ct, keys.online(OnlineKey::CtLog)))
}

/// A log that an interrupted run has made is a log that is made.
fn made(log: &'static str, result: Result<(), CreateError>) -> Result<(), LogsError> {
    match result {
        Ok(()) | Err(CreateError::Storage(storage::CreateError::Exists { .. })) => Ok(()),
        Err(source) => Err(LogsError { log, source }),
    }
}
