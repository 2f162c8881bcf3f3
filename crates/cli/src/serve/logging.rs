//! The log on standard error: events with fields, for people or for programs.

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Logging};
use crate::failure::{Failure, OrFail};

/// Begins to write events. Requests are events at `info`; identities and tokens are in none.
pub(super) fn start(logging: &Logging) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&logging.level)
        .or_usage(format!("`level = {:?}` in [logging] cannot be understood", logging.level))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(true);
    match logging.format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}
