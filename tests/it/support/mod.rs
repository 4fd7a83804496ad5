//! What every test stands on: a cluster for the run, a database and a gateway for each test, and clients that speak HTTP.

#![expect(clippy::disallowed_methods, reason = "tests look at their databases as the owner, whom the store never is")]

mod answer;
pub mod cluster;
pub mod log;
pub mod node;
pub mod python;
pub mod receiver;
pub mod sdl;
pub mod sequences;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use aether_graphql::Schema;
use aether_server::{
    config::{Cli, Config},
    delivery::Courier,
    edge,
    http::{self, App},
    live::{self, Live},
    rate::Rates,
    source::Synchronizer,
};
use aether_store::{Connect, Database, Store, identity::Sessions, live::Hub};
use clap::Parser;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::{answer::Answer, sdl::Sdl};

/// The organization with everything.
pub const HOME: &str = "aether-demo";

/// A gateway of a test's own, on a database of its own.
pub struct Gateway {
    pub url: String,
    /// The database, as its owner: what no client may do, a test may.
    pub owner: DatabaseConnection,
    http: reqwest::Client,
    /// Dropped with the last gateway over it.
    database: Arc<Scratch>,
    serving: Serving,
}

impl Gateway {
    /// A gateway over the demo data.
    pub async fn demo() -> Self {
        Self::with(&[]).await
    }

    /// A gateway over the demo data with these flags.
    pub async fn with(flags: &[&str]) -> Self {
        Self::on(cluster::clone_demo().await, flags).await
    }

    /// A gateway over the demo data as it was on this day.
    pub async fn as_of(today: chrono::NaiveDate) -> Self {
        Self::on(cluster::create_demo(today).await, &[]).await
    }

    async fn on(database: String, flags: &[&str]) -> Self {
        let url = cluster::url(&database);
        let mut options = ConnectOptions::new(&url);
        options.max_connections(2).sqlx_logging(false);
        let owner = sea_orm::Database::connect(options).await.expect("the owner connects");
        Self::over(Arc::new(Scratch(database)), owner, flags).await
    }

    /// A further gateway over the same database with these flags, as one on another machine would be.
    pub async fn another(&self, flags: &[&str]) -> Self {
        Self::over(self.database.clone(), self.owner.clone(), flags).await
    }

    async fn over(database: Arc<Scratch>, owner: DatabaseConnection, flags: &[&str]) -> Self {
        // Tests ask more often than people do; those of the limits set them.
        let limits = [
            "--logins-per-minute",
            "--mutations-per-minute",
            "--requests-per-minute",
            "--requests-per-minute-per-address",
        ];
        let limits = limits.into_iter().filter(|limit| !flags.contains(limit));
        let limits: Vec<&str> = limits.flat_map(|limit| [limit, "0"]).collect();
        let expose: &[&str] =
            if flags.contains(&"--expose-statements") { &[] } else { &["--expose-statements", "true"] };
        let flags = ["aether-nexus"].iter().chain(expose).chain(&limits).chain(flags);
        let config = Cli::parse_from(flags).config;
        config.check().expect("the flags are sound");
        let serving = serve(&config, cluster::url(&database.0)).await;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        Self { url: format!("http://{}", serving.address), owner, http, database, serving }
    }

    /// The database's address, for its owner.
    pub fn database_url(&self) -> String {
        cluster::url(&self.database.0)
    }

    /// Stops it as a signal would: it accepts nothing more, closes live connections and tells nobody of changes any more.
    pub fn stop(&self) {
        self.serving.stop.cancel();
        self.serving.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }

    /// What carries synchronizations out, with these flags and so long a patience; on connections of its own, as another
    /// gateway would be.
    pub async fn synchronizer(&self, flags: &[&str], patience: Duration) -> Synchronizer {
        let config = Cli::parse_from(["aether-nexus"].iter().chain(flags)).config;
        let connect = Connect { max_connections: 4, ..config.connect(cluster::url(&self.database.0)) };
        let Ok(database) = Database::connect(&connect).await else { panic!("the gateway's roles cannot connect") };
        Synchronizer::new(Store::new(database), &config, patience).expect("a synchronizer")
    }

    /// Does what `rotate-keys` does, with these flags, and tells how many values were encrypted anew.
    pub async fn rotate_keys(&self, flags: &[&str]) -> Option<usize> {
        let config = Cli::parse_from(["aether-nexus"].iter().chain(flags)).config;
        let connect = Connect { max_connections: 4, ..config.connect(cluster::url(&self.database.0)) };
        let Ok(database) = Database::connect(&connect).await else { panic!("the gateway's roles cannot connect") };
        let Ok(encryption) = config.encryption() else { panic!("no keys") };
        Store::new(database).rotate_keys(&encryption).await.ok()
    }

    /// The courier of a further gateway on this database, with these flags.
    pub async fn courier(&self, flags: &[&str]) -> Courier {
        let config = Cli::parse_from(["aether-nexus"].iter().chain(flags)).config;
        let connect = Connect { max_connections: 6, ..config.connect(cluster::url(&self.database.0)) };
        let Ok(database) = Database::connect(&connect).await else { panic!("the gateway's roles cannot connect") };
        Courier::new(Store::new(database), &config).expect("a courier")
    }

