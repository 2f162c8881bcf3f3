//! Tables of texts: e-mail addresses, URI names, patterns of issuers.

use pki::fulcio::San;
use serde_json::{Value, json};

use testdata::Exception;

use super::judge;
use crate::ca::Config;
use crate::ca::email_address::is_email_address;
use crate::ca::issuer::{ContentsError, uri_name};

const EXCEPTIONS: &[Exception] = &[];

/// The rows of a table, under the names by which exceptions would call them.
fn rows(table: &str, key: &str) -> Vec<(String, Value)> {
    let Some(path) = testdata::path(&format!("fulcio/tables/{table}.json")) else {
        return Vec::new();
    };
    let Value::Array(rows) = super::json(&path) else { panic!("a table is a list") };
    rows.into_iter().map(|row| (row[key].as_str().unwrap().to_owned(), row)).collect()
}

fn check(table: &str, key: &str, compare: impl Fn(&str, &Value) -> Result<(), String>) {
    let outcomes: Vec<_> = rows(table, key)
        .into_iter()
        .map(|(text, row)| {
            let outcome = compare(&text, &row);
            (text, outcome)
        })
        .collect();
    judge(&format!("tables/{table}"), &outcomes, EXCEPTIONS);
}

fn equal(found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found}, not {expected}")) }
}

#[test]
fn golden_fulcio_email_addresses() {
    check("email-addresses", "email", |email, row| {
        equal(&json!(is_email_address(email)), &row["valid"])?;
        if row["valid"] == json!(false) {
            return Ok(());
        }
        match San::Email(email.to_owned()).extension_value() {
            Ok(der) => equal(&json!(hex::encode(der)), &row["sanDer"]),
            Err(_) => {
                let error = ContentsError::NotIa5 { name: email.to_owned() };
                equal(&json!(error.to_string()), &row["error"])
            }
        }
    });
}

#[test]
fn golden_fulcio_uri_names() {
    check("uri-names", "input", |input, row| match uri_name(input) {
        Ok(san) => equal(&json!(san.text()), &row["san"]),
        Err(error) => equal(&json!(error.to_string()), &row["error"]),
    });
}

#[test]
fn golden_fulcio_issuer_patterns() {
    check("issuer-patterns", "issuer", |issuer, row| {
        let pattern = &row["pattern"];
        let entry = json!({ "ClientID": "sigstore", "Type": "email" });
        let config = json!({ "MetaIssuers": { pattern.as_str().unwrap(): entry } });
        let config = Config::read(config.to_string().as_bytes()).unwrap();
        equal(&json!(config.find(issuer).is_some()), &row["match"])
    });
}
