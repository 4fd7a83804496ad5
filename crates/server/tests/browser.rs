//! The pages in a real browser, against the program: `crates/console/ui/tests`.

mod program;

use std::{path::Path, process::Command};

/// Where what the browser shows is kept.
const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../screenshots");

#[test]
fn the_pages_do_in_a_browser_what_they_are_for() {
    assert!(
        aether_console::is_complete(),
        "The gateway was built without its pages. Install Node.js 20.19 or newer with npm, and run the tests with \
         AETHER_UI=required, which says what is missing."
    );
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../console/ui");
    let mut node = Command::new("node");
    node.args([
        "--test",
        "--test-concurrency=1",
        "--test-timeout=300000",
        "--test-reporter=spec",
        "tests/console.test.mjs",
        "tests/graphiql.test.mjs",
    ])
    .current_dir(ui);
    node.env("AETHER_NEXUS", env!("CARGO_BIN_EXE_aether-nexus")).env("AETHER_SCREENSHOTS", SCREENSHOTS);
    node.env("AETHER_UI_BUILD", aether_console::BUILD_DIR);
    let output = node.output().expect("Node.js runs");
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(
        output.status.success() && told.contains("fail 0") && !told.contains("pass 0"),
        "The pages failed. They need Chromium (Debian: `apt-get install chromium`; AETHER_CHROMIUM names another).\n{told}"
    );
    // What the tests tell of sizes and times.
    println!("{told}");
}
