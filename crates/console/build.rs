//! Builds the pages with npm where it is on the machine. Without it the gateway serves plain ones that say how to get these.
//!
//! `AETHER_UI=off` leaves them out, `AETHER_UI=required` fails where they cannot be built.
//!
//! All of it happens on a copy in cargo's output folder: the sources stay as they are, and builds of different profiles do not meet.

#![allow(clippy::disallowed_methods, reason = "cargo tells build scripts where they are by the environment")]

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// What the pages are built from, in `ui`.
const SOURCES: [&str; 8] = [
    "src",
    "index.html",
    "graphiql.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "codegen.ts",
    "tsconfig.json",
];
/// The oldest Node.js that builds them.
const NODE: (u32, u32) = (20, 19);

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to build"));
    let (schema, pages, work) = (root.join("../../schema.graphql"), out.join("ui"), out.join("ui-build"));
    println!("cargo::rerun-if-env-changed=AETHER_UI");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../schema.graphql");
    for source in SOURCES {
        println!("cargo::rerun-if-changed=ui/{source}");
    }
    let wanted = env::var("AETHER_UI").unwrap_or_default();
    if pages.exists() {
        fs::remove_dir_all(&pages).expect("what was built before can be removed");
    }
    fs::create_dir_all(&pages).expect("the folder of the pages can be made");
    if wanted == "off" {
        return;
    }
    copy_sources(&root.join("ui"), &work).expect("the sources of the pages can be copied");
    match install(&work) {
        Ok(()) => build(&work, &schema, &pages),
        Err(why) if wanted == "required" => panic!("the pages cannot be built: {why}"),
        Err(why) => println!("cargo::warning=the console and GraphiQL are left out of the gateway: {why}"),
    }
}

/// Brings the copy to what the sources are. The packages, which are beside it, stay.
fn copy_sources(ui: &Path, work: &Path) -> io::Result<()> {
    fs::create_dir_all(work)?;
    if work.join("src").exists() {
        fs::remove_dir_all(work.join("src"))?;
    }
    SOURCES.iter().try_for_each(|source| copy(&ui.join(source), &work.join(source)))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// Brings the packages to what the lockfile says, unless they are.
fn install(work: &Path) -> Result<(), String> {
    let version =
        run(Command::new("node").arg("--version")).map_err(|_| "there is no Node.js (20.19 or newer)".to_owned())?;
    let mut numbers = version.trim().trim_start_matches('v').split('.').map_while(|number| number.parse().ok());
    if (numbers.next(), numbers.next()) < (Some(NODE.0), Some(NODE.1)) {
        return Err(format!("Node.js is {}, and 20.19 or newer is needed", version.trim()));
    }
    let wanted = fs::read(work.join("package-lock.json")).map_err(|error| error.to_string())?;
    // Written last: where it is, an installation has come to its end.
    let installed = work.join("node_modules/.aether-installed");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(work))?;
    fs::write(installed, wanted).map_err(|error| error.to_string())
}

fn build(work: &Path, schema: &Path, pages: &Path) {
    let program = |name: &str| {
        let mut program = Command::new(work.join("node_modules/.bin").join(name));
        program.current_dir(work);
        program
    };
    let built = run(program("graphql-codegen").arg("--silent").env("AETHER_SCHEMA", schema))
        .and_then(|_| run(program("vite").args(["build", "--logLevel=error", "--outDir"]).arg(pages)));
    if let Err(why) = built {
        panic!("the pages do not build (AETHER_UI=off leaves them out):\n{why}");
    }
}

/// What a program prints, or why it failed.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output();
    let program = Path::new(command.get_program()).display();
    let output = output.map_err(|error| format!("{program} cannot be run: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(printed.into_owned());
    }
    Err(format!("{program} failed: {printed}{}", String::from_utf8_lossy(&output.stderr)))
}
