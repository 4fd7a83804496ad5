//! `cargo xtask check`: what must pass before a change is merged, in the order in which it is most useful to know.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::{
    docs,
    generate::{self, root},
    ui,
};

/// A step of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// `cargo test`, as the README has it.
    Test,
    /// Whether the code is formatted.
    Fmt,
    /// Whether clippy has nothing to say.
    Clippy,
    /// Whether the pages' sources are formatted, their types fit, those of their operations too, and ESLint has nothing to say; and
    /// whether the gateway does without Node.js.
    Pages,
    /// Whether what is generated is what the migrations and the model give.
    Generated,
    /// Whether the documentation's links lead somewhere, and `.env.example` knows every variable.
    Docs,
}

/// Runs the steps, all unless some are named, and stops at the first that fails.
pub async fn run(steps: Vec<Step>) -> Result<()> {
    let steps = if steps.is_empty() { Step::value_variants().to_vec() } else { steps };
    let mut times = Vec::new();
    for step in steps {
        println!("\n==> {}", step.title());
        let started = Instant::now();
        step.run().await?;
        times.push((step, started.elapsed()));
        println!("    {}", seconds(started.elapsed()));
    }
    println!("\n==> all passed");
    for (step, time) in &times {
        println!("    {:>8}  {}", seconds(*time), step.title());
    }
    Ok(())
}

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::Test => "cargo test",
            Self::Fmt => "cargo fmt --all --check",
            Self::Clippy => "cargo clippy --workspace --all-targets -- -D warnings",
            Self::Pages => "npm run check",
            Self::Generated => "cargo xtask generate --check",
            Self::Docs => "links and variables of the documentation",
        }
    }

    async fn run(self) -> Result<()> {
        match self {
            Self::Test | Self::Fmt => call(env!("CARGO"), self.title(), &root()),
            Self::Clippy => {
                // What clippy sees of this workspace cargo builds anew, pages included, which clippy does not look at.
                let mut cargo = Command::new(env!("CARGO"));
                succeed(cargo.env("AETHER_UI", "off"), self.title(), &root())
            }
            Self::Pages => {
                call("npm", self.title(), &ui::built()?)?;
                plain_pages()
            }
            Self::Generated => generate::run(true).await,
            Self::Docs => docs::check(&root()),
        }
    }
}

/// Runs a command line by this program.
fn call(program: &str, line: &str, folder: &Path) -> Result<()> {
    succeed(&mut Command::new(program), line, folder)
}

fn succeed(command: &mut Command, line: &str, folder: &Path) -> Result<()> {
    let status = command.args(line.split(' ').skip(1)).current_dir(folder).status()?;
    ensure!(status.success(), "`{line}` failed");
    Ok(())
}

/// Tests the pages that a gateway has which was built without Node.js; in a folder of its own, not to build all else anew.
fn plain_pages() -> Result<()> {
    let line = "test --quiet -p aether-console --target-dir target/plain";
    let mut cargo = Command::new(env!("CARGO"));
    let status = cargo.args(line.split(' ')).env("AETHER_UI", "off").current_dir(root()).status()?;
    ensure!(status.success(), "`AETHER_UI=off cargo {line}` failed");
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
