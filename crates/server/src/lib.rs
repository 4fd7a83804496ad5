//! The gateway as a program: configuration, the database, HTTP, and the way from one to the other.

// The merged mutations nest one type in another; the futures over them are deeper than the default lets layouts be.
#![recursion_limit = "512"]

mod audit;
pub mod config;
pub mod delivery;
pub mod edge;
mod founding;
mod headers;
pub mod http;
pub mod live;
mod maintenance;
mod outbound;
pub mod postgres;
pub mod rate;
mod secret;
pub mod source;

use std::{sync::Arc, time::Duration};

use aether_graphql::Schema;
use aether_store::{Database, Store, audit_log::Keys, identity::Sessions, live::Hub};
use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use tracing::Instrument;

use self::{
    config::{Cli, Command, Config},
    delivery::Courier,
    http::App,
    live::Live,
    postgres::Postgres,
    rate::Rates,
    source::Synchronizer,
};

/// What a gateway says on the terminal that others may reach although it has no secrets.
const EXPOSED: &str = "
  ┌─ WARNING ────────────────────────────────────────────────────────────────┐
  │ This is the development profile on an address that others may reach.     │
  │ Its secrets are public: anybody can sign in as anybody. For others to    │
  │ use it, set AETHER_PROFILE=production and secrets of its own; for        │
  │ yourself, set AETHER_LISTEN to an address of 127.0.0.1.                  │
  └──────────────────────────────────────────────────────────────────────────┘";

/// How long deliveries that are on their way may take to end after a signal.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs what the command line asks for.
pub fn run() -> Result<()> {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,aether=info".into());
    // Colors are for people: neither for files nor for who does not want them (no-color.org).
    #[expect(clippy::disallowed_methods, reason = "it is nobody's setting, but of the terminal")]
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let colors = wanted && std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colors).with_writer(std::io::stderr).init();
    cli.config.check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // An overflow ends the process: twice what the deepest mutation needs unoptimized, and reserved only.
        .thread_stack_size(8 * 1024 * 1024)
        .build()?;
    runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve) {
            Command::Serve => serve(&cli.config).await,
            Command::Migrate { down, yes } => {
                if down.is_some() {
                    cli.config.must_be_sure(yes, "Going back takes tables away with all that is in them.")?;
                }
                with_owner(&cli.config, async |database| postgres::migrate(database, down).await).await?;
                eprintln!("The database is up to date.");
                Ok(())
            }
            Command::Seed { scale, yes } => {
                cli.config.must_be_sure(yes, "The demo data has accounts whose password everybody knows.")?;
                let loaded = with_owner(&cli.config, async |database| {
                    postgres::migrate(database, None).await?;
                    postgres::seed(database, &cli.config, scale).await
                })
                .await?;
                eprintln!(
                    "{}",
                    if loaded {
                        "The demo data is loaded."
                    } else {
                        "The demo data was loaded before; nothing was changed."
                    }
                );
                Ok(())
            }
            Command::CreateOrganization(organization) => founding::found(&cli.config, organization).await,
            Command::RotateKeys => {
                let postgres = Postgres::start(&cli.config).await?;
                let rotated = rotate_keys(&cli.config, &postgres).await;
                postgres.stop().await?;
                eprintln!("{} values were sealed anew with the newest key; older keys can be left out now.", rotated?);
                Ok(())
            }
            Command::Schema => {
                print!("{}", Schema::sdl());
                Ok(())
            }
            Command::VerifyAudit(heads) => audit::verify(&cli.config, &heads).await,
            Command::Healthcheck => healthcheck(&cli.config).await,
        }
    })
}

/// Does something as the database's owner.
async fn with_owner<T>(config: &Config, act: impl AsyncFnOnce(&sea_orm::DatabaseConnection) -> Result<T>) -> Result<T> {
    let postgres = Postgres::start(config).await?;
    let database = postgres.owner().await?;
    let done = act(&database).await;
    database.close().await?;
    postgres.stop().await?;
    done
}

