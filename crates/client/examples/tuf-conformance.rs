//! Our TUF client with the command line of `tuf-conformance`, the suite of the TUF project for clients.
//!
//! `tuf-conformance --metadata-dir DIR init ROOT`, `… --metadata-url URL refresh`, and
//! `… --target-name NAME --target-base-url URL --target-dir DIR download`; exit code 0 or 1.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use net::{Client, Redirects, RequestError, Settings, StatusCode};
use tuf::{Fetch, MetadataStore, TargetName};
use url::Url;

/// What was typed.
#[derive(Default)]
struct Arguments {
    metadata: PathBuf,
    repository: Option<Url>,
    targets: Option<Url>,
    directory: PathBuf,
    names: Vec<String>,
    command: Vec<String>,
}

/// A repository whose targets may be elsewhere.
struct Repository {
    client: Client,
    metadata: Url,
    targets: Url,
}

impl Fetch for Repository {
    type Error = RequestError;

    async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, RequestError> {
        let (base, path) = match path.strip_prefix("targets/") {
            Some(target) => (&self.targets, target),
            None => (&self.metadata, path),
        };
        let mut url = base.clone();
        url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let response = self.client.get(url).max_body(limit).send().await?;
        Ok((response.status == StatusCode::OK).then(|| response.body.to_vec()))
    }
}

/// Metadata in a directory, the roots that led to the newest in one below it.
struct Directory(PathBuf);

impl Directory {
    fn place(&self, name: &str) -> PathBuf {
        if name.ends_with(".root.json") {
            self.0.join("roots").join(name)
        } else {
            self.0.join(name)
        }
    }
}

impl MetadataStore for Directory {
    fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.place(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn save(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        std::fs::create_dir_all(self.0.join("roots"))?;
        std::fs::write(self.place(name), bytes)?;
        if name.ends_with(".root.json") {
            std::fs::write(self.0.join("root.json"), bytes)?;
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read()?;
    match arguments.command.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["init", root] => init(&arguments.metadata, Path::new(root)),
        ["refresh"] => run(&arguments, false).await,
        ["download"] => run(&arguments, true).await,
        _ => Err("init, refresh or download".into()),
    }
}

fn init(metadata: &Path, root: &Path) -> Result<(), Box<dyn Error>> {
    let root = std::fs::read(root)?;
    tuf::Unverified::<tuf::Root>::parse(&root)?.trust_first()?;
    Ok(std::fs::write(metadata.join("root.json"), root)?)
}

async fn run(arguments: &Arguments, download: bool) -> Result<(), Box<dyn Error>> {
    let metadata = arguments.repository.clone().ok_or("--metadata-url")?;
    let targets = arguments.targets.clone().unwrap_or_else(|| metadata.clone());
    let settings = Settings { redirects: Redirects::Never, ..Settings::default() };
    let repository = Repository { client: Client::new(settings), metadata, targets };
    let store = Directory(arguments.metadata.clone());
    let root = std::fs::read(arguments.metadata.join("root.json"))?;
    let mut set = tuf::refresh(&root, &repository, &store, Timestamp::now()).await?;
    for name in arguments.names.iter().filter(|_| download) {
        let name = TargetName::new(name)?;
        let found = tuf::find_target(&mut set, &name, &repository, &store).await?;
        let target = found.ok_or("there is no such target")?;
        // One file in the directory for each name, whatever slashes it has.
        let file = arguments.directory.join(name.as_str().replace('/', "%2F"));
        if std::fs::read(&file).is_ok_and(|kept| target.check(&kept).is_ok()) {
            continue;
        }
        std::fs::write(file, tuf::download(&set, &name, &target, &repository).await?)?;
    }
    Ok(())
}

impl Arguments {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut read = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            if !word.starts_with("--") {
                read.command.push(word);
                continue;
            }
            let value = words.next().ok_or("a value is missing")?;
            match word.as_str() {
                "--metadata-dir" => read.metadata = value.into(),
                "--metadata-url" => read.repository = Some(value.parse()?),
                "--target-name" => read.names.push(value),
                "--target-dir" => read.directory = value.into(),
                "--target-base-url" => read.targets = Some(value.parse()?),
                _ => return Err(format!("{word} is not known").into()),
            }
        }
        Ok(read)
    }
}
