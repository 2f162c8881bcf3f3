//! Lists of checksums, such as `SHA256SUMS`: what `sha256sum` writes, and its `--tag` form, which BSD's programs write.

use crypto::{Digest, HashAlgorithm};

/// The longest list.
pub const MAX_LIST: usize = 16 << 20;
/// The most files of a list.
const MAX_LINES: usize = 100_000;

/// A list. All its digests are of one algorithm, and no name comes twice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checksums {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// The names of files, below the directory that the list is in, and their digests. Never empty.
    pub files: Vec<(String, Digest)>,
}

/// Why a text is not a list.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChecksumsError {
    /// It is too long, or has too many lines.
    #[error("a list of checksums has at most {MAX_LIST} bytes and {MAX_LINES} lines")]
    TooLong,
    /// It is not text.
    #[error("a list of checksums is text in UTF-8")]
    Text,
    /// It names no file.
    #[error("the list of checksums is empty")]
    Empty,
    /// A line is not a digest with a name.
    #[error("line {line} is not a SHA-256, SHA-384 or SHA-512 digest with the name of a file")]
    Line {
        /// Which, from one.
        line: usize,
    },
    /// A line has a digest of another length than those before.
    #[error("line {line} has a digest of another algorithm than the first")]
    Algorithm {
        /// Which, from one.
        line: usize,
    },
    /// A name leads out of the list's directory: the list could have any file be read.
    #[error("line {line} names {name:?}, which is not below the directory of the list")]
    Outside {
        /// Which, from one.
        line: usize,
        /// The name.
        name: String,
    },
    /// A name comes twice.
    #[error("line {line} names {name:?} again")]
    Repeated {
        /// Which, from one.
        line: usize,
        /// The name.
        name: String,
    },
}

impl Checksums {
    /// Reads a list.
    ///
    /// # Errors
    ///
    /// See [`ChecksumsError`].
    pub fn parse(list: &[u8]) -> Result<Self, ChecksumsError> {
        if list.len() > MAX_LIST {
            return Err(ChecksumsError::TooLong);
        }
        let text = std::str::from_utf8(list).map_err(|_| ChecksumsError::Text)?;
        let mut files: Vec<(String, Digest)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            let (name, digest) = read_line(text).ok_or(ChecksumsError::Line { line })?;
            let Some(name) = below(&name) else {
                return Err(ChecksumsError::Outside { line, name });
            };
            if files.first().is_some_and(|(_, first)| first.algorithm() != digest.algorithm()) {
                return Err(ChecksumsError::Algorithm { line });
            }
            if !names.insert(name.clone()) {
                return Err(ChecksumsError::Repeated { line, name });
            }
            if names.len() > MAX_LINES {
                return Err(ChecksumsError::TooLong);
            }
            files.push((name, digest));
        }
        let first = files.first().ok_or(ChecksumsError::Empty)?;
        Ok(Self { algorithm: first.1.algorithm(), files })
    }
}

/// `<digits>  <name>`, `<digits> *<name>`, `\<digits>  <name with escapes>` or `SHA256 (<name>) = <digits>`.
fn read_line(line: &str) -> Option<(String, Digest)> {
    let (escaped, line) = match line.strip_prefix('\\') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (name, digits) = match tagged(line) {
        Some(tagged) => tagged,
        None => {
            let (digits, rest) = line.split_once(' ')?;
            (rest.strip_prefix([' ', '*'])?, digits)
        }
    };
    let name = if escaped { unescape(name)? } else { name.to_owned() };
    Some((name, digest(digits)?))
}

fn tagged(line: &str) -> Option<(&str, &str)> {
    let (algorithm, rest) = line.split_once(" (")?;
    let (name, digits) = rest.rsplit_once(") = ")?;
    let length = match algorithm {
        "SHA256" => 64,
        "SHA384" => 96,
        "SHA512" => 128,
        _ => return None,
    };
    (digits.len() == length).then_some((name, digits))
}

/// GNU coreutils write a line break and a backslash in a name as `\n`, `\r` and `\\`.
fn unescape(name: &str) -> Option<String> {
    let mut text = String::with_capacity(name.len());
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => match letters.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            letter => letter,
        });
    }
    Some(text)
}

fn digest(digits: &str) -> Option<Digest> {
    let algorithm = [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512]
        .into_iter()
        .find(|algorithm| algorithm.length() * 2 == digits.len())?;
    Digest::new(algorithm, &hex::decode(digits).ok()?).ok()
}

/// The name without `./`, if it leads to something below.
fn below(name: &str) -> Option<String> {
    let absolute = name.starts_with('/');
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!absolute && !parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn names(list: &str) -> Result<Vec<String>, ChecksumsError> {
        let list = Checksums::parse(list.replace("{0}", ZEROS).as_bytes())?;
        Ok(list.files.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn lists_of_all_common_programs_are_read() {
        assert_eq!(names("{0}  a\n{0} *b c\n").unwrap(), ["a", "b c"]);
        assert_eq!(names("{0}  ./d/a\r\n\n{0}  b").unwrap(), ["d/a", "b"]);
        assert_eq!(names("\\{0}  a\\nb\\\\c\n").unwrap(), ["a\nb\\c"]);
        assert_eq!(names("SHA256 (a (1)) = {0}\n").unwrap(), ["a (1)"]);
        let list = Checksums::parse(format!("{ZEROS}{ZEROS}  a").as_bytes()).unwrap();
        assert_eq!(list.algorithm, HashAlgorithm::Sha512);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        use ChecksumsError::{Algorithm, Empty, Line, Outside, Repeated, Text};
        assert_eq!(names(""), Err(Empty));
        assert_eq!(names("\n \n"), Err(Empty));
        for text in
            ["x", "{0}", "{0} a", "{0}0  a", "MD5 (a) = 00", "SHA512 (a) = {0}", "\\{0}  a\\"]
        {
            assert_eq!(names(text), Err(Line { line: 1 }), "{text}");
        }
        assert_eq!(names("{0}  a\n{0}{0}  b"), Err(Algorithm { line: 2 }));
        assert_eq!(names("{0}  a\n{0}  ./a"), Err(Repeated { line: 2, name: "a".into() }));
        for name in ["/etc/passwd", "../a", "a/../../b", ".", ""] {
            let refused = names(&format!("{{0}}  {name}"));
            assert_eq!(refused, Err(Outside { line: 1, name: name.into() }));
        }
        assert_eq!(Checksums::parse(b"\xff"), Err(Text));
    }
}
