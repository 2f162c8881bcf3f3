//! `fmt`'s `%v` and `strconv.FormatFloat`, for values that came from JSON.

use serde_json::Value;

/// The least decimal exponent from which `%v` writes a number with an exponent.
///
/// `strconv`'s rule for the shortest form: six digits before the point.
const EXPONENT_FROM: i32 = 6;

/// Writes a JSON value as Go's `%v` writes what `encoding/json` made of it: numbers are float64, `null` is
/// `<nil>`, arrays are `[a b]` and objects `map[k:v]`, sorted by key.
pub(in crate::ca) fn print(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => shortest(number.as_f64().unwrap_or(f64::INFINITY)),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(print).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(members) => {
            // serde_json's map is sorted by key, as Go prints it.
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{key}:{}", print(value))).collect();
            format!("map[{}]", members.join(" "))
        }
    }
}

/// `strconv.FormatFloat(number, 'f', -1, 64)`: the shortest decimal without an exponent.
pub(in crate::ca) fn decimal(number: f64) -> String {
    number.to_string()
}

/// `strconv.FormatFloat(number, 'g', -1, 64)`, which is `%v`: with an exponent when it is less than -4 or
/// at least [`EXPONENT_FROM`].
fn shortest(number: f64) -> String {
    // Rust's `{:e}` has the shortest digits, as `1.2345678e7`.
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..EXPONENT_FROM).contains(&exponent) {
        return decimal(number);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_printed_as_go_prints_them() {
        for (json, printed) in [
            (r#"["a", 1, true, null, 2.5]"#, "[a 1 true <nil> 2.5]"),
            (r#"{"z": 1, "a": "x"}"#, "map[a:x z:1]"),
            ("[12345678, 0.1, 1e21, 123456, 1000000]", "[1.2345678e+07 0.1 1e+21 123456 1e+06]"),
            ("[0.0001, 0.00001, -0.0, -1234567]", "[0.0001 1e-05 -0 -1.234567e+06]"),
        ] {
            assert_eq!(print(&serde_json::from_str(json).unwrap()), printed);
        }
    }

    #[test]
    fn decimals_have_no_exponent() {
        for (number, printed) in [
            (6_789_012_345.0, "6789012345"),
            (1e-7, "0.0000001"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ] {
            assert_eq!(decimal(number), printed);
        }
    }
}
