//! The servers that are measured, and what the kernel says that they use.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

/// Ticks of the CPU times in `/proc`, per second: `USER_HZ`, which is 100 on every Linux that we run on.
const TICKS: u64 = 100;
const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "correct horse battery staple";

/// A process, ended when it is dropped.
pub(crate) struct Running {
    child: Child,
    /// The administrator's socket, where the log says how often it synced.
    socket: Option<PathBuf>,
}

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Resident memory, in bytes, at the time of asking.
    pub(crate) resident: u64,
    /// Bytes given to the kernel for files. Of our own server, what the v2 log wrote.
    pub(crate) written: u64,
    /// Syncs of the v2 log that replies waited for; 0 where the server does not tell.
    pub(crate) syncs: u64,
    /// All other syncs of the v2 log.
    pub(crate) other_syncs: u64,
    /// Batches of the v2 log.
    pub(crate) batches: u64,
}

impl Usage {
    /// What was used since `before`.
    pub(crate) fn since(self, before: &Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            resident: self.resident,
            written: self.written.saturating_sub(before.written),
            syncs: self.syncs.saturating_sub(before.syncs),
            other_syncs: self.other_syncs.saturating_sub(before.other_syncs),
            batches: self.batches.saturating_sub(before.batches),
        }
    }
}

impl Running {
    /// Asks the kernel, and our own server's metrics.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let proc = PathBuf::from(format!("/proc/{}", self.child.id()));
        let stat = std::fs::read_to_string(proc.join("stat"))?;
        // The fields after the name, which is in parentheses and may hold spaces.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
        let ticks: u64 = [12, 13].iter().filter_map(|n| fields.get(*n)?.parse::<u64>().ok()).sum();
        let status = std::fs::read_to_string(proc.join("status"))?;
        let resident = number_after(&status, "VmRSS:").context("no VmRSS")? * 1024;
        let io = std::fs::read_to_string(proc.join("io"))?;
        let mut usage = Usage {
            cpu: Duration::from_millis(ticks * 1000 / TICKS),
            resident,
            written: number_after(&io, "wchar:").unwrap_or(0),
            syncs: 0,
            other_syncs: 0,
            batches: 0,
        };
        if let Some(socket) = &self.socket {
            let metrics = get(socket, "/metrics")?;
            let of = |name: &str| {
                let name = format!("bulla_log_{name}_total{{log=\"rekor-v2\"}}");
                number_after(&metrics, &name).with_context(|| format!("no {name}"))
            };
            usage.written = of("written_bytes")?;
            usage.syncs = of("syncs")?;
            usage.other_syncs = of("other_syncs")?;
            usage.batches = of("batches")?;
        }
        Ok(usage)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Our own server, on a directory of its own.
pub(crate) struct Bulla {
    running: Running,
    address: SocketAddr,
    _directory: TempDir,
}

/// The program to measure: `$BULLA`, else beside this one.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name(name);
    Ok(match std::env::var_os("BULLA") {
        Some(bulla) => Path::new(&bulla).with_file_name(name),
        None => beside,
    })
}

impl Bulla {
    /// `init`, `user add` and `serve`, as an operator would.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let directory = TempDir::new()?;
        let address = free_address()?;
        let data = directory.path().join("server");
        let command = || {
            let mut command = Command::new(program("bulla").unwrap_or_default());
            command
                .env("XDG_STATE_HOME", directory.path().join("state"))
                .env("XDG_DATA_HOME", directory.path().join("data"))
                .env("BULLA_PASSWORD", PASSWORD)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        let (url, listen) = (format!("http://localhost:{}", address.port()), address.to_string());
        let init =
            command().arg("init").arg(&data).args(["--url", &url, "--listen", &listen]).status()?;
        ensure!(init.success(), "bulla init failed");
        let user = command().args(["user", "add", EMAIL, "--dir"]).arg(&data).status()?;
        ensure!(user.success(), "bulla user add failed");
        let child = command().arg("serve").arg(&data).spawn()?;
        let running = Running { child, socket: Some(data.join("admin.sock")) };
        wait_until_listening(address)?;
        Ok(Self { running, address, _directory: directory })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// An ID token of the demo user, from the ordinary code flow.
    pub(crate) fn token(&self) -> anyhow::Result<String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../interop/sign_in.py");
        let url = format!("http://localhost:{}", self.address.port());
        let output = Command::new("python3").args([script, &url, EMAIL, PASSWORD]).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

/// The existing server for the v2 API.
pub(crate) struct RekorTiles {
    running: Running,
    address: SocketAddr,
    _directory: TempDir,
}

impl RekorTiles {
    /// Starts it with its defaults, or with the settings that make it fastest. `None` if it is not installed.
    pub(crate) fn start(best: bool) -> anyhow::Result<Option<Self>> {
        let foreign = std::env::var_os("BULLA_FOREIGN").map_or_else(
            || {
                PathBuf::from(std::env::var_os("HOME").unwrap_or_default())
                    .join(".cache/bulla/foreign")
            },
            PathBuf::from,
        );
        let versions = include_str!("../../interop/versions.env");
        let version = versions.lines().find_map(|line| line.strip_prefix("REKOR_TILES="));
        let program = foreign
            .join(format!("rekor-tiles-{}", version.context("no version")?))
            .join("bin/rekor-tiles");
        if !program.exists() {
            return Ok(None);
        }
        let directory = TempDir::new()?;
        let (address, grpc, metrics) = (free_address()?, free_address()?, free_address()?);
        let key = directory.path().join("key.pem");
        let signer = crypto::SigningKey::generate(crypto::KeyKind::Ed25519)?;
        std::fs::write(&key, signer.to_pkcs8_pem()?.as_bytes())?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .args(["--http-address", "127.0.0.1", "--http-port", &address.port().to_string()])
            .args(["--grpc-address", "127.0.0.1", "--grpc-port", &grpc.port().to_string()])
            .args(["--http-metrics-port", &metrics.port().to_string()])
            .args(["--hostname", "localhost", "--signer-filepath"])
            .arg(&key)
            .arg("--storage-dir")
            .arg(directory.path().join("log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if best {
            command.args(["--checkpoint-interval", "1s", "--batch-max-age", "10ms"]);
            command.args(["--batch-max-size", "4096", "--pushback-max-outstanding", "65536"]);
        }
        let running = Running { child: command.spawn()?, socket: None };
        wait_until_listening(address)?;
        Ok(Some(Self { running, address, _directory: directory }))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }
}

/// How long `quickstart` takes from the start of its process until it says that it is ready.
pub(crate) fn start_times(times: usize) -> anyhow::Result<Vec<Duration>> {
    let file = tempfile::NamedTempFile::new()?;
    (0..times)
        .map(|_| {
            let started = Instant::now();
            let mut child = Command::new(program("bulla")?)
                .args(["quickstart", "--keep"])
                .arg(file.path())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()?;
            let stderr = child.stderr.take().context("no stderr")?;
            let ready = BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
                .any(|line| line.contains("ready"));
            let took = started.elapsed();
            let _ = child.kill();
            let _ = child.wait();
            ensure!(ready, "quickstart ended without being ready");
            Ok(took)
        })
        .collect()
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn wait_until_listening(address: SocketAddr) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if std::net::TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("nothing listens on {address}")
}

/// The number that follows `name` in a text.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = &text[text.find(name)? + name.len()..];
    rest.split_whitespace().next()?.parse().ok()
}

/// One request to the administrator's socket.
fn get(socket: &Path, path: &str) -> anyhow::Result<String> {
    let mut stream = UnixStream::connect(socket).context("the administrator's socket")?;
    stream.write_all(
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
