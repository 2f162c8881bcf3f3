//! The functions of templates.

use super::evaluate::Value;

/// A function that templates can call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Function {
    And,
    Or,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Index,
    Len,
    Print,
    Println,
    Printf,
    Urlquery,
}

/// Every function by its name.
const FUNCTIONS: &[(&str, Function)] = &[
    ("and", Function::And),
    ("or", Function::Or),
    ("not", Function::Not),
    ("eq", Function::Eq),
    ("ne", Function::Ne),
    ("lt", Function::Lt),
    ("le", Function::Le),
    ("gt", Function::Gt),
    ("ge", Function::Ge),
    ("index", Function::Index),
    ("len", Function::Len),
    ("print", Function::Print),
    ("println", Function::Println),
    ("printf", Function::Printf),
    ("urlquery", Function::Urlquery),
];

impl Function {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
    }

    pub(super) fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| *name)
    }

    /// Calls it with arguments that have been evaluated. The error is Go's text.
    ///
    /// `and` and `or` evaluate their arguments one by one, and so are not called here.
    pub(super) fn call<'d>(self, arguments: &[Value<'d>]) -> Result<Value<'d>, String> {
        match self {
            Self::And | Self::Or | Self::Not => {
                let [argument] = arguments else { return Err(wrong_number(1, arguments)) };
                Ok(Value::Bool(!argument.is_true()))
            }
            Self::Eq => equals_any(arguments).map(Value::Bool),
            Self::Ne => compare(arguments, |one, other| one != other),
            Self::Lt => compare(arguments, |one, other| one < other),
            Self::Le => compare(arguments, |one, other| one <= other),
            Self::Gt => compare(arguments, |one, other| one > other),
            Self::Ge => compare(arguments, |one, other| one >= other),
            Self::Index => index(arguments),
            Self::Len => match arguments {
                [Value::Text(text)] => Ok(number(text.len())),
                [Value::Map(map)] => Ok(number(map.len())),
                [other] => Err(format!("len of type {}", other.type_name())),
                _ => Err(wrong_number(1, arguments)),
            },
            Self::Print => Ok(Value::Text(print(arguments))),
            Self::Println => {
                let texts: Vec<String> = arguments.iter().map(Value::to_string).collect();
                Ok(Value::Text(texts.join(" ") + "\n"))
            }
            Self::Printf => printf(arguments).map(Value::Text),
            Self::Urlquery => Ok(Value::Text(urlquery(&print(arguments)))),
        }
    }
}

fn number(count: usize) -> Value<'static> {
    Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

fn wrong_number(want: usize, arguments: &[Value<'_>]) -> String {
    format!("wrong number of args: want {want} got {}", arguments.len())
}

/// Whether the first argument equals any of the others.
fn equals_any(arguments: &[Value<'_>]) -> Result<bool, String> {
    let (first, others) = match arguments {
        [first, others @ ..] if !others.is_empty() => (first, others),
        _ => return Err("missing argument for comparison".to_owned()),
    };
    for other in others {
        check_comparable(first, other)?;
        if first == other {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compare<'d>(
    arguments: &[Value<'d>],
    holds: fn(&Value<'d>, &Value<'d>) -> bool,
) -> Result<Value<'d>, String> {
    let [one, other] = arguments else { return Err(wrong_number(2, arguments)) };
    check_comparable(one, other)?;
    Ok(Value::Bool(holds(one, other)))
}

fn check_comparable(one: &Value<'_>, other: &Value<'_>) -> Result<(), String> {
    let (one, other) = (one.type_name(), other.type_name());
    if one == other && !one.starts_with("map") {
        return Ok(());
    }
    Err(format!("incompatible types for comparison: {one} and {other}"))
}

/// `index map key`: a key that is missing gives an empty text.
fn index<'d>(arguments: &[Value<'d>]) -> Result<Value<'d>, String> {
    match arguments {
        [Value::Map(map), Value::Text(key)] => {
            Ok(Value::Text(map.get(key).cloned().unwrap_or_default()))
        }
        [other, _] => Err(format!("can't index item of type {}", other.type_name())),
        _ => Err(wrong_number(2, arguments)),
    }
}

/// `fmt.Sprint`: a blank between two operands neither of which is a text.
fn print(arguments: &[Value<'_>]) -> String {
    let mut text = String::new();
    let mut after_text = true;
    for argument in arguments {
        let is_text = matches!(argument, Value::Text(_));
        if !after_text && !is_text {
            text.push(' ');
        }
        text.push_str(&argument.to_string());
        after_text = is_text;
    }
    text
}

/// The verbs that `printf` has, all without flags.
const VERBS: &str = "svqd%";

/// The first verb of a format that `printf` has not.
pub(super) fn unsupported_verb(format: &str) -> Option<char> {
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character == '%' {
            let verb = characters.next().unwrap_or('!');
            if !VERBS.contains(verb) {
                return Some(verb);
            }
        }
    }
    None
}

fn printf(arguments: &[Value<'_>]) -> Result<String, String> {
    let Some((Value::Text(format), arguments)) = arguments.split_first() else {
        return Err("wrong type for value; expected string".to_owned());
    };
    if let Some(verb) = unsupported_verb(format) {
        return Err(format!("unsupported verb %{verb}"));
    }
    let (mut text, mut arguments) = (String::new(), arguments.iter());
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        match (character, if character == '%' { characters.next() } else { None }) {
            ('%', Some('%')) => text.push('%'),
            ('%', Some(verb)) => text.push_str(&formatted(verb, arguments.next())?),
            _ => text.push(character),
        }
    }
    if arguments.next().is_some() { Err("too many arguments".to_owned()) } else { Ok(text) }
}

fn formatted(verb: char, argument: Option<&Value<'_>>) -> Result<String, String> {
    match (verb, argument) {
        (_, None) => Err("missing argument".to_owned()),
        ('q', Some(Value::Text(text))) => Ok(crate::ca::go::quote(text)),
        ('s', Some(value @ Value::Text(_)))
        | ('d', Some(value @ Value::Number(_)))
        | ('v', Some(value)) => Ok(value.to_string()),
        (verb, Some(value)) => Err(format!("wrong type for %{verb}: {}", value.type_name())),
    }
}

/// `url.QueryEscape`.
fn urlquery(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            b' ' => escaped.push('+'),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
