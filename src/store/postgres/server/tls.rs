//! TLS for connections to a server, with rustls.

use std::{
    fs,
    future::Future,
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Socket,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_rustls::{TlsConnector, client};

use super::{binding, refusal::Refusal, verifier::Verifier};
use crate::config::{ServerTls, TlsMode};

/// Creates TLS connections.
#[derive(Clone)]
pub(super) struct Connector(Arc<ClientConfig>);

impl Connector {
    /// Reads the named files. It is called for each connection, so that renewed certificates are
    /// used without a restart.
    pub(super) fn new(tls: &ServerTls) -> Result<Self, Refusal> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = match tls.mode {
            TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => None,
            TlsMode::VerifyCa | TlsMode::VerifyFull => Some(match &tls.root_file {
                Some(path) => certificates(path, "sslrootcert")?,
                None => rustls_native_certs::load_native_certs().certs,
            }),
        };
        let verifier = match roots {
            None => Verifier::accept_any(provider.clone()),
            Some(named) => {
                let mut store = RootCertStore::empty();
                // Some certificates of a system have unsupported forms, which are skipped.
                let (added, _) = store.add_parsable_certificates(named.iter().cloned());
                if added == 0 {
                    return Err(no_roots(tls));
                }
                let checks_name = tls.mode == TlsMode::VerifyFull;
                Verifier::new(provider.clone(), store, named, checks_name)
            }
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Refusal::of_files(&format!("TLS cannot be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let Some((certificate, key)) = tls.identity.as_ref().filter(|_| is_used(tls)) else {
            return Ok(Self(Arc::new(builder.with_no_client_auth())));
        };
        let chain = certificates(certificate, "sslcert")?;
        let text = read(key, "sslkey")?;
        // The error could contain a part of the key.
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
            Refusal::of_files(&format!(
                "{} (sslkey) holds no key that can be read: it must be one in PEM, not encrypted",
                key.display()
            ))
        })?;
        let config = builder.with_client_auth_cert(chain, key).map_err(|error| {
            Refusal::of_files(&format!("sslcert and sslkey do not fit together: {error}"))
        })?;
        Ok(Self(Arc::new(config)))
    }
}

fn is_used(tls: &ServerTls) -> bool {
    tls.mode != TlsMode::Disable
}

fn no_roots(tls: &ServerTls) -> Refusal {
    Refusal::of_files(&match &tls.root_file {
        Some(path) => {
            format!("{} (sslrootcert) holds no certificate of an authority in PEM", path.display())
        }
        None => "the system has no certificates of authorities; install them (Debian's package is \
                 ca-certificates), or name a file as sslrootcert"
            .to_owned(),
    })
}

fn certificates(path: &Path, parameter: &str) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let text = read(path, parameter)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| {
        Refusal::of_files(&format!("{} ({parameter}) holds no certificate in PEM", path.display()))
    })
}

fn read(path: &Path, parameter: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    fs::read(path).map(Zeroizing::new).map_err(|error| {
        Refusal::of_files(&format!("cannot read {} ({parameter}): {error}", path.display()))
    })
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Encrypted;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, io::Error> {
        // A Unix socket has no host name, and no handshake.
        let name = ServerName::try_from(host).ok().map(|name| name.to_owned());
        Ok(Handshake { config: self.0.clone(), name })
    }
}

/// A handshake that can be started.
pub(super) struct Handshake {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Encrypted, io::Error>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move {
            let no_name = "the host is no name that a certificate can have";
            let name =
                self.name.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, no_name))?;
            TlsConnector::from(self.config).connect(name, stream).await.map(Encrypted)
        })
    }
}

/// A connection with TLS.
#[derive(Debug)]
pub(in crate::store::postgres) struct Encrypted(client::TlsStream<Socket>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.0.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        certificate
            .and_then(|certificate| binding::tls_server_end_point(certificate))
            .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
