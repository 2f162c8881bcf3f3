//! The transparency log's two APIs, asked through their routes, over logs in a temporary directory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

mod answers;
mod api_v1;
mod api_v2;
mod golden_v1;
mod golden_v2;
mod hostile;
mod logs;
