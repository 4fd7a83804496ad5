//! Configuration: flags, each with an environment variable. `.env.example` lists the variables.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use aether_domain::network::{Allowed, Reach};
use aether_graphql::{Introspection, Limits};
use aether_store::{Connect, audit_log, encryption::Encryption, identity::token::Tokens};
use anyhow::{Context, Result, anyhow, bail, ensure};
use async_nats::ServerAddr;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{edge, secret};

const DEFAULT_SECRET: &str = secret::PUBLIC[0];
const DEFAULT_KEYS: &str = "1:development-only-key-that-everybody-knows";
const DEFAULT_AUDIT_KEYS: &str = secret::PUBLIC[2];

/// A GraphQL gateway for FP&A and syndicated-loan documentation.
#[derive(Parser)]
#[command(name = "aether-nexus", version, about)]
pub struct Cli {
    /// What to do; `serve` unless said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How.
    #[command(flatten)]
    pub config: Config,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Serves GraphQL (the default).
    Serve,
    /// Brings the database to the newest schema.
    Migrate {
        /// Takes back this many changes instead.
        #[arg(long, value_name = "N")]
        down: Option<u32>,
        /// Goes back in production, too.
        #[arg(long)]
        yes: bool,
    },
    /// Makes an organization with its administrator, who then invites others. Prints a token with which the administrator chooses a
    /// password, once.
    CreateOrganization(NewOrganization),
    /// Loads the demo data.
    Seed {
        /// How many times the usual volume, for load tests.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        scale: u32,
        /// Loads it in production, too.
        #[arg(long)]
        yes: bool,
    },
    /// Encrypts everything that an older key has encrypted anew with the last key of AETHER_ENCRYPTION_KEYS.
    RotateKeys,
    /// Prints the GraphQL schema.
    Schema,
    /// Verifies the audit trail: every row, every hash, every signature. Names the first thing that is wrong.
    VerifyAudit(crate::audit::Heads),
    /// Asks a running gateway whether it is well; for container health checks.
    Healthcheck,
}

/// An organization to make.
#[derive(Args, Clone)]
pub struct NewOrganization {
    /// Its name, as people read it.
    #[arg(long)]
    pub name: String,
    /// Its short name, which people sign in with: lower-case letters, digits and hyphens.
    #[arg(long)]
    pub slug: String,
    /// E-mail address of the administrator.
    #[arg(long)]
    pub admin_email: String,
    /// Name of the administrator.
    #[arg(long)]
    pub admin_name: String,
    /// Reads the administrator's password from standard input, and prints no token.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Whom the gateway is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// On a developer's machine: defaults for everything, secrets included.
    Development,
    /// For others: refuses to start with default secrets.
    Production,
}

/// Who may introspect the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Introspect {
    /// Anybody.
    #[value(alias = "true")]
    Anybody,
    /// Whoever has signed in.
    SignedIn,
    /// Nobody.
    #[value(alias = "false")]
    Off,
}

