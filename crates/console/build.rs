//! Builds the pages with npm where it is on the machine. Without it the gateway serves plain ones that say how to get these.
//!
//! `AETHER_UI=off` leaves them out, `AETHER_UI=required` fails where they cannot be built.

#![allow(clippy::disallowed_methods, reason = "cargo tells build scripts where they are by the environment")]

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// What the pages are built from, in `ui`, but for `src`.
const SOURCES: [&str; 7] = [
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
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to build")).join("ui");
    let ui = root.join("ui");
    println!("cargo::rerun-if-env-changed=AETHER_UI");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../schema.graphql");
    for source in SOURCES {
        println!("cargo::rerun-if-changed=ui/{source}");
    }
    for source in fs::read_dir(ui.join("src")).expect("the sources of the pages are there").flatten() {
        // Generated when the pages are built: changed by what would be run again because of the change.
        if source.file_name() != "gql" {
            println!("cargo::rerun-if-changed={}", source.path().display());
        }
    }
    let wanted = env::var("AETHER_UI").unwrap_or_default();
    if out.exists() {
        fs::remove_dir_all(&out).expect("what was built before can be removed");
    }
    fs::create_dir_all(&out).expect("the folder of the pages can be made");
    if wanted == "off" {
        return;
    }
    match install(&ui) {
        Ok(_lock) => build(&ui, &out),
        Err(why) if wanted == "required" => panic!("the pages cannot be built: {why}"),
        Err(why) => println!("cargo::warning=the console and GraphiQL are left out of the gateway: {why}"),
    }
}

/// Brings the packages to what the lockfile says, unless they are. Until what it answers is dropped, other builds wait.
fn install(ui: &Path) -> Result<File, String> {
    let version = run("node", ["--version"], ui).map_err(|_| "there is no Node.js (20.19 or newer)".to_owned())?;
    let mut numbers = version.trim().trim_start_matches('v').split('.').map_while(|number| number.parse().ok());
    if (numbers.next(), numbers.next()) < (Some(NODE.0), Some(NODE.1)) {
        return Err(format!("Node.js is {}, and 20.19 or newer is needed", version.trim()));
    }
    // Builds of different profiles share the packages, and what is generated from the schema.
    let lock = File::create(ui.join(".aether-lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let (wanted, installed) = (ui.join("package-lock.json"), ui.join("node_modules/.aether-installed"));
    let wanted = fs::read(wanted).map_err(|error| error.to_string())?;
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(lock);
    }
    run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], ui)?;
    fs::write(installed, wanted).map_err(|error| error.to_string())?;
    Ok(lock)
}

fn build(ui: &Path, out: &Path) {
    let program = |name: &str| ui.join("node_modules/.bin").join(name);
    let built = run(program("graphql-codegen"), ["--silent"], ui).and_then(|_| {
        run(
            program("vite"),
            [OsStr::new("build"), "--logLevel=error".as_ref(), "--outDir".as_ref(), out.as_os_str()],
            ui,
        )
    });
    if let Err(why) = built {
        panic!("the pages do not build (AETHER_UI=off leaves them out):\n{why}");
    }
}

/// What a program prints, or why it failed.
fn run<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
    folder: &Path,
) -> Result<String, String> {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(printed.into_owned());
    }
    Err(format!("{} failed: {printed}{}", program.display(), String::from_utf8_lossy(&output.stderr)))
}
