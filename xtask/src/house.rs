//! The layers of the house, and the test that it stands.

/// Our crates, from the roof to the ground. A crate may depend on the lines below its own.
#[cfg(test)]
const HOUSE: &[&[&str]] = &[
    &["xtask", "conformance-client", "bench"],
    &["cli"],
    &["client", "web"],
    &["services"],
    &["entries", "tlog", "tuf", "verify"],
    &["foreign"],
    &["oci", "pki", "storage", "wire"],
    &["crypto", "merkle", "net"],
    &["testdata"],
];

/// What may be used on its own line: `merkle` hashes with `crypto`.
#[cfg(test)]
const BESIDE: &[(&str, &str)] = &[("merkle", "crypto")];

/// What pure crates must not depend on: they have no clock, no randomness, no files, no sockets, no runtime.
#[cfg(test)]
const PURE: &[&str] = &["merkle", "pki", "foreign", "wire", "entries", "verify"];
#[cfg(test)]
const EFFECTS: &[&str] = &["tokio", "reqwest", "rustix", "fjall", "hyper", "rand", "getrandom"];

/// Only these name the backend of their trade.
#[cfg(test)]
const SOLE_USERS: &[(&str, &[&str])] = &[
    ("aws-lc-rs", &["crypto", "bench"]),
    ("reqwest", &["net"]),
    ("fjall", &["storage"]),
    ("axum", &["web", "bench"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Describes every dependency that does not point down.
    fn check(dependencies: &[(String, String)]) -> Vec<String> {
        let line = |name: &str| HOUSE.iter().position(|line| line.contains(&name));
        dependencies
            .iter()
            .filter(|(user, used)| {
                let beside = BESIDE.contains(&(user.as_str(), used.as_str()));
                !beside && (line(user).is_none() || line(used) <= line(user))
            })
            .map(|(user, used)| format!("`{user}` must not depend on `{used}`"))
            .collect()
    }

    /// Every (user, used, is ours, is for tests only) of the workspace.
    fn dependencies() -> Vec<(String, String, bool, bool)> {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
            .output()
            .unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let of = |package: &serde_json::Value| {
            let user = package["name"].as_str().unwrap().to_owned();
            let used = package["dependencies"].as_array().unwrap().clone();
            used.into_iter().map(move |used| {
                let name = used["name"].as_str().unwrap().to_owned();
                let ours = used["path"].is_string();
                (user.clone(), name, ours, used["kind"] == "dev")
            })
        };
        packages.iter().flat_map(of).collect()
    }

    #[test]
    fn the_house_stands() {
        let ours: Vec<_> = dependencies()
            .into_iter()
            .filter(|(_, _, ours, tests)| *ours && !*tests)
            .map(|(user, used, _, _)| (user, used))
            .collect();
        assert!(ours.len() > 20, "the workspace was not found");
        assert_eq!(check(&ours), [""; 0]);
    }

    #[test]
    fn only_dependencies_that_point_down_are_allowed() {
        let check = |user: &str, used: &str| check(&[(user.into(), used.into())]);
        assert_eq!(check("web", "services"), [""; 0]);
        assert_eq!(check("verify", "web"), ["`verify` must not depend on `web`"]);
        assert_eq!(check("verify", "entries"), ["`verify` must not depend on `entries`"]);
        assert_eq!(check("verify", "misc"), ["`verify` must not depend on `misc`"]);
        assert_eq!(check("misc", "verify"), ["`misc` must not depend on `verify`"]);
    }

    #[test]
    fn pure_crates_have_no_effects() {
        let impure = |(user, used, _, tests): &(String, String, bool, bool)| {
            !tests && PURE.contains(&user.as_str()) && EFFECTS.contains(&used.as_str())
        };
        let found: Vec<_> = dependencies().into_iter().filter(impure).collect();
        assert_eq!(found, []);
    }

    #[test]
    fn each_backend_has_one_user() {
        for (backend, users) in SOLE_USERS {
            let others: Vec<_> = dependencies()
                .into_iter()
                .filter(|(user, used, _, tests)| {
                    !tests && used == backend && !users.contains(&user.as_str())
                })
                .collect();
            assert_eq!(others, [], "{backend}");
        }
    }
}
