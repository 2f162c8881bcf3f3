//! What git knows: objects as they are stored, and the user's configuration. Git itself is asked.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::object::ObjectFormat;

/// The longest object that is read. Messages of commits are text that people write.
const MAX_OBJECT: u64 = 16 << 20;
/// The longest output of a git command that names things: a range of a hundred thousand commits has a tenth.
const MAX_OUTPUT: u64 = 64 << 20;

/// The repository in which the program runs, or the one that git's environment names.
#[derive(Clone, Copy, Debug)]
pub struct Repository;

/// An object as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// Its name.
    pub id: String,
    /// Its type: `commit`, `tag`, `blob` or `tree`.
    pub kind: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why git does not tell.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// Git cannot be run.
    #[error("git cannot be run")]
    Run(#[source] std::io::Error),
    /// Git says no.
    #[error("git {command} fails: {said}")]
    Refused {
        /// Which command.
        command: String,
        /// What git said.
        said: String,
    },
    /// Several refs have the name, and whoever can push one of them would choose what is meant.
    #[error("{name:?} is the name of {}", refs.join(" and of "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The refs.
        refs: Vec<String>,
    },
    /// The history ends within the range because the clone is shallow.
    #[error("the history of {0} is cut off: the clone is shallow")]
    Shallow(String),
    /// Nothing has that name.
    #[error("nothing in the repository is named {0:?}")]
    NotFound(String),
    /// It is longer than anything that is read.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// What.
        what: String,
        /// How much is read.
        limit: u64,
    },
    /// What git prints is not what it should be.
    #[error("git {command} prints something unexpected")]
    Unexpected {
        /// Which command.
        command: String,
    },
}

impl Repository {
    /// Reads the object that `name` leads to, such as `HEAD`, `v1.0` or an object's id.
    ///
    /// Replacements (`git replace`) are not followed: what is verified is the object of that name. Names that lead to
    /// several refs are refused by [`Self::check_unambiguous`], which callers ask first for what people type.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn object(self, name: &str) -> Result<Object, RepositoryError> {
        const COMMAND: &str = "cat-file --batch";
        if name.is_empty() || name.contains('\n') {
            return Err(RepositoryError::NotFound(name.to_owned()));
        }
        let mut child = git(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(RepositoryError::Run)?;
        if let Some(mut stdin) = child.stdin.take() {
            // If git has gone away, what it said tells why.
            let _ = writeln!(stdin, "{name}");
        }
        let object = read_batch(&mut child, name);
        let said = child.wait_with_output().map_err(RepositoryError::Run)?;
        match object {
            Err(RepositoryError::Unexpected { .. }) if !said.status.success() => {
                Err(refused(COMMAND, &said.stderr))
            }
            other => other,
        }
    }