/// How the gateway runs.
#[derive(Args, Clone)]
pub struct Config {
    /// PostgreSQL 15+ to use; without it the gateway brings up a private one.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// Folder of the private PostgreSQL.
    #[arg(long, env = "AETHER_DATA_DIR", default_value = ".data", global = true)]
    pub data_dir: PathBuf,
    /// Folder with the PostgreSQL programs to use; found by itself unless said.
    #[arg(long, env = "AETHER_PG_BIN", global = true)]
    pub pg_bin: Option<PathBuf>,
    /// Address to serve on.
    #[arg(long, env = "AETHER_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,
    /// Whom the gateway is run for.
    #[arg(long, env = "AETHER_PROFILE", value_enum, default_value = "development", global = true)]
    pub profile: Profile,
    /// The day that the demo data ends on when it is loaded; today unless said. With the same day it is the same data.
    #[arg(long, env = "AETHER_DEMO_DATE", global = true)]
    pub demo_date: Option<chrono::NaiveDate>,
    /// Secret that signs access tokens, 32 bytes or more.
    #[arg(long, env = "AETHER_JWT_SECRET", default_value = DEFAULT_SECRET, hide_default_value = true, hide_env_values = true, global = true)]
    pub jwt_secret: String,
    /// Keys that encrypt secrets at rest, as `number:secret,number:secret`; the last one encrypts, all decrypt.
    #[arg(long, env = "AETHER_ENCRYPTION_KEYS", default_value = DEFAULT_KEYS, hide_default_value = true, hide_env_values = true, global = true)]
    pub encryption_keys: String,
    /// Secrets of the keys that sign the audit log's heads, comma-separated; the last one signs, all are trusted.
    #[arg(long, env = "AETHER_AUDIT_SIGNING_KEYS", default_value = DEFAULT_AUDIT_KEYS, hide_default_value = true, hide_env_values = true, global = true)]
    pub audit_signing_keys: String,
    /// Minutes that an access token is good for.
    #[arg(long, env = "AETHER_ACCESS_TOKEN_MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=1440), global = true)]
    pub access_token_minutes: u64,
    /// Days that a session lives without being refreshed.
    #[arg(long, env = "AETHER_REFRESH_TOKEN_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=365), global = true)]
    pub refresh_token_days: u64,
    /// Who may introspect the schema: anybody in development and those who have signed in in production, unless set.
    #[arg(long, env = "AETHER_INTROSPECTION", value_enum, hide_env_values = false, global = true)]
    pub introspection: Option<Introspect>,
    /// Whether the console is served, and with it GraphiQL.
    #[arg(long, env = "AETHER_CONSOLE", default_value_t = true, action = clap::ArgAction::Set, global = true)]
    pub console: bool,
    /// Whether GraphiQL is served, if the console is.
    #[arg(long, env = "AETHER_GRAPHIQL", default_value_t = true, action = clap::ArgAction::Set, global = true)]
    pub graphiql: bool,
    /// Whether answers tell how many SQL statements they took, as `extensions.statements`.
    #[arg(long, env = "AETHER_EXPOSE_STATEMENTS", default_value_t = false, action = clap::ArgAction::Set, global = true)]
    pub expose_statements: bool,
    /// Whether serving gives the private PostgreSQL the demo data while it has no organization.
    #[arg(long, env = "AETHER_DEMO_DATA", default_value_t = true, action = clap::ArgAction::Set, global = true)]
    pub demo_data: bool,
    /// Origins whose pages may call the gateway, comma-separated; none unless said.
    #[arg(long, env = "AETHER_ALLOWED_ORIGINS", value_delimiter = ',', global = true)]
    pub allowed_origins: Vec<String>,
    /// Rows of a page unless the query says.
    #[arg(long, env = "AETHER_DEFAULT_PAGE_SIZE", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..), global = true)]
    pub default_page_size: u64,
    /// Rows of a page at most.
    #[arg(long, env = "AETHER_MAX_PAGE_SIZE", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..), global = true)]
    pub max_page_size: u64,
    /// Rows of one request at most, were every page full.
    #[arg(long, env = "AETHER_MAX_ROWS", default_value_t = 500_000, global = true)]
    pub max_rows: u64,
    /// Values of one request at most, were every page full: each row has all that is selected of it, aliases counted.
    #[arg(long, env = "AETHER_MAX_VALUES", default_value_t = 5_000_000, global = true)]
    pub max_values: u64,
    /// Mebibytes of one answer at most, before it is compressed.
    #[arg(long, env = "AETHER_MAX_ANSWER_MEBIBYTES", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4_096), global = true)]
    pub max_answer_mebibytes: u16,
    /// Seconds within which the head of a request must have come, from its first byte or the connection's beginning on.
    #[arg(long, env = "AETHER_HEADER_TIMEOUT_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600), global = true)]
    pub header_timeout_seconds: u64,
    /// Seconds within which the body of a request must have come.
    #[arg(long, env = "AETHER_BODY_TIMEOUT_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600), global = true)]
    pub body_timeout_seconds: u64,
    /// Seconds after which a connection is closed that asks for nothing, or takes nothing of what it is sent. WebSockets have
    /// keep-alives instead, and a stream of events is never without something to take.
    #[arg(long, env = "AETHER_IDLE_TIMEOUT_SECONDS", default_value_t = 75, value_parser = clap::value_parser!(u64).range(1..=3600), global = true)]
    pub idle_timeout_seconds: u64,
    /// Connections of clients at once, those of live updates included; 0 for as many as the system has descriptors for.
    #[arg(long, env = "AETHER_MAX_CLIENT_CONNECTIONS", default_value_t = 20_000, global = true)]
    pub max_client_connections: usize,
    /// Connections at once from one network address, an IPv6 network of 64 bits being one; 0 for any number. Behind a proxy all
    /// clients have the proxy's address.
    #[arg(long, env = "AETHER_MAX_CLIENT_CONNECTIONS_PER_ADDRESS", default_value_t = 1_000, global = true)]
    pub max_client_connections_per_address: usize,
    /// Attempts to sign in from one network address in a minute, all of which may come at once; 0 for any number. Behind a
    /// proxy all clients have the proxy's address.
    #[arg(long, env = "AETHER_LOGINS_PER_MINUTE", default_value_t = 60, global = true)]
    pub logins_per_minute: u32,
    /// Mutations of one user in a minute, all of which may come at once; 0 for any number.
    #[arg(long, env = "AETHER_MUTATIONS_PER_MINUTE", default_value_t = 1_200, global = true)]
    pub mutations_per_minute: u32,
    /// Requests of one user in a minute, reads included, all of which may come at once; each quarter of a second that one takes
    /// counts as one more; 0 for any number.
    #[arg(long, env = "AETHER_REQUESTS_PER_MINUTE", default_value_t = 6_000, global = true)]
    pub requests_per_minute: u32,
    /// The same for one network address, whoever asks. Behind a proxy all clients have the proxy's address.
    #[arg(long, env = "AETHER_REQUESTS_PER_MINUTE_PER_ADDRESS", default_value_t = 30_000, global = true)]
    pub requests_per_minute_per_address: u32,
    /// Connections that read for users; half as many write for them. One user has a quarter of either at once. The gateway uses up
    /// to nine more for itself.
    #[arg(long, env = "AETHER_MAX_CONNECTIONS", default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=1000), global = true)]
    pub max_connections: u32,
    /// Seconds that one SQL statement may run.
    #[arg(long, env = "AETHER_STATEMENT_TIMEOUT_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600), global = true)]
    pub statement_timeout_seconds: u64,
    /// Whether connectors on other machines may be delivered to over http, unencrypted; for networks that encrypt by themselves.
    #[arg(long, env = "AETHER_ALLOW_INSECURE_CONNECTORS", default_value_t = false, action = clap::ArgAction::Set, global = true)]
    pub allow_insecure_connectors: bool,
    /// Networks, addresses and hosts that integrations and connectors may reach in the production profile although they are
    /// private, comma-separated, such as `10.20.0.0/16,ledger.internal`; none unless said. The development profile reaches all.
    #[arg(long, env = "AETHER_ALLOWED_PRIVATE_NETWORKS", value_delimiter = ',', global = true)]
    pub allowed_private_networks: Vec<String>,
    /// Milliseconds after which a delivery to a connector that failed is first tried again; further pauses are multiples of it.
    #[arg(long, env = "AETHER_DELIVERY_RETRY_MILLISECONDS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=60_000), global = true)]
    pub delivery_retry_milliseconds: u64,
    /// Hours that events are kept for subscribers to resume behind.
    #[arg(long, env = "AETHER_EVENT_RETENTION_HOURS", default_value_t = 168, value_parser = clap::value_parser!(u64).range(1..=8784), global = true)]
    pub event_retention_hours: u64,
    /// Servers of NATS with JetStream that bring events from one gateway to all, comma-separated, as `nats://host:4222` or
    /// `tls://user:password@host:4222`; without them each gateway reads all events from PostgreSQL.
    #[arg(long, env = "AETHER_NATS_URL", value_delimiter = ',', hide_env_values = true, global = true)]
    pub nats_url: Vec<String>,
}

