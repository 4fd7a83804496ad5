//! `create-organization`: the first day of an installation.

use std::io::Read;

use aether_application::people::founding::{self, Founded, Founding};
use aether_store::Error;
use anyhow::{Context, Result, anyhow, bail};

use crate::{
    config::{Config, NewOrganization},
    postgres::Postgres,
    prepare,
};

/// More than a password has; whatever else is piped in by mistake is not read to its end.
const LONGEST: u64 = 4_096;

/// Makes the organization and says how its administrator gets in: the token alone goes to standard output.
pub(crate) async fn found(config: &Config, organization: NewOrganization) -> Result<()> {
    let NewOrganization { name, slug, admin_email, admin_name, password_stdin } = organization;
    let password = if password_stdin { Some(password()?) } else { None };
    let founding = Founding { name, slug: slug.clone(), admin_email: admin_email.clone(), admin_name, password };
    let postgres = Postgres::start(config).await?;
    let founded = async {
        let (store, _) = prepare(config, &postgres, false).await?;
        let founded = founding::found(&store, founding, &config.encryption()?).await;
        store.database().clone().close().await;
        founded.map_err(said)
    }
    .await;
    postgres.stop().await?;
    print_next_steps(&founded?, config, &slug, &admin_email);
    Ok(())
}

/// The password that stands in standard input, whose last line may end.
fn password() -> Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST)
        .read_to_string(&mut text)
        .context("The password on standard input cannot be read.")?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        bail!(
            "There is no password on standard input: pipe it in, or leave --password-stdin out to get a token instead."
        );
    }
    Ok(password.to_owned())
}

/// What is wrong, by the flag that says it.
fn said(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid { field, message } | Error::Taken { field, message } => {
            let flag = if field == "password" { "password-stdin".into() } else { field.replace('_', "-") };
            anyhow!("--{flag}: {message}")
        }
        Error::Unavailable => anyhow!("The database cannot be reached just now. Try again in a moment."),
        _ => anyhow!("The organization could not be made; the log says why. Nothing was changed."),
    }
}

fn print_next_steps(founded: &Founded, config: &Config, slug: &str, admin: &str) {
    eprintln!("The organization {slug} is made, with {admin} as its administrator.");
    let Some((token, expires_at)) = &founded.invitation else {
        eprintln!("Sign in as {admin} of {slug} with the password that you gave.");
        return;
    };
    eprintln!(
        "\nThis token is good once, until {}. With it the administrator chooses a password of 12 to 200 characters, once the\n\
         gateway serves; nobody else should read it:\n",
        expires_at.to_utc().format("%Y-%m-%d %H:%M UTC")
    );
    println!("{token}");
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    eprintln!(
        "\nfor instance by\n\n  curl -s http://{address}/graphql -H 'Content-Type: application/json' -d '{{\"query\":\n    \
         \"mutation($token: String!, $password: String!) {{ acceptUserInvitation(token: $token, password: $password) {{ expiresIn }} }}\",\n    \
         \"variables\": {{ \"token\": \"<the token>\", \"password\": \"<the password>\" }} }}'\n"
    );
}
