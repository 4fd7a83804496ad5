//! As much of PostgreSQL's protocol as it takes to know that a server is up and to create a database.

use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// An error the server sent.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection, or it broke.
    Io(io::Error),
    /// The server's answer: SQLSTATE and message.
    Server(String, String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Server(_, message) => message.fmt(f),
        }
    }
}

/// A session over the private socket.
pub(crate) struct Session {
    stream: BufReader<UnixStream>,
}

impl Session {
    /// Connects and waits until the server is ready for a statement; each answer must come within `patience`.
    pub fn open(socket: &Path, user: &str, database: &str, patience: Duration) -> Result<Self, Failure> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        let mut session = Self { stream: BufReader::new(stream) };
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for text in ["user", user, "database", database, "application_name", "aether-embedded"] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        session.send(None, &body)?;
        session.until_ready()?;
        Ok(session)
    }

    /// Runs one statement and gives the first column of its rows.
    pub fn run(&mut self, sql: &str) -> Result<Vec<String>, Failure> {
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.send(Some(b'Q'), &body)?;
        self.until_ready()
    }

    fn send(&mut self, kind: Option<u8>, body: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(body.len() + 5);
        message.extend(kind);
        let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(body);
        self.stream.get_mut().write_all(&message)
    }

    fn until_ready(&mut self) -> Result<Vec<String>, Failure> {
        let mut rows = Vec::new();
        let mut failure = None;
        loop {
            let mut head = [0; 5];
            // After a fatal error the server hangs up instead of getting ready.
            if let Err(error) = self.stream.read_exact(&mut head) {
                return Err(failure.unwrap_or(Failure::Io(error)));
            }
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]).saturating_sub(4);
            let mut body = vec![0; length as usize];
            self.stream.read_exact(&mut body)?;
            match head[0] {
                b'Z' => return failure.map_or(Ok(rows), Err),
                b'E' => failure = Some(error(&body)),
                b'D' => rows.push(first_column(&body)),
                b'R' if body.get(..4) != Some(&[0; 4]) => {
                    return Err(Failure::Server("28000".to_owned(), "a password is asked for".to_owned()));
                }
                _ => {}
            }
        }
    }
}

fn error(body: &[u8]) -> Failure {
    let field = |kind| {
        let field = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&kind));
        field.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).unwrap_or_default()
    };
    Failure::Server(field(b'C'), field(b'M'))
}

fn first_column(body: &[u8]) -> String {
    let length = body.get(2..6).and_then(|b| b.try_into().ok()).map_or(-1, i32::from_be_bytes);
    let end = 6 + usize::try_from(length).unwrap_or(0);
    String::from_utf8_lossy(body.get(6..end).unwrap_or_default()).into_owned()
}