impl Config {
    /// Refuses what must not run.
    pub fn check(&self) -> Result<()> {
        ensure!(
            self.jwt_secret.trim().len() >= secret::FEWEST_LETTERS,
            "AETHER_JWT_SECRET must have 32 bytes or more; make one with `openssl rand -base64 48`."
        );
        ensure!(
            self.default_page_size <= self.max_page_size,
            "AETHER_DEFAULT_PAGE_SIZE must not be greater than AETHER_MAX_PAGE_SIZE."
        );
        self.encryption()?;
        ensure!(
            self.audit_signing_keys.split(',').all(|key| key.trim().len() >= secret::FEWEST_LETTERS),
            "Every secret in AETHER_AUDIT_SIGNING_KEYS must have 32 bytes or more; make one with `openssl rand -base64 48`."
        );
        for origin in self.allowed_origins.iter().filter(|origin| !origin.is_empty()) {
            let host = origin.split_once("://").map(|(_, host)| host);
            ensure!(
                host.is_some_and(|host| !host.is_empty() && !host.contains('/')),
                "AETHER_ALLOWED_ORIGINS must list origins such as `https://example.com`, and `{origin}` is none."
            );
        }
        self.nats()?;
        if let Some(url) = &self.database_url {
            // It may have a password, and is not repeated.
            let is_known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
            let options = url.parse::<sea_orm::sqlx::postgres::PgConnectOptions>().ok();
            options.filter(|_| is_known).context(
                "DATABASE_URL must look like `postgres://user:password@host:5432/database`; write `/`, `@`, `:` and the like in a \
                 password as %2F, %40, %3A.",
            )?;
        }
        self.reach()?;
        let (most, each) = (self.max_client_connections, self.max_client_connections_per_address);
        ensure!(
            most == 0 || each < most,
            "AETHER_MAX_CLIENT_CONNECTIONS_PER_ADDRESS must be less than AETHER_MAX_CLIENT_CONNECTIONS, so that one address \
             cannot take the places of all others."
        );
        if self.profile == Profile::Production {
            self.check_secrets()?;
            ensure!(
                self.database_url.is_some(),
                "The production profile needs a PostgreSQL server of its own: set DATABASE_URL."
            );
        }
        Ok(())
    }