/// Seals everything with the newest key.
async fn rotate_keys(config: &Config, postgres: &Postgres) -> Result<usize> {
    let (store, _) = prepare(config, postgres, false).await?;
    let rotated = store.rotate_keys(&config.sealer()?).await;
    store.database().clone().close().await;
    rotated.map_err(|_| {
        anyhow::anyhow!(
            "Not everything could be sealed anew; the log says why. Is a key missing from AETHER_ENCRYPTION_KEYS that was used \
             before? Keep the older keys until this succeeds."
        )
    })
}

async fn serve(config: &Config) -> Result<()> {
    // Bound first: there is no use in bringing up a database for a port that is taken.
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "Cannot listen on {}. Another program may use the port: choose another with --listen 127.0.0.1:8081.",
            config.listen
        )
    })?;
    // From here on a signal ends the gateway in order, also while the database is still being made.
    let stop = Stop::on_signal()?;
    let mut starting = Box::pin(Postgres::start(config));
    let postgres = tokio::select! {
        postgres = &mut starting => postgres?,
        () = stop.wait() => starting.await?,
    };
    let served = serve_on(config, &postgres, listener, &stop).await;
    if served.is_ok() {
        eprintln!("Stopping.");
    }
    postgres.stop().await?;
    served
}

async fn serve_on(config: &Config, postgres: &Postgres, listener: TcpListener, stop: &Stop) -> Result<()> {
    let (store, has_demo_data) = tokio::select! {
        prepared = prepare(config, postgres, config.demo_data) => prepared?,
        () = stop.wait() => return Ok(()),
    };
    know_signer(&store, &config.audit_keys()).await?;
    let hub = Hub::new(store.clone());
    let app = App {
        schema: Schema::new(config.limits(), config.introspection()),
        sessions: Sessions::new(store.clone(), config.tokens(), config.sealer()?),
        store: store.clone(),
        expose_statements: config.expose_statements,
        timeout: Duration::from_secs(config.statement_timeout_seconds * 3),
        rates: Rates::new(config),
        hub: hub.clone(),
        live: Live::new(stop.0.clone()),
    };
    let compiled = task("count compiled operations", maintenance::tell_compiled(app.schema.clone()));
    let schema = app.schema.clone();
    let router = http::router(Arc::new(app), config, has_demo_data);
    let maintenance = task("keep house", maintenance::keep(store.clone(), config.event_retention()));
    let telling = task("tell subscribers", live::tell(hub, store.clone(), config.nats()?));
    let sealer = task("seal the audit trail", maintenance::seal(store.clone(), config.audit_keys()));
    // Everything else can be served where the machine knows no certificate authorities.
    let synchronizer = Synchronizer::new(store.clone(), config, source::PATIENCE)
        .inspect_err(|error| tracing::warn!(?error, "no integration can be synchronized"))
        .map(|synchronizer| task("synchronize integrations", synchronizer.run()))
        .ok();
    let courier = Courier::new(store.clone(), config)?;
    let until = stop.clone();
    let mut courier = task("deliver to connectors", async move { courier.run(until.wait()).await });
    if config.is_exposed(listener.local_addr()?.ip()) {
        tracing::warn!(
            "the development profile serves on an address that others may reach: its secrets are public, so anybody can sign in as \
             anybody; set AETHER_PROFILE=production with secrets of its own, or AETHER_LISTEN to 127.0.0.1"
        );
    }
    welcome(&listener, config, has_demo_data)?;
    edge::serve(listener, router, config.edge().within_files(), stop.wait()).await?;
    maintenance::log_compiled(&schema);
    compiled.abort();
    maintenance.abort();
    telling.abort();
    sealer.abort();
    if let Some(synchronizer) = synchronizer {
        synchronizer.abort();
    }
    // It has heard of the stop and finishes what it is sending; whatever it cannot finish is sent again later.
    if tokio::time::timeout(DRAIN, &mut courier).await.is_err() {
        courier.abort();
    }
    store.database().clone().close().await;
    Ok(())
}

/// Refuses to sign the audit trail with a key when it was signed last with one that is not known: `verify-audit` would never again
/// find it sound.
async fn know_signer(store: &Store, keys: &Keys) -> Result<()> {
    let last = store
        .audit_signers()
        .await
        .map_err(|_| anyhow::anyhow!("The audit trail could not be read; the lines above say why."))?;
    if let Some(stranger) = last.iter().find(|key| !keys.trusts(key)) {
        bail!(
            "The audit trail of this database was signed last with a key that AETHER_AUDIT_SIGNING_KEYS does not have (public key {}). Set \
             it to the secrets used so far, with commas between and a new one last. Is this the database, and the profile, that you mean?",
            hex::encode(stranger)
        );
    }
    Ok(())
}

