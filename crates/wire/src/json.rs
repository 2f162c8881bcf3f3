//! Strict reading of JSON, and of the JSON form of protocol buffers (protojson).
//!
//! What the reference clients write is read in every form that protojson allows; what no honest writer
//! makes is refused. A document is first read into a [`Json`] tree in which no key comes twice and whose
//! size is bounded, then taken apart with [`Object`], which knows which members nobody asked for.
//!
//! Start reading at [`parse`] and [`Object::take`].

mod object;
mod problem;
mod scalar;
mod tree;
mod write;

pub use object::{Object, Unknown};
pub use problem::{JsonError, Problem, excerpt};
pub use scalar::decode_base64;
pub use tree::{Json, check, parse};
pub use write::{base64, base64_list, base64_text, decimal};
