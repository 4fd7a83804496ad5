//! Connections that read: to the server that the URL names, encrypted as it says.
//!
//! The driver signs in, by whatever way the server asks for, and then gives the socket back.
//!
//! `sslmode` means what libpq and the driver that writes take it for: `prefer` and `require` encrypt and believe any certificate,
//! `verify-ca` demands one of a known authority, `verify-full` one of this server.

use std::{
    io,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use parking_lot::Mutex;
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
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_postgres::{
    Config, NoTls,
    config::SslMode,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A connection's socket, encrypted or not.
pub(super) type Socket = Box<dyn Duplex>;

/// What can be read and written.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// Where the server listens.
enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
}

/// How to connect. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<Config>,
    address: Arc<Address>,
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
        let port = options.get_port();
        // As a host, a folder is that of the socket.
        let folder = options.get_host().starts_with('/').then(|| options.get_host().into());
        let address = match options.get_socket().cloned().or(folder) {
            Some(folder) => Address::Unix(folder.join(format!(".s.PGSQL.{port}"))),
            None => Address::Tcp(options.get_host().to_owned(), port),
        };
        config.user(options.get_username()).application_name("aether-nexus");
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
        let tls = match (mode, &address) {
            (PgSslMode::Disable, _) | (_, Address::Unix(_)) => None,
            (mode, Address::Tcp(..)) => Some(MakeRustlsConnect::new(tls(mode, &files)?)),
        };
        config.ssl_mode(match mode {
            _ if tls.is_none() => SslMode::Disable,
            PgSslMode::Allow | PgSslMode::Prefer => SslMode::Prefer,
            PgSslMode::Disable | PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => SslMode::Require,
        });
        Ok(Self { config: Arc::new(config), address: Arc::new(address), tls })
    }

    /// A connection that is signed in.
    pub(super) async fn connect(&self) -> Result<Socket, Refused> {
        match &*self.address {
            Address::Unix(path) => self.plain(UnixStream::connect(path).await?).await,
            Address::Tcp(host, port) => {
                let host = host.trim_matches(['[', ']']);
                let socket = TcpStream::connect((host, *port)).await?;
                socket.set_nodelay(true)?;
                match &self.tls {
                    Some(tls) => self.encrypted(socket, tls.clone(), host).await,
                    None => self.plain(socket).await,
                }
            }
        }
    }

    async fn plain(&self, socket: impl Duplex + 'static) -> Result<Socket, Refused> {
        let socket = Lent::new(socket);
        // Nothing is asked by way of it, so it has nothing to say at its end.
        drop(self.config.connect_raw(socket.clone(), NoTls).await?);
        Ok(Box::new(socket.given_back()?))
    }

    async fn encrypted(&self, socket: TcpStream, mut tls: MakeRustlsConnect, host: &str) -> Result<Socket, Refused> {
        let (socket, encrypted) = (Lent::new(socket), Arc::default());
        let tls = MakeTlsConnect::<Lent<TcpStream>>::make_tls_connect(&mut tls, host).map_err(io::Error::other)?;
        drop(self.config.connect_raw(socket.clone(), Lending { tls, lent: Arc::clone(&encrypted) }).await?);
        // The server may not encrypt, where it need not.
        let encrypted = encrypted.lock().take();
        Ok(match encrypted {
            Some(encrypted) => Box::new(encrypted.given_back()?),
            None => Box::new(socket.given_back()?),
        })
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Refused {
    /// The server could not be reached.
    EdgeTable(io::Error),
    /// It did not let the gateway in.
    Driver(tokio_postgres::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::EdgeTable(error)
    }
}

impl From<tokio_postgres::Error> for Refused {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Driver(error)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EdgeTable(error) => error.fmt(out),
            Self::Driver(error) => error.fmt(out),
        }
    }
}

/// A socket lent to the driver until it has signed in.
struct Lent<S>(Arc<Mutex<S>>);

impl<S> Lent<S> {
    fn new(socket: S) -> Self {
        Self(Arc::new(Mutex::new(socket)))
    }

    /// The socket, once the driver has gone: it leaves without a word while it was not asked anything.
    fn given_back(self) -> Result<S, Refused> {
        let socket = Arc::into_inner(self.0).ok_or_else(|| io::Error::other("a socket still in use"))?;
        Ok(socket.into_inner())
    }
}

impl<S> Clone for Lent<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lent<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lent<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_shutdown(context)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Lent<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.lock().channel_binding()
    }
}

/// Encrypts, and lends what is encrypted.
struct Lending<T: TlsConnect<Lent<TcpStream>>> {
    tls: T,
    lent: Arc<Mutex<Option<Lent<T::Stream>>>>,
}

impl<T> TlsConnect<Lent<TcpStream>> for Lending<T>
where
    T: TlsConnect<Lent<TcpStream>, Stream: Send, Future: Send> + 'static,
{
    type Stream = Lent<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, T::Error>> + Send>>;

    fn connect(self, socket: Lent<TcpStream>) -> Self::Future {
        let encrypting = self.tls.connect(socket);
        Box::pin(async move {
            let lent = Lent::new(encrypting.await?);
            *self.lent.lock() = Some(lent.clone());
            Ok(lent)
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
