//! Connections by the driver that reads: to the server that the URL names, encrypted as it says.
//!
//! `sslmode` means what libpq and the driver that writes take it for: `prefer` and `require` encrypt and believe any certificate,
//! `verify-ca` demands one of a known authority, `verify-full` one of this server.

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc};

use percent_encoding::percent_decode_str;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio_postgres::{Client, Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What moves a connection: whoever waits for an answer on it has to poll this, too.
pub(super) type Driver = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// How to connect. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<Config>,
    tls: Option<MakeRustlsConnect>,
}

/// Files that the URL names.
#[derive(Default)]
struct Files {
    root: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Connector {
    /// To the server of this URL, which `options` were read from, with these settings.
    pub(super) fn new(url: &str, options: &PgConnectOptions, settings: &[(&str, &str)]) -> Result<Self, String> {
        let mut config = Config::new();
        match options.get_socket() {
            Some(socket) => _ = config.host_path(socket),
            // As a host, a folder is that of the socket.
            None if options.get_host().starts_with('/') => _ = config.host_path(options.get_host()),
            None => _ = config.host(options.get_host()),
        }
        config.port(options.get_port()).user(options.get_username()).application_name("aether-nexus");
        if let Some(database) = options.get_database() {
            config.dbname(database);
        }
        let (password, files) = of_url(url);
        #[expect(clippy::disallowed_methods, reason = "as the driver that writes does, when the URL has none")]
        let of_environment = || std::env::var("PGPASSWORD").ok().map(String::into_bytes);
        if let Some(password) = password.or_else(of_environment) {
            config.password(password);
        }
        let mut all = options.get_options().unwrap_or_default().to_owned();
        for (name, value) in settings {
            all.push_str(&format!(" -c {name}={value}"));
        }
        config.options(all.trim());
        let mode = options.get_ssl_mode();
        config.ssl_mode(match mode {
            PgSslMode::Disable => SslMode::Disable,
            PgSslMode::Allow | PgSslMode::Prefer => SslMode::Prefer,
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => SslMode::Require,
        });
        let is_local = options.get_socket().is_some() || options.get_host().starts_with('/');
        let tls = match mode {
            PgSslMode::Disable => None,
            _ if is_local => None,
            mode => Some(MakeRustlsConnect::new(tls(mode, &files)?)),
        };
        if is_local {
            config.ssl_mode(SslMode::Disable);
        }
        Ok(Self { config: Arc::new(config), tls })
    }

    pub(super) async fn connect(&self) -> Result<(Client, Driver), tokio_postgres::Error> {
        Ok(match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                (client, Box::pin(connection))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                (client, Box::pin(connection))
            }
        })
    }
}

/// The password and the files that a URL names.
fn of_url(url: &str) -> (Option<Vec<u8>>, Files) {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let text = |text: &str| String::from_utf8_lossy(&decoded(text)).into_owned();
    let user =
        base.split_once("://").map_or(base, |(_, rest)| rest).split('/').next().and_then(|host| host.rsplit_once('@'));
    let mut password = user.and_then(|(user, _)| user.split_once(':')).map(|(_, password)| decoded(password));
    let mut files = Files::default();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => files.root = Some(text(value).into()),
            "sslcert" | "ssl-cert" => files.certificate = Some(text(value).into()),
            "sslkey" | "ssl-key" => files.key = Some(text(value).into()),
            "password" => password = Some(decoded(value)),
            _ => {}
        }
    }
    (password, files)
}

fn tls(mode: PgSslMode, files: &Files) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let unusable = |what: &str| format!("the {what} for the connection to the database cannot be used");
    let verified = match mode {
        PgSslMode::VerifyCa | PgSslMode::VerifyFull => {
            let mut roots = RootCertStore::empty();
            match &files.root {
                Some(path) => {
                    for certificate in CertificateDer::pem_file_iter(path).map_err(|_| unusable("root certificate"))? {
                        let certificate = certificate.map_err(|_| unusable("root certificate"))?;
                        roots.add(certificate).map_err(|_| unusable("root certificate"))?;
                    }
                }
                None => _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
            }
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
            Some(verifier.map_err(|_| unusable("root certificate"))?)
        }
        _ => None,
    };
    let verifier = Verifier { verified, any_name: matches!(mode, PgSslMode::VerifyCa), provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable("encryption"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match (&files.certificate, &files.key) {
        (Some(certificate), Some(key)) => {
            let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
                .map_err(|_| unusable("certificate"))?
                .collect::<Result<_, _>>()
                .map_err(|_| unusable("certificate"))?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|_| unusable("key"))?;
            config.with_client_auth_cert(chain, key).map_err(|_| unusable("certificate"))
        }
        _ => Ok(config.with_no_client_auth()),
    }
}

/// What a server's certificate has to be.
#[derive(Debug)]
struct Verifier {
    /// None where any is believed.
    verified: Option<Arc<WebPkiServerVerifier>>,
    any_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(verified) = &self.verified else { return Ok(ServerCertVerified::assertion()) };
        match verified.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            answer => answer,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_password_and_files() {
        let (password, files) =
            of_url("postgres://ann:p%40ss%3Aword@db.example:5433/nexus?sslmode=verify-full&sslrootcert=/etc/ca.pem");
        assert_eq!(password.as_deref(), Some(&b"p@ss:word"[..]));
        assert_eq!(files.root, Some("/etc/ca.pem".into()));
        assert_eq!(of_url("postgres://ann@db/nexus?host=%2Frun%2Fpg").0, None);
        assert_eq!(of_url("postgres:///nexus?user=ann&password=a%26b").0.as_deref(), Some(&b"a&b"[..]));
    }
}
