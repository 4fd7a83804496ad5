//! Programs for Python in `tests/clients`, with the packages that they need.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// A program's path.
pub fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

/// The interpreter of an environment that has the packages of `requirements.txt`.
pub fn installed() -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _held = ONE_AT_A_TIME.lock();
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = to.join("bin/python");
    let wanted = fs::read(program("requirements.txt")).expect("a list");
    // Written last, so what it names is there.
    let note = to.join("installed.txt");
    if fs::read(&note).is_ok_and(|known| known == wanted) {
        return python;
    }
    let mut environment = Command::new("python3");
    run({
        environment.args(["-m", "venv", "--clear"]).arg(&to);
        environment
    });
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "--requirement",
    ]);
    pip.arg(program("requirements.txt"));
    run(pip);
    fs::write(note, wanted).expect("a note");
    python
}

/// What a program prints, which must succeed.
pub fn run(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}. Install Python 3.9 or newer with venv (Debian: `apt-get install python3-venv`).")
    });
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?} failed with {}:\n{text}", output.status);
    text
}