    /// Who may introspect the schema.
    pub fn introspection(&self) -> Introspection {
        match (self.introspection, self.profile) {
            (Some(Introspect::Anybody), _) | (None, Profile::Development) => Introspection::Anybody,
            (Some(Introspect::SignedIn), _) | (None, Profile::Production) => Introspection::SignedIn,
            (Some(Introspect::Off), _) => Introspection::Off,
        }
    }

    /// Refuses secrets that can be guessed, each by itself: the worst one is what all are worth. Names all of them at once.
    fn check_secrets(&self) -> Result<()> {
        let make = "Set it to the output of `openssl rand -base64 48`.";
        let mut wrong = Vec::new();
        wrong.extend(secret::check("AETHER_JWT_SECRET", &self.jwt_secret, make).err());
        for (number, key) in self.numbered_keys()? {
            let make = format!(
                "Replace it by the output of `openssl rand -base64 48` under a new number. If anything is encrypted with it, append \
                 the new key first, run `AETHER_PROFILE=development aether-nexus rotate-keys`, then leave key {number} out."
            );
            wrong.extend(secret::check(&format!("key {number} of AETHER_ENCRYPTION_KEYS"), key, &make).err());
        }
        let keys: Vec<&str> = self.audit_signing_keys.split(',').collect();
        for (at, key) in keys.iter().enumerate() {
            let which = match keys.len() {
                1 => "AETHER_AUDIT_SIGNING_KEYS".to_owned(),
                some => format!("key {} of the {some} in AETHER_AUDIT_SIGNING_KEYS", at + 1),
            };
            let make = "Replace it by the output of `openssl rand -base64 48`.";
            wrong.extend(secret::check(&which, key, make).err());
        }
        let wrong: Vec<_> = wrong.iter().map(ToString::to_string).collect();
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    }

