//! JSON with passwords in it, written so that nothing of it stays in memory.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use zeroize::Zeroizing;

/// Writes `value` in this layout, into memory that is wiped: it is measured first, since a buffer that grows leaves copies
/// behind.
///
/// # Panics
///
/// Where `value` is nothing that JSON could say, such as a map whose keys are no texts.
pub(super) fn write<F: Formatter + Clone>(
    value: &impl Serialize,
    layout: &F,
) -> Zeroizing<Vec<u8>> {
    let mut length = Length(0);
    lay_out(value, layout, &mut length);
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    lay_out(value, layout, &mut *json);
    json
}

fn lay_out<F: Formatter + Clone>(value: &impl Serialize, layout: &F, writer: &mut impl Write) {
    let mut serializer = Serializer::with_formatter(writer, layout.clone());
    value.serialize(&mut serializer).expect("it is a value of JSON, and memory takes it");
}

/// How much was written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::ser::{CompactFormatter, PrettyFormatter};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_written_never_moves_in_memory() {
        let value = json!({ "auths": { "a.example": { "auth": "x".repeat(5000) } } });
        for json in
            [write(&value, &CompactFormatter), write(&value, &PrettyFormatter::with_indent(b"\t"))]
        {
            assert_eq!(json.capacity(), json.len());
            assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), value);
        }
    }
}
