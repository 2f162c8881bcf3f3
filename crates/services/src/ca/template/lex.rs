//! A template's text in pieces: what stands between actions, and the words of each action.

use super::TemplateError;

/// A piece of a template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    /// Where it begins, in bytes.
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

/// What a piece is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum TokenKind {
    /// Text between actions.
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// A keyword, a function or a constant.
    Word(String),
    /// `.name`
    Field(String),
    /// `$name`
    Variable(String),
    /// A `.` alone.
    Dot,
    /// A text between double or back quotes, with its value.
    Quoted { value: String, written: String },
    /// A number, not read yet.
    Number(String),
    /// `:= = | , ( )`
    Sign(&'static str),
    /// Blanks inside an action, which separate operands.
    Space,
}

fn malformed(at: usize, reason: &'static str) -> TemplateError {
    TemplateError::Malformed { at, reason }
}

/// Takes a template apart.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    // Whether the action before trims what follows it.
    let mut trims = false;
    while let Some(open) = text[at..].find("{{") {
        let open = at + open;
        let trims_before = opens_with_trim(&text[open + 2..]);
        push_text(&mut tokens, at, &text[at..open], trims, trims_before);
        let start = open + if trims_before { 3 } else { 2 };
        (at, trims) = match comment_end(text, start)? {
            Some(end) => end,
            None => {
                tokens.push(Token { at: open, kind: TokenKind::Open });
                Action { text, at: start, tokens: &mut tokens }.lex()?
            }
        };
    }
    push_text(&mut tokens, at, &text[at..], trims, false);
    Ok(tokens)
}

/// The characters that trim markers remove.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn opens_with_trim(inside: &str) -> bool {
    inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACES))
}

fn push_text(tokens: &mut Vec<Token>, at: usize, text: &str, trims_start: bool, trims_end: bool) {
    let text = if trims_start { text.trim_start_matches(SPACES) } else { text };
    let text = if trims_end { text.trim_end_matches(SPACES) } else { text };
    if !text.is_empty() {
        tokens.push(Token { at, kind: TokenKind::Text(text.to_owned()) });
    }
}

/// Where an action ends that is only a comment, and whether it trims what follows.
fn comment_end(text: &str, start: usize) -> Result<Option<(usize, bool)>, TemplateError> {
    let inside = &text[start..];
    let inside = inside.trim_start_matches(SPACES);
    if !inside.starts_with("/*") {
        return Ok(None);
    }
    let at = text.len() - inside.len();
    let length = inside.find("*/").ok_or_else(|| malformed(at, "the comment does not end"))?;
    let end = at + length + 2;
    let rest = &text[end..];
    let trimmed = rest.trim_start_matches(SPACES);
    if rest.starts_with("}}") {
        return Ok(Some((end + 2, false)));
    }
    if trimmed.starts_with("-}}") && trimmed.len() < rest.len() {
        return Ok(Some((text.len() - trimmed.len() + 3, true)));
    }
    Err(malformed(end, "the comment is not alone in its action"))
}

/// The inside of one action.
struct Action<'a> {
    text: &'a str,
    at: usize,
    tokens: &'a mut Vec<Token>,
}

impl Action<'_> {
    /// Reads up to the end, and says where that is and whether it trims what follows.
    fn lex(mut self) -> Result<(usize, bool), TemplateError> {
        loop {
            let rest = &self.text[self.at..];
            let blanks = rest.len() - rest.trim_start_matches(SPACES).len();
            let rest = &rest[blanks..];
            if blanks > 0 && rest.starts_with("-}}") {
                self.push(blanks, TokenKind::Space);
                self.push(3, TokenKind::Close);
                return Ok((self.at, true));
            }
            if blanks > 0 {
                self.push(blanks, TokenKind::Space);
            }
            if rest.starts_with("}}") {
                self.push(2, TokenKind::Close);
                return Ok((self.at, false));
            }
            let (length, kind) = word(rest, self.at)?;
            self.push(length, kind);
        }
    }

    fn push(&mut self, length: usize, kind: TokenKind) {
        self.tokens.push(Token { at: self.at, kind });
        self.at += length;
    }
}

fn is_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// How long the run of name characters at the start of `text` is.
fn name_length(text: &str) -> usize {
    text.find(|character| !is_name(character)).unwrap_or(text.len())
}

/// The word at the start of `rest`, which stands at `at`.
fn word(rest: &str, at: usize) -> Result<(usize, TokenKind), TemplateError> {
    for sign in [":=", "=", "|", ",", "(", ")"] {
        if rest.starts_with(sign) {
            return Ok((sign.len(), TokenKind::Sign(sign)));
        }
    }
    let first = rest.chars().next().ok_or_else(|| malformed(at, "the action does not end"))?;
    match first {
        '"' => quoted(rest, at),
        '`' => {
            let end = rest[1..].find('`').ok_or_else(|| malformed(at, "the text does not end"))?;
            let written = rest[..end + 2].to_owned();
            Ok((end + 2, TokenKind::Quoted { value: rest[1..=end].to_owned(), written }))
        }
        '$' => {
            let length = 1 + name_length(&rest[1..]);
            Ok((length, TokenKind::Variable(rest[..length].to_owned())))
        }
        '.' => match name_length(&rest[1..]) {
            0 => Ok((1, TokenKind::Dot)),
            _ if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => Ok(number(rest)),
            length => Ok((length + 1, TokenKind::Field(rest[1..=length].to_owned()))),
        },
        '+' | '-' | '0'..='9' => Ok(number(rest)),
        '\'' => Err(TemplateError::Unsupported { what: "a character constant".to_owned() }),
        _ if is_name(first) => {
            let length = name_length(rest);
            Ok((length, TokenKind::Word(rest[..length].to_owned())))
        }
        _ => Err(malformed(at, "unexpected character")),
    }
}

fn number(rest: &str) -> (usize, TokenKind) {
    let is_part = |character: char| is_name(character) || ".+-".contains(character);
    let length = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
    (length, TokenKind::Number(rest[..length].to_owned()))
}

/// A text between double quotes, with the escapes of Go's string literals but for octal ones.
fn quoted(rest: &str, at: usize) -> Result<(usize, TokenKind), TemplateError> {
    let mut value = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => {
                let written = rest[..=position].to_owned();
                return Ok((position + 1, TokenKind::Quoted { value, written }));
            }
            '\n' => break,
            '\\' => {
                let escape = characters.next().map(|(_, escape)| escape);
                let digits = match escape {
                    Some('x') => 2,
                    Some('u') => 4,
                    Some('U') => 8,
                    _ => 0,
                };
                let digits: String =
                    characters.by_ref().take(digits).map(|(_, digit)| digit).collect();
                let unescaped = escape.and_then(|escape| unescape(escape, &digits));
                value.push(unescaped.ok_or_else(|| malformed(at, "unknown escape in a text"))?);
            }
            _ => value.push(character),
        }
    }
    Err(malformed(at, "the text does not end"))
}

fn unescape(escape: char, digits: &str) -> Option<char> {
    Some(match escape {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        '"' => '"',
        // A byte above 0x7f would not be text.
        'x' => u8::from_str_radix(digits, 16).ok().filter(u8::is_ascii).map(char::from)?,
        'u' | 'U' => u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?,
        _ => return None,
    })
}
