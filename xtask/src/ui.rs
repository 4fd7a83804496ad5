//! The sources of the pages where their packages are: cargo builds the pages in its output folder, not beside the sources.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::generate::root;

/// What a developer's own `npm` leaves beside the sources; the copy has its own.
const GENERATED: [&str; 4] = ["node_modules", "gql", "dist", "screenshots"];

/// Builds the pages unless they are built, and answers with the folder: the packages, what is generated and all sources.
pub fn built() -> Result<PathBuf> {
    // By the program, not the package: so nothing else is compiled anew.
    let line = "build --bin aether-nexus --message-format=json-render-diagnostics";
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(line.split(' ')).current_dir(root()).stderr(Stdio::inherit());
    let output = cargo.output()?;
    ensure!(output.status.success(), "`cargo {line}` failed");
    let printed = String::from_utf8(output.stdout)?;
    let out = printed.lines().filter_map(|line| serde_json::from_str(line).ok()).find_map(|message: Value| {
        let is_ours = message["reason"] == "build-script-executed"
            && message["package_id"].as_str().is_some_and(|id| id.contains("/crates/console#"));
        is_ours.then(|| message["out_dir"].as_str().map(PathBuf::from)).flatten()
    });
    let folder = out.context("cargo does not say where it has built crates/console")?.join("ui-build");
    ensure!(
        folder.join("node_modules").exists(),
        "the pages are not built: AETHER_UI=required says what is missing, and AETHER_UI=off leaves them out"
    );
    add_rest(&root().join("crates/console/ui"), &folder)?;
    Ok(folder)
}

/// Brings the copy to what the sources are, with what the pages are not built from: tests and settings of the tools.
fn add_rest(ui: &Path, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.ends_with("node_modules") || path.ends_with("src") {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
    }
    copy(ui, folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (from, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if GENERATED.iter().any(|generated| name == *generated) {
            continue;
        }
        if from.is_dir() {
            copy(&from, &to.join(name))?;
        } else {
            fs::copy(&from, to.join(name)).with_context(|| format!("{} cannot be copied", from.display()))?;
        }
    }
    Ok(())
}
