//! Habits of the house that a machine can check.

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    /// Words that say that something is not finished.
    const UNFINISHED: &[&str] =
        &["todo!(", "unimplemented!(", "FIXME", "XXX", "#[ignore", "for now"];
    /// Names that say nothing.
    const SHAPELESS: &[&str] =
        &["utils", "util", "common", "core", "types", "helpers", "errors", "error", "mod"];

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
    }

    /// Every file of ours that ends so.
    fn sources(extension: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![root().join("crates"), root().join("tests"), root().join("xtask")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|found| found == extension) {
                    found.push(path);
                }
            }
        }
        found
    }

    #[test]
    fn every_file_begins_with_what_is_in_it() {
        let silent: Vec<_> = sources("rs")
            .into_iter()
            .filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//! "))
            .collect();
        assert_eq!(silent, Vec::<PathBuf>::new());
    }

    #[test]
    fn nothing_is_left_unfinished() {
        let own = Path::new(file!()).file_name();
        let mut found = Vec::new();
        for path in sources("rs").into_iter().filter(|path| path.file_name() != own) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                if UNFINISHED.iter().any(|word| line.contains(word)) {
                    found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
                }
            }
        }
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn no_file_has_a_name_that_says_nothing() {
        let shapeless: Vec<_> = sources("rs")
            .into_iter()
            .filter(|path| {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap();
                SHAPELESS.contains(&stem)
            })
            .collect();
        assert_eq!(shapeless, Vec::<PathBuf>::new());
    }
}
