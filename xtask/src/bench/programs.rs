//! The two programs: built, started, asked.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::generate::root;

/// Where the builds are.
pub struct Binaries {
    pub gateway: PathBuf,
    pub baseline: PathBuf,
}

impl Binaries {
    /// Those that are in this folder already.
    pub fn in_folder(folder: &Path) -> Self {
        Self { gateway: folder.join("aether-nexus"), baseline: folder.join("aether-baseline") }
    }

    /// Builds them; cargo shows how far it is.
    pub async fn build(release: bool) -> Result<Self> {
        let output = Command::new(env!("CARGO"))
            .args(["build", "-p", "aether-server", "-p", "aether-baseline"])
            .args(release.then_some("--release"))
            .arg("--message-format=json-render-diagnostics")
            .current_dir(root())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?
            .wait_with_output()
            .await?;
        ensure!(output.status.success(), "the build failed");
        let text = String::from_utf8(output.stdout)?;
        let executable = |name: &str| {
            text.lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .find(|message| message["target"]["name"] == name && message["executable"].is_string())
                .and_then(|message| message["executable"].as_str().map(PathBuf::from))
                .with_context(|| format!("cargo did not say where it put {name}"))
        };
        Ok(Self { gateway: executable("aether-nexus")?, baseline: executable("aether-baseline")? })
    }
}

/// The command that runs the gateway on this database, with settings of its own only.
pub fn gateway(binaries: &Binaries, database_url: &str) -> Command {
    let mut command = Command::new(&binaries.gateway);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AETHER_")) {
        command.env_remove(name);
    }
    command.env("DATABASE_URL", database_url);
    // One user sends all of it: how fast the gateway is, is asked here, and not how fast one user may be.
    for limit in ["AETHER_MUTATIONS_PER_MINUTE", "AETHER_REQUESTS_PER_MINUTE", "AETHER_REQUESTS_PER_MINUTE_PER_ADDRESS"]
    {
        command.env(limit, "0");
    }
    command
}

/// A program that serves; it ends when this is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub pid: u32,
    _child: Child,
}

impl Server {
    /// Starts it on a free port, which it is told in this variable, and waits until it serves.
    pub async fn start(name: &str, mut command: Command, listen: &str) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        command.env(listen, address.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let begin = Instant::now();
        while reqwest::get(format!("http://{address}/readyz")).await.is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("the {name} ended: {status}");
            }
            ensure!(begin.elapsed() < Duration::from_secs(60), "the {name} does not serve within a minute");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let pid = child.id().with_context(|| format!("the {name} has ended"))?;
        Ok(Self { address, pid, _child: child })
    }

    /// The answer to a POST.
    pub async fn post(&self, path: &str, authorization: &str, body: &str) -> Result<String> {
        let request = reqwest::Client::new().post(format!("http://{}{path}", self.address));
        let request = request.header("Content-Type", "application/json").header("Authorization", authorization);
        let response = request.body(body.to_owned()).send().await?;
        let status = response.status();
        let text = response.text().await?;
        ensure!(status.is_success(), "{path} answered {status}: {text}");
        Ok(text)
    }
}
