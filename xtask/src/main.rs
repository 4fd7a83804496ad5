//! Developer commands: `cargo xtask generate | check | bench | forecast`.

#![expect(clippy::disallowed_methods, reason = "the tool has databases of its own, as their owner")]

mod bench;
mod check;
mod docs;
mod forecast;
mod generate;
mod ui;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Developer commands of Aether Nexus")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Migrates a scratch database and writes the entity crate and schema.graphql from it.
    Generate {
        /// Writes nothing; fails when what is committed differs.
        #[arg(long)]
        check: bool,
    },
    /// Runs everything that must pass before a change is merged.
    Check {
        /// Only these steps; all unless said.
        #[arg(value_enum)]
        steps: Vec<check::Step>,
    },
    /// Measures the gateway against hand-written SQL, side by side.
    Bench(bench::Options),
    /// Measures how well series of a CSV are forecast.
    Forecast(forecast::Options),
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match Cli::parse().command {
            Command::Generate { check } => generate::run(check).await,
            Command::Bench(options) => bench::run(options).await,
            Command::Forecast(options) => forecast::run(&options),
            Command::Check { steps } => check::run(steps).await,
        }
    })
}
