//! The published clients of both protocols, from npm, against a gateway: `tests/clients`.

use std::{path::Path, process::Command};

use tokio::task::spawn_blocking;

use crate::support::{
    Gateway,
    node::{installed, run},
};

/// What the gateway signs access tokens with: the clients sign some that are about to expire.
const SECRET: &str = "a-secret-that-gateway-and-clients-share";

#[tokio::test]
async fn published_clients_are_told_once_and_in_order_and_resume() {
    let gateway = Gateway::with(&["--jwt-secret", SECRET]).await;
    let url = gateway.url.clone();
    // The gateway serves on this thread meanwhile.
    let tests = spawn_blocking(move || {
        let mut node = Command::new("node");
        node.args(["--test", "--test-reporter=spec"]).current_dir(installed());
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
        node.env("AETHER_URL", url).env("AETHER_JWT_SECRET", SECRET).env("AETHER_README", readme);
        run(node)
    });
    let output = tests.await.expect("the clients run");
    assert!(output.contains("pass "), "no test of a client was run:\n{output}");
}