/// The database, migrated where it is the gateway's own, and the pools of the gateway. `fill` gives it the demo data if it has no
/// organization yet.
async fn prepare(config: &Config, postgres: &Postgres, fill: bool) -> Result<(Store, bool)> {
    let owner = postgres.owner().await?;
    if postgres.is_private() {
        postgres::migrate(&owner, None).await?;
        if fill && !postgres::has_organizations(&owner).await? {
            postgres::seed(&owner, config, 1).await?;
        }
    } else if !postgres::is_migrated(&owner).await? {
        bail!("The database is not up to date: run `aether-nexus migrate` with the same DATABASE_URL first.");
    }
    let has_demo_data = aether_demo::is_loaded(owner.get_postgres_connection_pool()).await?;
    owner.close().await?;
    let database = Database::connect(&config.connect(postgres.url.clone())).await.map_err(|_| {
        anyhow::anyhow!(
            "The database does not let the gateway in under its roles aether_reader and aether_writer: \
             the user in DATABASE_URL must be a member of both."
        )
    })?;
    Ok((Store::new(database), has_demo_data))
}

/// Has something go on in the background: whatever is logged meanwhile says what that was.
fn task<T: Send + 'static>(name: &'static str, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(work.instrument(tracing::error_span!("task", name)))
}

/// Says where to go, as whom, and with what.
fn welcome(listener: &TcpListener, config: &Config, has_demo_data: bool) -> Result<()> {
    let address = listener.local_addr()?;
    println!("\nAether Nexus serves.\n\n  GraphQL   http://{address}/graphql");
    if config.console {
        println!("  Console   http://{address}/");
        if !aether_console::is_complete() {
            println!("            (plain pages: there was no Node.js 20.19 or newer with npm when this was built)");
        }
    }
    if config.console && config.graphiql {
        println!("  GraphiQL  http://{address}/graphiql");
    }
    if config.is_exposed(address.ip()) {
        println!("{EXPOSED}");
    }
    if has_demo_data {
        println!("\n  Demo logins, all with the password {}:\n", aether_demo::PASSWORD);
        for login in aether_demo::logins() {
            println!("    {:<40} {:<22} {}", login.email, login.organization, login.role);
        }
        println!(
            "\n  To paste:\n\n    mutation {{ login(email: \"sarah.chen@aether-demo.com\", password: \"{}\", organization: \"aether-demo\") {{ accessToken }} }}\n\n  \
             and then, with the header Authorization: Bearer <accessToken>:\n\n    \
             {{ workspaces {{ nodes {{ name clauses(first: 3) {{ nodes {{ title variables {{ nodes {{ label value }} }} }} }} }} }} }}",
            aether_demo::PASSWORD
        );
    }
    println!("\n  Ctrl-C stops it.\n");
    Ok(())
}

/// Asks the gateway on this machine.
async fn healthcheck(config: &Config) -> Result<()> {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(5), ask)
        .await
        .with_context(|| format!("No answer from {address} within 5 seconds."))?
        .with_context(|| format!("No gateway answers on {address}."))?;
    if !answer.starts_with("HTTP/1.0 200") && !answer.starts_with("HTTP/1.1 200") {
        bail!("The gateway on {address} is not well: {}", answer.lines().last().unwrap_or_default());
    }
    println!("ready");
    Ok(())
}

/// Ctrl-C or SIGTERM: heard once, known to everybody who waits.
#[derive(Clone)]
struct Stop(tokio::sync::watch::Receiver<bool>);

impl Stop {
    fn on_signal() -> Result<Self> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (tell, told) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            let _ = tell.send(true);
            // Kept, so that whoever waits is never told by the sender's end.
            std::future::pending::<()>().await;
        });
        Ok(Self(told))
    }

    async fn wait(&self) {
        let _ = self.0.clone().wait_for(|stopping| *stopping).await;
    }
}
