//! The bodies of requests: each has a time within which it must have come whole.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Request, Response, Version, header},
};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection::{Connection, Receiving};
use crate::http;

/// A body that fails when it takes too long.
pub struct Timed {
    body: Incoming,
    deadline: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    late: Arc<AtomicBool>,
    receiving: Option<Receiving>,
}

/// What becomes of a request's body.
pub struct Reading {
    late: Option<Arc<AtomicBool>>,
    version: Version,
}

/// The request with a body that must have come within this time.
pub fn timed(request: Request<Incoming>, connection: &Arc<Connection>, within: Duration) -> (Request<Body>, Reading) {
    let version = request.version();
    if request.body().is_end_stream() {
        return (request.map(Body::new), Reading { late: None, version });
    }
    let late = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| {
        Body::new(Timed {
            body,
            deadline: Instant::now() + within,
            sleep: None,
            late: late.clone(),
            receiving: Some(connection.receive()),
        })
    });
    (request, Reading { late: Some(late), version })
}

impl Reading {
    /// The answer; another one, if the body came too late, whatever was made of that.
    pub fn checked(self, answer: Response<Body>) -> Response<Body> {
        if !self.late.is_some_and(|late| late.load(Ordering::Relaxed)) {
            return answer;
        }
        let mut answer = http::too_late();
        // HTTP/2 has no such header: there, only the stream ends.
        if self.version != Version::HTTP_2 {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

/// That a body has not come in time.
#[derive(Debug)]
struct Late;

impl std::fmt::Display for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body did not come in time")
    }
}

impl std::error::Error for Late {}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            if (frame.is_none() || this.body.is_end_stream())
                && let Some(receiving) = this.receiving.take()
            {
                receiving.end();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = this.deadline;
        let sleep = this.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.as_mut().poll(context).is_ready() {
            this.late.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(Late.into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