    /// Whether others may reach a gateway whose secrets everybody knows.
    pub fn is_exposed(&self, address: IpAddr) -> bool {
        self.profile == Profile::Development && !address.to_canonical().is_loopback()
    }

    /// What a query may ask for.
    pub fn limits(&self) -> Limits {
        Limits {
            default_page_size: self.default_page_size,
            max_page_size: self.max_page_size,
            max_rows: self.max_rows,
            max_values: self.max_values,
            max_answer_bytes: usize::from(self.max_answer_mebibytes) * 1024 * 1024,
            allow_insecure_connectors: self.allow_insecure_connectors,
            logins_per_minute: self.logins_per_minute,
            mutations_per_minute: self.mutations_per_minute,
            ..Limits::default()
        }
    }

    /// Where integrations and connectors may lead.
    pub fn reach(&self) -> Result<Reach> {
        let listed = self.allowed_private_networks.iter().filter(|one| !one.trim().is_empty());
        let allowed = listed.map(|one| {
            one.parse().map_err(|why| anyhow!("AETHER_ALLOWED_PRIVATE_NETWORKS lists `{}`, and {why}.", one.trim()))
        });
        let allowed = allowed.collect::<Result<Vec<Allowed>>>()?;
        Ok(match self.profile {
            Profile::Development => Reach::everywhere(),
            Profile::Production => Reach::internet_and(allowed),
        })
    }

    /// What connections of clients may take.
    pub fn edge(&self) -> edge::Limits {
        edge::Limits {
            head: Duration::from_secs(self.header_timeout_seconds),
            body: Duration::from_secs(self.body_timeout_seconds),
            idle: Duration::from_secs(self.idle_timeout_seconds),
            most: self.max_client_connections,
            most_per_address: self.max_client_connections_per_address,
        }
    }

    /// The signer of access tokens.
    pub fn tokens(&self) -> Tokens {
        Tokens::new(
            self.jwt_secret.as_bytes(),
            Duration::from_secs(self.access_token_minutes * 60),
            Duration::from_secs(self.refresh_token_days * 24 * 3600),
        )
    }

    /// How long events are kept.
    pub fn event_retention(&self) -> Duration {
        Duration::from_secs(self.event_retention_hours * 3_600)
    }

    /// The servers of NATS; none if it is not used.
    pub fn nats(&self) -> Result<Vec<ServerAddr>> {
        let servers = self.nats_url.iter().map(|url| url.trim()).filter(|url| !url.is_empty());
        let known = |server: &ServerAddr| matches!(server.scheme(), "nats" | "tls") && !server.host().is_empty();
        let read = |url: &str| url.parse().ok().filter(known);
        // The URL may have a password, and is not repeated.
        servers
            .map(|url| read(url).context("AETHER_NATS_URL must list URLs such as `nats://localhost:4222`."))
            .collect()
    }

    /// The encryption at rest.
    pub fn encryption(&self) -> Result<Encryption> {
        Ok(Encryption::new(self.numbered_keys()?.into_iter().map(|(number, secret)| (number, secret.to_owned()))))
    }

    /// Refuses in production what nobody means to do there, unless it was said that it is meant.
    pub fn must_be_sure(&self, yes: bool, why: &str) -> Result<()> {
        if self.profile == Profile::Production && !yes {
            bail!("{why} This is the production profile: add --yes if you mean it.");
        }
        Ok(())
    }

