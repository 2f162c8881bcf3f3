//! The bag of certificates in a timestamp, which nobody signs: what an attacker may put into it.

/// A `TimeStampResp` with other certificates in its bag.
pub(crate) fn with_certificates(response: &[u8], certificates: &[&[u8]]) -> Vec<u8> {
    // TimeStampResp ::= SEQUENCE { status, timeStampToken ContentInfo }
    rebuild(response, 1, |content_info| {
        // ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT SignedData }
        rebuild(content_info, 1, |explicit| {
            rebuild(explicit, 0, |signed_data| {
                // SignedData ::= SEQUENCE { version, digestAlgorithms, encapContentInfo, [0] … }
                rebuild(signed_data, 3, |_| tlv(0xa0, &certificates.concat()))
            })
        })
    })
}

/// A constructed element with its child at `place` changed.
fn rebuild(element: &[u8], place: usize, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (contents, _) = split(element);
    let mut children = Vec::new();
    let mut rest = contents;
    while !rest.is_empty() {
        let (_, length) = split(rest);
        let (child, after) = rest.split_at(length);
        children.push(child.to_vec());
        rest = after;
    }
    children[place] = change(&children[place]);
    tlv(element[0], &children.concat())
}

/// The contents of the first element, and its whole length.
fn split(der: &[u8]) -> (&[u8], usize) {
    let (header, length) = match der[1] {
        short @ ..=0x7f => (2, usize::from(short)),
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        other => panic!("no element of a timestamp is so long: {other:#x}"),
    };
    (&der[header..header + length], header + length)
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).expect("a timestamp is short").to_be_bytes();
    let header = match length {
        [0, short @ ..=0x7f] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [header.as_slice(), contents].concat()
}
