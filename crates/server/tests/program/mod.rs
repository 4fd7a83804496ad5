//! The program from the outside: a folder for its data, a process, its output, requests to it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

pub const LOGIN: &str = r#"mutation { login(email: "sarah.chen@aether-demo.com", password: "aether-demo", organization: "aether-demo") { accessToken refreshToken } }"#;

/// A folder of a test's own, gone with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("aether-life-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = fs::canonicalize(std::env::temp_dir()).unwrap().join(name);
        fs::create_dir(&path).unwrap();
        // As root, the server runs as another user.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    pub fn join(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whatever a failed test has left running.
        if let Some(pid) = postmaster(&self.join("data")) {
            signal(pid, "QUIT");
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
}

/// The number of the server in this data folder.
pub fn postmaster(data: &str) -> Option<u32> {
    let text = fs::read_to_string(Path::new(data).join("cluster/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

/// The program, with nothing of this environment that would configure it.
pub fn nexus(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aether-nexus"));
    for (name, _) in std::env::vars() {
        if name.starts_with("AETHER_") || ["DATABASE_URL", "RUST_LOG", "RUST_BACKTRACE"].contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end: whether it succeeded, and what it wrote to stdout and to stderr.
pub fn run(mut command: Command) -> (bool, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked") && !out.contains("panicked"), "{err}");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}: {err}", output.status);
    (output.status.success(), out, err)
}

/// It ends with exit code 1 and one error, in which these words are.
pub fn fails(command: Command, words: &[&str]) {
    let (succeeded, _, err) = run(command);
    assert!(!succeeded, "{err}");
    let errors: Vec<_> = err.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{err}");
    for word in words {
        assert!(errors[0].contains(word), "{word}: {err}");
    }
}

/// Everything that comes out of a pipe, as it comes.
pub fn gather(pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let gathered = text.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut text = gathered.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
    text
}

/// A gateway that serves.
pub struct Gateway {
    pub child: Child,
    pub port: u16,
    pub out: Arc<Mutex<String>>,
    pub err: Arc<Mutex<String>>,
    pub took: Duration,
}

impl Gateway {
    pub fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let (began, port) = (Instant::now(), free_port());
        let mut command = nexus(args);
        command.args(["--listen", &format!("127.0.0.1:{port}")]).envs(environment.iter().copied());
        let mut child = command.spawn().unwrap();
        let (out, err) = (gather(child.stdout.take().unwrap()), gather(child.stderr.take().unwrap()));
        while !out.lock().unwrap().contains("Ctrl-C stops it.") {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{status}: {}", err.lock().unwrap());
            }
            if began.elapsed() > Duration::from_secs(120) {
                let _ = child.kill();
                panic!("it does not start: {}", err.lock().unwrap());
            }
            sleep(Duration::from_millis(10));
        }
        Self { child, port, out, err, took: began.elapsed() }
    }

    pub fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    pub fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Sends an operation.
    pub fn query(&self, query: &str, token: Option<&str>) -> Value {
        self.try_query(query, token).unwrap_or_else(|| panic!("no answer: {}", self.err()))
    }

    /// Sends an operation to a gateway that may be gone before it has answered.
    pub fn try_query(&self, query: &str, token: Option<&str>) -> Option<Value> {
        let body = json!({ "query": query }).to_string();
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{token}\
             Connection: close\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all((head + &body).as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// Signs in as the demo CFO: the tokens for access and for the next refresh.
    pub fn sign_in(&self) -> (String, String) {
        let answer = self.query(LOGIN, None);
        let token =
            |name: &str| answer["data"]["login"][name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (token("accessToken"), token("refreshToken"))
    }

    /// How many deals the holder of this token sees.
    pub fn deals(&self, token: &str) -> i64 {
        let answer = self.query("{ deals(first: 1) { totalCount } }", Some(token));
        answer["data"]["deals"]["totalCount"].as_i64().unwrap_or_else(|| panic!("{answer}"))
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(!self.err().contains("panicked"), "{}", self.err());
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it does not stop: {}", self.err());
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