    fn numbered_keys(&self) -> Result<Vec<(u8, &str)>> {
        let keys = self.encryption_keys.split(',').map(|key| {
            let (number, secret) = key
                .split_once(':')
                .context("AETHER_ENCRYPTION_KEYS must look like `1:first-secret,2:second-secret`.")?;
            let number =
                number.trim().parse().context("A key in AETHER_ENCRYPTION_KEYS needs a number from 0 to 255.")?;
            if secret.trim().len() < secret::FEWEST_LETTERS {
                bail!("Key {number} in AETHER_ENCRYPTION_KEYS must have 32 bytes or more.");
            }
            Ok((number, secret))
        });
        let keys = keys.collect::<Result<Vec<(u8, &str)>>>()?;
        for (place, (number, _)) in keys.iter().enumerate() {
            ensure!(
                keys[..place].iter().all(|(earlier, _)| earlier != number),
                "AETHER_ENCRYPTION_KEYS has number {number} twice: each key needs one of its own, for it is stored with what is encrypted."
            );
        }
        Ok(keys)
    }

    /// The keys that sign the heads of the audit log.
    pub fn audit_keys(&self) -> audit_log::Keys {
        audit_log::Keys::new(self.audit_signing_keys.split(','))
    }

    /// How to reach the database.
    pub fn connect(&self, url: String) -> Connect {
        Connect {
            url,
            max_connections: self.max_connections,
            statement_timeout: Duration::from_secs(self.statement_timeout_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(args: &[&str]) -> Config {
        Cli::parse_from(["aether-nexus"].iter().chain(args)).config
    }

    #[test]
    fn a_number_of_a_key_is_given_once() {
        let (one, other) = ("q4kY1R8Jv0mT5xWz3nBfGdLsHcPaUeI7", "o9QyKtXj2MNrVbZlF6wDgCpSihEuAO+/");
        assert!(config(&["--encryption-keys", &format!("1:{one},2:{other}")]).encryption().is_ok());
        let twice = config(&["--encryption-keys", &format!("1:{one},1:{other}")]).encryption();
        assert!(twice.is_err_and(|why| why.to_string().contains("number 1 twice")));
    }

    #[test]
    fn what_nobody_means_to_do_in_production_needs_a_yes() {
        let production = config(&["--profile", "production"]);
        assert!(production.must_be_sure(false, "It takes tables away.").is_err());
        assert!(production.must_be_sure(true, "").is_ok() && config(&[]).must_be_sure(false, "").is_ok());
    }

    #[test]
    fn development_needs_nothing() {
        config(&[]).check().unwrap();
    }

    #[test]
    fn production_refuses_default_secrets() {
        let own = "q4kY1R8Jv0mT5xWz3nBfGdLsHcPaUeI7o9QyKtXj2MNrVbZlF6wDgCpSihEuAO+/";
        let keys = format!("1:{own}");
        let production = ["--profile", "production", "--database-url", "postgres://x"];
        let all = [["--jwt-secret", own], ["--encryption-keys", &keys], ["--audit-signing-keys", own]];
        for missing in 0..all.len() {
            let given = all.iter().enumerate().filter(|(number, _)| *number != missing).flat_map(|(_, flag)| flag);
            let given: Vec<_> = production.iter().chain(given).copied().collect();
            let error = config(&given).check().unwrap_err().to_string();
            assert!(error.contains("AETHER_"), "{error}");
        }
        config(&[&production[..], all.as_flattened()].concat()).check().unwrap();
        // One that can be guessed among several is as bad as one alone.
        let guessed = "a".repeat(32);
        for (flag, value, which) in [
            ("--jwt-secret", guessed.clone(), "AETHER_JWT_SECRET"),
            ("--jwt-secret", format!("  {DEFAULT_SECRET} "), "AETHER_JWT_SECRET"),
            (
                "--encryption-keys",
                format!("1:{own},{}", DEFAULT_KEYS.replace("1:", "7: ")),
                "key 7 of AETHER_ENCRYPTION_KEYS",
            ),
            ("--encryption-keys", format!("1:{guessed},2:{own}"), "key 1 of AETHER_ENCRYPTION_KEYS"),
            (
                "--audit-signing-keys",
                format!("{DEFAULT_AUDIT_KEYS},{own}"),
                "key 1 of the 2 in AETHER_AUDIT_SIGNING_KEYS",
            ),
            (
                "--audit-signing-keys",
                format!("{own}, {DEFAULT_AUDIT_KEYS}"),
                "key 2 of the 2 in AETHER_AUDIT_SIGNING_KEYS",
            ),
            ("--audit-signing-keys", guessed.clone(), "AETHER_AUDIT_SIGNING_KEYS"),
        ] {
            let others = all.iter().filter(|[other, _]| *other != flag).flatten().copied();
            let flags: Vec<_> = production.iter().copied().chain(others).chain([flag, &value]).collect();
            let error = config(&flags).check().unwrap_err().to_string();
            assert!(error.contains(which) && error.contains("openssl rand -base64 48"), "{which}: {error}");
            assert!(!error.contains(own) && !error.contains(&guessed), "{error}");
        }
    }

    #[test]
    fn networks_that_may_be_reached_are_listed_in_production() {
        let reaches = |args: &[&str]| config(args).reach().unwrap().check(None, "10.20.0.1".parse().unwrap()).is_ok();
        assert!(reaches(&[]));
        assert!(!reaches(&["--profile", "production"]));
        assert!(reaches(&["--profile", "production", "--allowed-private-networks", "192.168.0.0/16, 10.20.0.0/16"]));
        assert!(!reaches(&["--profile", "production", "--allowed-private-networks", ""]));
        let error = config(&["--allowed-private-networks", "10.20.0.0/99"]).check().unwrap_err().to_string();
        assert!(error.contains("AETHER_ALLOWED_PRIVATE_NETWORKS") && error.contains("10.20.0.0/99"), "{error}");
    }

    #[test]
    fn a_development_gateway_is_exposed_where_others_reach_it() {
        let exposed =
            |profile: &str, address: &str| config(&["--profile", profile]).is_exposed(address.parse().unwrap());
        for address in ["0.0.0.0", "192.0.2.1", "::", "2001:db8::1"] {
            assert!(exposed("development", address), "{address}");
            assert!(!exposed("production", address), "{address}");
        }
        for address in ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"] {
            assert!(!exposed("development", address), "{address}");
        }
    }

    #[test]
    fn short_secrets_are_refused() {
        assert!(config(&["--jwt-secret", "short"]).check().is_err());
        assert!(config(&["--encryption-keys", "1:short"]).check().is_err());
        assert!(config(&["--encryption-keys", "no number"]).check().is_err());
        assert!(config(&["--audit-signing-keys", "short"]).check().is_err());
        let long = "a-secret-that-nobody-else-knows-at-all";
        assert!(config(&["--audit-signing-keys", &format!("{long},")]).check().is_err());
    }

    #[test]
    fn an_address_of_a_database_that_cannot_be_read_is_not_repeated() {
        for wrong in ["postgres://aether:ab/cd+e=@db:5432/x", "localhost:5432", "postgres://db:port/x"] {
            let error = config(&["--database-url", wrong]).check().unwrap_err().to_string();
            assert!(error.contains("DATABASE_URL") && !error.contains("ab/cd"), "{error}");
        }
        config(&["--database-url", "postgres://aether:ab%2Fcd@db:5432/x"]).check().unwrap();
    }

    #[test]
    fn nats_is_used_where_a_server_is_named() {
        assert!(config(&["--nats-url", ""]).nats().unwrap().is_empty());
        let servers = config(&["--nats-url", "nats://one:4222, tls://user:word@two:4333"]).nats().unwrap();
        let hosts: Vec<_> =
            servers.iter().map(|server| (server.host(), server.port(), server.tls_required())).collect();
        assert_eq!(hosts, [("one", 4222, false), ("two", 4333, true)]);
        for wrong in ["postgres://one:5432", "ws://one:4222", "nats://"] {
            assert!(config(&["--nats-url", wrong]).check().is_err(), "{wrong}");
        }
    }
}
