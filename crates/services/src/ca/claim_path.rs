//! `issuer-claim`: where in a token the issuer's own name stands, as a JSONPath.
//!
//! Of JSONPath there are the steps that lead to one place: `$.a.b`, `$["a"]`, `$['a']` and `$[0]`.

use serde_json::Value;

/// The longest path, in steps.
const MAX_STEPS: usize = 16;

/// A path to one place in a token's claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ClaimPath(Vec<Step>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Step {
    Member(String),
    /// An index, or a member that is written as a number.
    Index(usize),
}

/// Text is not a path of a form that is known.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{path:?} is not a path like $.a.b, $[\"a\"] or $.a[0]")]
pub struct ClaimPathError {
    /// The text.
    path: String,
}

impl ClaimPath {
    /// Reads a path.
    pub(super) fn parse(path: &str) -> Result<Self, ClaimPathError> {
        let failed = || ClaimPathError { path: path.to_owned() };
        let mut rest = path.strip_prefix('$').ok_or_else(failed)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) =
                step(rest).filter(|_| steps.len() < MAX_STEPS).ok_or_else(failed)?;
            steps.push(step);
            rest = after;
        }
        if steps.is_empty() { Err(failed()) } else { Ok(Self(steps)) }
    }

    /// What stands there, beginning with the claim that `claim` finds; `None` if nothing does.
    pub(super) fn follow<'a>(
        &self,
        claim: impl FnOnce(&str) -> Option<&'a Value>,
    ) -> Option<&'a Value> {
        let (first, further) = self.0.split_first()?;
        let first = match first {
            Step::Member(name) => claim(name)?,
            Step::Index(number) => claim(&number.to_string())?,
        };
        further.iter().try_fold(first, |value, step| match (value, step) {
            (Value::Array(items), Step::Index(index)) => items.get(*index),
            (Value::Object(members), Step::Member(name)) => members.get(name),
            (Value::Object(members), Step::Index(index)) => members.get(&index.to_string()),
            _ => None,
        })
    }
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|character| character.is_alphanumeric() || "_-".contains(character));
        return is_name.then(|| (Step::Member(name.to_owned()), rest));
    }
    let rest = text.strip_prefix('[')?;
    if let Some(quote) = rest.chars().next().filter(|first| "\"'".contains(*first)) {
        let (name, rest) = rest[1..].split_once(quote)?;
        let rest = rest.strip_prefix(']').filter(|_| !name.contains('\\'))?;
        return Some((Step::Member(name.to_owned()), rest));
    }
    let (index, rest) = rest.split_once(']')?;
    let is_index = index.bytes().all(|byte| byte.is_ascii_digit());
    let index = is_index.then(|| index.parse().ok()).flatten()?;
    Some((Step::Index(index), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(path: &str, claims: &str) -> Option<Value> {
        let claims: Value = serde_json::from_str(claims).unwrap();
        ClaimPath::parse(path).unwrap().follow(|name| claims.get(name)).cloned()
    }

    #[test]
    fn a_path_leads_to_one_place() {
        let claims = r#"{"a": {"b": ["x", {"c": "y"}]}, "https://e.example/c": "z"}"#;
        assert_eq!(follow("$.a.b[0]", claims), Some("x".into()));
        assert_eq!(follow("$.a['b'][1].c", claims), Some("y".into()));
        assert_eq!(follow("$[\"https://e.example/c\"]", claims), Some("z".into()));
        assert_eq!(follow("$.a.b.c", claims), None);
        assert_eq!(follow("$.nothing", claims), None);
    }

    #[test]
    fn other_forms_are_refused() {
        for path in
            ["", "$", "a", "$.", "$..a", "$.*", "$[*]", "$[?(@.a)]", "$[0:1]", "$.a[", "$['a]"]
        {
            ClaimPath::parse(path).expect_err(path);
        }
    }
}
