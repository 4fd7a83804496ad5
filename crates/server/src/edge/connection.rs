//! One connection: what it is at, since when, and whether that takes too long.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    http::{Request, Response, StatusCode, Version},
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
    time::Instant,
};

use super::{FAREWELL, Limits, PARTING, places::Place};

/// A connection, as long as its socket is open.
pub struct Connection {
    at: Mutex<At>,
    cut: Notify,
    _place: Place,
}

struct At {
    /// Requests whose answers are not sent whole.
    answering: usize,
    /// Those of them whose bodies have not come whole.
    receiving: usize,
    /// Since when nothing is asked.
    idle: Instant,
    /// When, since then, the first byte came.
    heard: Option<Instant>,
    /// Since when what is sent is not taken.
    stalled: Option<Instant>,
    /// Whether it speaks HTTP/2, where not every byte is one of a request.
    multiplexed: bool,
    /// Whether it is a WebSocket's.
    handed_over: bool,
}

impl Connection {
    pub fn new(place: Place) -> Self {
        let now = Instant::now();
        let at = At {
            answering: 0,
            receiving: 0,
            idle: now,
            // Whoever connects has something to say.
            heard: Some(now),
            stalled: None,
            multiplexed: false,
            handed_over: false,
        };
        Self { at: Mutex::new(at), cut: Notify::new(), _place: place }
    }

    /// A request has come, and is being answered until what this returns is dropped.
    pub fn begin<B>(self: &Arc<Self>, request: &Request<B>) -> Answering {
        let mut at = self.at.lock();
        at.answering += 1;
        at.multiplexed = request.version() == Version::HTTP_2;
        Answering(self.clone())
    }

    /// The body of a request is being received until what this returns is dropped.
    pub fn receive(self: &Arc<Self>) -> Receiving {
        self.at.lock().receiving += 1;
        Receiving(self.clone())
    }

    /// Its socket is a WebSocket's from now on.
    pub fn hand_over(&self) {
        self.at.lock().handed_over = true;
    }

    pub fn is_handed_over(&self) -> bool {
        self.at.lock().handed_over
    }

    /// Whether it takes too long over what it is at.
    pub fn is_late(&self, now: Instant, limits: &Limits) -> bool {
        let at = self.at.lock();
        if at.handed_over {
            return false;
        }
        if at.stalled.is_some_and(|since| now.saturating_duration_since(since) > limits.idle) {
            return true;
        }
        at.answering == 0
            && (now.saturating_duration_since(at.idle) > limits.idle
                || at.heard.is_some_and(|first| now.saturating_duration_since(first) > limits.head))
    }

    /// Whether a gateway that was stopped then has no reason to wait for it any more.
    pub fn may_be_left(&self, now: Instant, stopped: Instant) -> bool {
        let at = self.at.lock();
        let since = now.saturating_duration_since(stopped);
        if at.handed_over {
            return since > FAREWELL;
        }
        at.answering == 0 || (since > PARTING && (at.receiving == at.answering || at.stalled.is_some()))
    }

    /// Has it closed by whoever serves it.
    pub fn close(&self) {
        self.cut.notify_one();
    }

    /// Waits until it is to be closed.
    pub async fn cut(&self) {
        self.cut.notified().await;
    }
}

/// That a request is being answered.
pub struct Answering(Arc<Connection>);

impl Answering {
    /// The answer, with which this goes until it is sent.
    pub fn until_sent(self, answer: Response<Body>) -> Response<Sending> {
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.0.hand_over();
        }
        answer.map(|body| Sending { body, _answering: self })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut at = self.0.at.lock();
        at.answering -= 1;
        if at.answering == 0 {
            at.idle = Instant::now();
            at.heard = None;
        }
    }
}

/// That the body of a request is being received.
pub struct Receiving(Arc<Connection>);

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.at.lock().receiving -= 1;
    }
}

/// The body of an answer.
pub struct Sending {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket whose connection hears of what is read and of what cannot be written.
pub struct Watched {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Watched {
    pub fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        Self { stream, connection }
    }

    fn written(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let mut at = self.connection.at.lock();
        match outcome {
            Poll::Pending => _ = at.stalled.get_or_insert_with(Instant::now),
            Poll::Ready(_) => at.stalled = None,
        }
        outcome
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            let mut at = self.connection.at.lock();
            if at.answering == 0 && !at.multiplexed && !at.handed_over {
                at.heard.get_or_insert_with(Instant::now);
            }
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