    /// How the repository's objects are named.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn format(self) -> Result<ObjectFormat, RepositoryError> {
        let command = ["rev-parse", "--show-object-format"];
        match output(&command)?.trim() {
            "sha1" => Ok(ObjectFormat::Sha1),
            "sha256" => Ok(ObjectFormat::Sha256),
            _ => Err(RepositoryError::Unexpected { command: command.join(" ") }),
        }
    }

    /// Checks that what a person typed as a revision has one meaning.
    ///
    /// Git takes a tag before a branch of the same name, and only warns. Whoever can push tags could choose what is
    /// verified instead of the branch (or of the abbreviated id) that was meant.
    ///
    /// # Errors
    ///
    /// [`RepositoryError::Ambiguous`].
    pub fn check_unambiguous(self, revision: &str) -> Result<(), RepositoryError> {
        let name = revision.split(['~', '^', ':', '@']).next().unwrap_or_default();
        if name.is_empty() || name.starts_with('-') || name == "HEAD" || is_id(name) {
            return Ok(());
        }
        let places = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
        let wanted: Vec<String> = places.iter().map(|place| format!("{place}{name}")).collect();
        let mut command = vec!["for-each-ref", "--format=%(refname)"];
        command.extend(wanted.iter().map(String::as_str).filter(|name| name.starts_with("refs/")));
        let listed = output(&command)?;
        // A pattern also lists what is below it.
        let is_wanted = |found: &&str| wanted.iter().any(|name| name == found);
        let refs: Vec<String> = listed.lines().filter(is_wanted).map(str::to_owned).collect();
        let may_be_id = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if refs.len() > usize::from(!may_be_id) {
            return Err(RepositoryError::Ambiguous { name: name.to_owned(), refs });
        }
        Ok(())
    }

    /// What the ref with this full name points to; `None` if there is no such ref. No other ref takes its place.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn reference(self, full_name: &str) -> Result<Option<String>, RepositoryError> {
        let command = ["show-ref", "--verify", "--hash", "--", full_name];
        let done = git(command).output().map_err(RepositoryError::Run)?;
        let id = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        Ok(Some(id).filter(|id| done.status.success() && !id.is_empty()))
    }

    /// The full name of the branch that is checked out, if one is.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn checked_out(self) -> Result<Option<String>, RepositoryError> {
        let done =
            git(["symbolic-ref", "--quiet", "HEAD"]).output().map_err(RepositoryError::Run)?;
        let name = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        Ok(Some(name).filter(|name| done.status.success() && !name.is_empty()))
    }

    /// The directory of the files that are checked out, if there is one.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn work_tree(self) -> Result<Option<PathBuf>, RepositoryError> {
        let command = ["rev-parse", "--show-toplevel"];
        let done = git(command).output().map_err(RepositoryError::Run)?;
        let path = String::from_utf8_lossy(&done.stdout).trim_end_matches('\n').to_owned();
        Ok(Some(path).filter(|path| done.status.success() && !path.is_empty()).map(PathBuf::from))
    }

    /// The commits of a range such as `main..HEAD`, oldest first. None is left out: not by a replacement, not by a graft.
    ///
    /// # Errors
    ///
    /// [`RepositoryError::Shallow`] if the clone does not hold all of them.
    pub fn range(self, range: &str) -> Result<Vec<String>, RepositoryError> {
        for end in range.split("..") {
            self.check_unambiguous(end.trim_start_matches('.'))?;
        }
        if range.starts_with('-') {
            return Err(RepositoryError::NotFound(range.to_owned()));
        }
        let listed = output(&["rev-list", "--reverse", range, "--"])?;
        let commits: Vec<String> = listed.lines().map(str::to_owned).collect();
        let cut = shallow_commits()?;
        match commits.iter().find(|commit| cut.lines().any(|line| line == *commit)) {
            Some(_) => Err(RepositoryError::Shallow(range.to_owned())),
            None => Ok(commits),
        }
    }

    /// The last value of each key of the configuration that begins with `section.`, with the keys in lower case.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn configuration(self, section: &str) -> Result<Vec<(String, String)>, RepositoryError> {
        let pattern = format!("^{section}\\.");
        let command = ["config", "--null", "--get-regexp", &pattern];
        let done = git(command).output().map_err(RepositoryError::Run)?;
        // Nothing was set.
        if done.status.code() == Some(1) && done.stderr.is_empty() {
            return Ok(Vec::new());
        }
        if !done.status.success() {
            return Err(refused("config", &done.stderr));
        }
        let text = String::from_utf8_lossy(&done.stdout);
        let pairs = text.split_terminator('\0');
        // A key without a value is a switch that is on.
        let pair = |pair: &str| match pair.split_once('\n') {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => (pair.to_owned(), "true".to_owned()),
        };
        Ok(pairs.map(pair).collect())
    }

    /// Sets a key of the configuration, of this repository or of the user.
    ///
    /// # Errors
    ///
    /// See [`RepositoryError`].
    pub fn configure(self, key: &str, value: &str, global: bool) -> Result<(), RepositoryError> {
        let place = if global { "--global" } else { "--local" };
        output(&["config", place, key, value]).map(drop)
    }
}

/// Git, without what would put one object in another's place.
fn git<I: IntoIterator<Item: AsRef<OsStr>>>(arguments: I) -> Command {
    let mut command = Command::new("git");
    command.arg("--no-replace-objects").env("GIT_GRAFT_FILE", "/dev/null");
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Whether it is the whole id of an object.
#[must_use]
pub fn is_id(name: &str) -> bool {
    [40, 64].contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The commits whose parents a shallow clone does not have, one a line.
fn shallow_commits() -> Result<String, RepositoryError> {
    let path = output(&["rev-parse", "--git-path", "shallow"])?;
    match std::fs::read_to_string(path.trim_end_matches('\n')) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(RepositoryError::Run),
    }
}

fn output(arguments: &[&str]) -> Result<String, RepositoryError> {
    let command = arguments.join(" ");
    let done = git(arguments).output().map_err(RepositoryError::Run)?;
    if !done.status.success() {
        return Err(refused(&command, &done.stderr));
    }
    if done.stdout.len() as u64 > MAX_OUTPUT {
        return Err(RepositoryError::TooLong { what: command, limit: MAX_OUTPUT });
    }
    String::from_utf8(done.stdout).map_err(|_| RepositoryError::Unexpected { command })
}

fn refused(command: &str, said: &[u8]) -> RepositoryError {
    let said = String::from_utf8_lossy(said).trim().to_owned();
    RepositoryError::Refused { command: command.to_owned(), said }
}

/// Reads the one answer of `cat-file --batch`: `<name> <type> <size>`, and the bytes.
fn read_batch(child: &mut Child, name: &str) -> Result<Object, RepositoryError> {
    let unexpected = || RepositoryError::Unexpected { command: "cat-file --batch".to_owned() };
    let mut stdout = BufReader::new(child.stdout.take().ok_or_else(unexpected)?);
    let mut head = String::new();
    stdout.by_ref().take(4096).read_line(&mut head).map_err(|_| unexpected())?;
    let mut words = head.split_whitespace();
    let (Some(id), Some(kind), size) = (words.next(), words.next(), words.next()) else {
        return Err(unexpected());
    };
    let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else {
        // `<name> missing`, `<name> ambiguous`
        return Err(RepositoryError::NotFound(name.to_owned()));
    };
    if size > MAX_OBJECT {
        return Err(RepositoryError::TooLong { what: name.to_owned(), limit: MAX_OBJECT });
    }
    let mut bytes = Vec::new();
    stdout.take(size).read_to_end(&mut bytes).map_err(|_| unexpected())?;
    if bytes.len() as u64 != size {
        return Err(unexpected());
    }
    Ok(Object { id: id.to_owned(), kind: kind.to_owned(), bytes })
}
