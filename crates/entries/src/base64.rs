//! Base64 as Go's `encoding/base64` decodes it: line breaks inside are ignored, padding is required, the bits
//! left over may be anything.

use base64::Engine;
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const STANDARD: GeneralPurpose = engine(&alphabet::STANDARD);
const URL_SAFE: GeneralPurpose = engine(&alphabet::URL_SAFE);

const fn engine(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    GeneralPurpose::new(alphabet, config)
}

/// Decodes the standard alphabet.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    decode_with(&STANDARD, text)
}

/// Decodes the standard or else the URL-safe alphabet, as DSSE envelopes may use either.
pub(crate) fn decode_either(text: &str) -> Option<Vec<u8>> {
    decode_with(&STANDARD, text).or_else(|| decode_with(&URL_SAFE, text))
}

fn decode_with(engine: &GeneralPurpose, text: &str) -> Option<Vec<u8>> {
    if text.contains(['\r', '\n']) {
        engine.decode(text.replace(['\r', '\n'], "")).ok()
    } else {
        engine.decode(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_and_left_over_bits_pass_and_nothing_else_does() {
        assert_eq!(decode("/w\r\n==").unwrap(), [255]);
        assert_eq!(decode("/x==").unwrap(), [255]);
        for bad in ["/w", "/w=", "_w==", "/ w==", "/w===", "/w==\t", "=", "////="] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(decode_either("_w==").unwrap(), [255]);
        assert_eq!(decode_either("_/8="), None);
    }
}
