//! A configuration file in, what the server tells about it out.

use std::path::Path;

use serde_json::{Value, json};

use testdata::Exception;

use super::{cases, json, judge, name};
use crate::ca::Config;

const EXCEPTIONS: &[Exception] = &[];

fn compare(case: &Path) -> Result<(), String> {
    let expected = json(&case.join("expect.json"));
    let file = ["config.yaml", "config.json"].map(|file| case.join(file));
    let file = file.iter().find(|file| file.exists()).unwrap();
    match (Config::read(&std::fs::read(file).unwrap()), expected["ok"] == json!(true)) {
        (Err(_), false) => Ok(()),
        (Ok(config), true) => {
            let found = sorted(&serde_json::to_value(config.describe()).unwrap());
            let wanted = sorted(&expected["configuration"]);
            if found == wanted { Ok(()) } else { Err(format!("{found:?}, not {wanted:?}")) }
        }
        (Ok(_), false) => Err(format!("was read, not refused: {}", expected["error"])),
        (Err(error), true) => Err(format!("was refused: {error:?}")),
    }
}

/// The order of issuers is not fixed; the cases have them by text.
fn sorted(configuration: &Value) -> Vec<String> {
    let issuers = configuration["issuers"].as_array().unwrap().iter();
    let mut issuers: Vec<String> = issuers.map(Value::to_string).collect();
    issuers.sort();
    issuers
}

#[test]
fn golden_fulcio_config() {
    let outcomes: Vec<_> = cases("config").iter().map(|case| (name(case), compare(case))).collect();
    judge("config", &outcomes, EXCEPTIONS);
}
