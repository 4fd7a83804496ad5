//! The gateway as a program: configuration, the database, HTTP, and the way from one to the other.

// The merged mutations nest one type in another; the futures over them are deeper than the default lets layouts be.
#![recursion_limit = "512"]

mod audit;
pub mod config;
pub mod delivery;
pub mod edge;
mod exports;
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
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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
                eprintln!(
                    "{} values were encrypted anew with the newest key; older keys can be left out now.",
                    rotated?
                );
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

/// Encrypts everything with the newest key.
async fn rotate_keys(config: &Config, postgres: &Postgres) -> Result<usize> {
    let (store, _) = prepare(config, postgres, false).await?;
    let rotated = store.rotate_keys(&config.encryption()?).await;
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
    let stop = on_signal()?;
    let mut starting = Box::pin(Postgres::start(config));
    let postgres = tokio::select! {
        postgres = &mut starting => postgres?,
        () = stop.cancelled() => starting.await?,
    };
    let served = serve_on(config, &postgres, listener, &stop).await;
    if served.is_ok() {
        eprintln!("Stopping.");
    }
    postgres.stop().await?;
    served
}

async fn serve_on(config: &Config, postgres: &Postgres, listener: TcpListener, stop: &CancellationToken) -> Result<()> {
    let (store, has_demo_data) = tokio::select! {
        prepared = prepare(config, postgres, config.demo_data) => prepared?,
        () = stop.cancelled() => return Ok(()),
    };
    know_signer(&store, &config.audit_keys()).await?;
    let hub = Hub::new(store.clone());
    let app = App {
        schema: Schema::new(config.limits(), config.introspection()),
        sessions: Sessions::new(store.clone(), config.tokens(), config.encryption()?),
        store: store.clone(),
        expose_statements: config.expose_statements,
        timeout: Duration::from_secs(config.statement_timeout_seconds * 3),
        rates: Rates::new(config),
        hub: hub.clone(),
        live: Live::new(stop.clone()),
    };
    let background = Background::default();
    background.run("count compiled operations", maintenance::log_compiled_hourly(app.schema.clone()));
    let schema = app.schema.clone();
    let service = http::service(Arc::new(app), config, has_demo_data);
    background.run("maintain the database", maintenance::keep(store.clone(), config.event_retention()));
    background.run("tell subscribers", live::publish(hub, store.clone(), config.nats()?));
    background.run("seal the audit trail", maintenance::seal(store.clone(), config.audit_keys()));
    // Everything else can be served where the machine knows no certificate authorities.
    match Synchronizer::new(store.clone(), config, source::PATIENCE) {
        Ok(synchronizer) => background.run("synchronize integrations", synchronizer.run()),
        Err(error) => tracing::warn!(?error, "no integration can be synchronized"),
    }
    // It hears of the stop itself and finishes what it is sending; whatever it cannot finish is sent again later.
    let sending = Background::default();
    sending.run("deliver to connectors", Courier::new(store.clone(), config)?.run(stop.clone().cancelled_owned()));
    if config.is_exposed(listener.local_addr()?.ip()) {
        tracing::warn!(
            "the development profile serves on an address that others may reach: its secrets are public, so anybody can sign in as \
             anybody; set AETHER_PROFILE=production with secrets of its own, or AETHER_LISTEN to 127.0.0.1"
        );
    }
    welcome(&listener, config, has_demo_data)?;
    edge::serve(listener, service, config.edge().within_files(), stop.clone().cancelled_owned()).await?;
    maintenance::log_compiled(&schema);
    background.end(Duration::ZERO).await;
    sending.end(DRAIN).await;
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

/// What goes on in the background until it is ended.
#[derive(Default)]
struct Background {
    tasks: TaskTracker,
    end: CancellationToken,
}

impl Background {
    /// Has something go on: whatever is logged meanwhile says what that was.
    fn run(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let work = self.end.clone().run_until_cancelled_owned(work);
        self.tasks.spawn(work.instrument(tracing::error_span!("task", name)));
    }

    /// Ends it: what has not ended by itself after so long is dropped where it waits.
    async fn end(self, patience: Duration) {
        self.tasks.close();
        let _ = tokio::time::timeout(patience, self.tasks.wait()).await;
        self.end.cancel();
        self.tasks.wait().await;
    }
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
    let client = outbound::builder(Duration::from_secs(5))
        // It asks without encryption, so it needs no authorities: there may be none.
        .tls_certs_only([])
        .build()?;
    let answer = client.get(format!("http://{address}/readyz")).send().await;
    let answer = answer.map_err(|error| match error.is_timeout() {
        true => anyhow::anyhow!("No answer from {address} within 5 seconds."),
        false => anyhow::anyhow!("No gateway answers on {address}."),
    })?;
    if answer.status() != reqwest::StatusCode::OK {
        bail!("The gateway on {address} is not well: {}", answer.text().await.unwrap_or_default());
    }
    println!("ready");
    Ok(())
}

/// Cancelled by Ctrl-C or SIGTERM.
fn on_signal() -> Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        cancel.cancel();
    });
    Ok(stop)
}