    /// Somebody without a token.
    pub fn stranger(&self) -> User<'_> {
        User { gateway: self, token: None, refresh_token: String::new() }
    }

    /// A demo user, signed in.
    pub async fn sign_in(&self, email: &str, organization: &str) -> User<'_> {
        let answer = self
            .stranger()
            .run(
                "mutation($email: String!, $password: String!, $organization: String!) {
                    login(email: $email, password: $password, organization: $organization) { accessToken refreshToken }
                }",
                json!({ "email": email, "password": aether_demo::PASSWORD, "organization": organization }),
            )
            .await
            .ok();
        User {
            gateway: self,
            token: Some(answer["login"]["accessToken"].as_str().expect("a token").to_owned()),
            refresh_token: answer["login"]["refreshToken"].as_str().expect("a token").to_owned(),
        }
    }

    /// The CFO of the organization with everything.
    pub async fn cfo(&self) -> User<'_> {
        self.sign_in("sarah.chen@aether-demo.com", HOME).await
    }

    /// Runs SQL as the database's owner.
    pub async fn execute(&self, sql: &str) {
        self.owner.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The rows that SQL gives as the database's owner, as JSON objects.
    pub async fn rows(&self, sql: &str) -> Vec<Value> {
        let sql = format!("WITH _row AS ({sql}) SELECT to_jsonb(_row) FROM _row");
        let rows = self.owner.query_all_raw(Statement::from_string(DbBackend::Postgres, &sql)).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(|row| row.try_get_by_index(0).expect("JSON")).collect()
    }

    /// The one value that SQL gives.
    pub async fn value(&self, sql: &str) -> Value {
        let row = self.rows(sql).await.into_iter().next().unwrap_or_else(|| panic!("{sql}: no row"));
        row.as_object().and_then(|row| row.values().next()).cloned().expect("a column")
    }

    /// The HTTP client, for requests that are not GraphQL as it should be.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }
}

/// The name of a test's database.
struct Scratch(String);

impl Drop for Scratch {
    fn drop(&mut self) {
        cluster::drop_later(std::mem::take(&mut self.0));
    }
}

/// A gateway at work.
struct Serving {
    address: SocketAddr,
    /// Told when it stops.
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// Serves as the program does, on a port of its own, until it is stopped or the runtime of the test ends.
async fn serve(config: &Config, url: String) -> Serving {
    let connect = Connect { max_connections: 6, ..config.connect(url) };
    let Ok(database) = Database::connect(&connect).await else { panic!("the gateway's roles cannot connect") };
    let store = Store::new(database);
    let Ok(encryption) = config.encryption() else { panic!("no keys") };
    let hub = Hub::new(store.clone());
    let nats = config.nats().expect("servers of NATS");
    let telling = tokio::spawn(live::publish(hub.clone(), store.clone(), nats));
    let stop = CancellationToken::new();
    let app = App {
        schema: Schema::new(config.limits(), config.introspection()),
        sessions: Sessions::new(store.clone(), config.tokens(), encryption),
        store,
        expose_statements: config.expose_statements,
        timeout: Duration::from_secs(60),
        rates: Rates::new(config),
        hub,
        live: Live::new(stop.clone()),
    };
    let service = http::service(Arc::new(app), config, true);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let limits = config.edge();
    let accepting = tokio::spawn(async move {
        edge::serve(listener, service, limits, std::future::pending()).await.expect("it serves");
    });
    Serving { address, stop, tasks: vec![telling, accepting] }
}

/// Somebody who sends requests.
pub struct User<'g> {
    gateway: &'g Gateway,
    pub token: Option<String>,
    pub refresh_token: String,
}

impl User<'_> {
    /// Sends an operation.
    pub async fn run(&self, query: &str, variables: Value) -> Answer {
        Answer::of(query, self.post("/graphql", query, variables).await).await
    }

    /// Subscribes where it must be refused, and tells how.
    pub async fn refused(&self, subscription: &str, variables: Value) -> Answer {
        Answer::of_stream(subscription, self.post("/graphql/stream", subscription, variables).await).await
    }

    async fn post(&self, path: &str, query: &str, variables: Value) -> reqwest::Response {
        let request = self.to(path, json!({ "query": query, "variables": variables }));
        request.send().await.expect("an answer")
    }

    /// A request with this body, yet to be sent.
    pub fn request(&self, body: Value) -> reqwest::RequestBuilder {
        self.to("/graphql", body)
    }

    fn to(&self, path: &str, body: Value) -> reqwest::RequestBuilder {
        let request = self.gateway.http.post(format!("{}{path}", self.gateway.url)).json(&body);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends an operation without variables.
    pub async fn query(&self, query: &str) -> Answer {
        self.run(query, json!({})).await
    }

    /// The data of an operation that must succeed.
    pub async fn data(&self, query: &str) -> Value {
        self.query(query).await.ok()
    }
}
