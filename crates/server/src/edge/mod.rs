//! The edge: connections accepted, counted, timed and closed.
//!
//! A connection that asks for nothing costs a descriptor and some memory, and there are only so many. So there are limits, in all
//! and per address, and a connection is closed when it is silent for too long, sends the head of a request too slowly, or does
//! not take what it is sent. What is being answered is left alone, and so are WebSockets, which have keep-alives of their own.

mod body;
mod connection;
mod permits;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Weak},
    time::Duration,
};

use anyhow::Result;
use axum::{body::Body, extract::ConnectInfo, http::Request, response::Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, MissedTickBehavior},
};
use tower::Service;

pub use self::permits::who;
use self::{
    connection::{Connection, Watched},
    permits::Permits,
};

/// How often connections are looked at: what is too late is closed so much later at most.
const LOOK: Duration = Duration::from_millis(250);
/// How long whoever is amid sending or does not take its answer is waited for when the gateway stops.
const PARTING: Duration = Duration::from_secs(1);
/// How long WebSockets are waited for when the gateway stops: they tell their clients at once.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long answers that are being worked on may take when the gateway stops.
const DRAIN: Duration = Duration::from_secs(10);
/// How long nothing is accepted after the system had no descriptor left.
const BREATH: Duration = Duration::from_millis(100);
/// What is kept of a request's head, bytes.
const MOST_HEAD: usize = 64 * 1024;
/// Requests at once in one connection of HTTP/2.
const STREAMS: u32 = 100;
/// Descriptors that are not for clients: connections to the database and to others, files, the listener.
const OWN_FILES: u64 = 128;
/// What those hear for whom there is no permit.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nCache-Control: no-store\r\n\
    X-Content-Type-Options: nosniff\r\nContent-Type: text/plain\r\nContent-Length: 22\r\n\r\nToo many connections.\n";

/// What connections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long the head of a request may take from its first byte on; also the first request of a connection.
    pub head: Duration,
    /// How long the body of a request may take.
    pub body: Duration,
    /// How long a connection may ask for nothing, or not take what it is sent.
    pub idle: Duration,
    /// Connections at once; 0 for any number.
    pub most: usize,
    /// Connections at once from one address; 0 for any number.
    pub most_per_address: usize,
}

impl Limits {
    /// The same, but no more than the system has descriptors for; asks the system for as many as it gives.
    pub fn within_files(self) -> Self {
        let most = allow_files(self.most).saturating_sub(OWN_FILES);
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(2);
        if self.most == 0 || self.most > most {
            if self.most != 0 {
                tracing::warn!(most, "the system allows fewer connections than the settings: raise `ulimit -n`");
            }
            // One address must not be able to take the permits of all others.
            let most_per_address = match self.most_per_address {
                0 => 0,
                own => own.min(most / 2),
            };
            return Self { most, most_per_address, ..self };
        }
        self
    }
}

/// Raises the number of files that this process may have open, as far as needed and allowed, and tells what it is.
fn allow_files(connections: usize) -> u64 {
    let wanted = match connections {
        0 => u64::MAX,
        some => u64::try_from(some).unwrap_or(u64::MAX).saturating_add(OWN_FILES),
    };
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current else { return u64::MAX };
    if current >= wanted {
        return current;
    }
    let raised = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    }
}

/// What answers requests.
pub trait Answers:
    Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

/// Serves until `stop` is over and what was being answered then is answered.
pub async fn serve(
    listener: TcpListener,
    service: impl Answers,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let server = Arc::new(Server {
        service,
        limits,
        builder: builder(),
        permits: Permits::new(limits.most, limits.most_per_address),
        open: Mutex::default(),
        stopping: tokio::sync::watch::Sender::new(false),
    });
    tokio::pin!(stop);
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.clone().accept(stream, peer),
                // The client is gone already.
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            },
            _ = looks.tick() => server.look(None),
            () = &mut stop => break,
        }
    }
    drop(listener);
    server.stopping.send_replace(true);
    let stopped = Instant::now();
    while stopped.elapsed() < DRAIN {
        server.look(Some(stopped));
        if server.open.lock().is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tracing::warn!(
        connections = server.open.lock().len(),
        "some requests were not answered before the gateway stopped"
    );
    Ok(())
}

fn is_of_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The times of heads are kept here, where they count from a connection's beginning, whatever it speaks.
    builder.http1().header_read_timeout(None).max_buf_size(MOST_HEAD).timer(TokioTimer::new());
    builder.http2().max_concurrent_streams(STREAMS).timer(TokioTimer::new());
    builder
}

struct Server<S> {
    service: S,
    limits: Limits,
    builder: auto::Builder<TokioExecutor>,
    permits: Permits,
    /// Those that are open. A connection is there as long as its socket, whoever has it.
    open: Mutex<Vec<Weak<Connection>>>,
    stopping: tokio::sync::watch::Sender<bool>,
}

impl<S: Answers> Server<S> {
    fn accept(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let Some(permit) = self.permits.take(peer.ip()) else {
            // Told without waiting, and without reading: whoever comes too often gets no more than this.
            _ = stream.try_write(FULL);
            return;
        };
        // Answers are small and waited for.
        _ = stream.set_nodelay(true);
        let connection = Arc::new(Connection::new(permit));
        self.open.lock().push(Arc::downgrade(&connection));
        tokio::spawn(self.serve(stream, peer, connection));
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, connection: Arc<Connection>) {
        let service = service_fn(|request: Request<Incoming>| {
            let answering = connection.begin(&request);
            let (request, reading) = body::timed(request, &connection, self.limits.body);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answered = self.service.clone().call(request);
            async move { answered.await.map(|answer| answering.until_sent(reading.checked(answer))) }
        });
        let io = TokioIo::new(Watched::new(stream, connection.clone()));
        let serving = self.builder.serve_connection_with_upgrades(io, service);
        tokio::pin!(serving);
        let mut stopping = self.stopping.subscribe();
        let served = tokio::select! {
            biased;
            served = &mut serving => served,
            () = connection.cut() => return,
            () = async { _ = stopping.wait_for(|stopping| *stopping).await } => {
                serving.as_mut().graceful_shutdown();
                tokio::select! {
                    served = &mut serving => served,
                    () = connection.cut() => return,
                }
            }
        };
        match served {
            // If the socket is still there, it is a WebSocket's now.
            Ok(()) => connection.hand_over(),
            // What clients do wrong is no fault of the gateway.
            Err(error) => tracing::debug!(%peer, error, "a connection broke off"),
        }
    }

    /// Closes what is too late; more, once the gateway stops.
    fn look(&self, stopped: Option<Instant>) {
        let now = Instant::now();
        self.open.lock().retain(|connection| {
            let Some(connection) = connection.upgrade() else { return false };
            let is_late = match stopped {
                None => connection.is_late(now, &self.limits),
                Some(stopped) => connection.may_be_left(now, stopped),
            };
            if is_late {
                connection.close();
            }
            // A WebSocket is not closed from here: its task ends with the program.
            !(is_late && connection.is_handed_over())
        });
    }
}
