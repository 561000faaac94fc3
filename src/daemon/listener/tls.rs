//! Builds the TLS configuration of a listener from its `web-config.yml`.

use std::{net::IpAddr, sync::Arc};

use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    version::{TLS12, TLS13},
};
use secrecy::ExposeSecret as _;

use crate::config::{ClientAuth, TlsConfig};

/// Builds the configuration from the current content of the files.
pub(super) fn build_server_config(
    config: &TlsConfig,
    http2: bool,
) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(build_provider(config)?);
    let versions: Vec<_> = [(config.has_tls13, &TLS13), (config.has_tls12, &TLS12)]
        .into_iter()
        .filter_map(|(is_spoken, version)| is_spoken.then_some(version))
        .collect();
    let certificate = config.certificate.read().map_err(|error| error.to_string())?;
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(certificate.expose_secret().as_bytes()).collect();
    let chain = chain.map_err(|error| format!("the certificate cannot be read: {error}"))?;
    let key = config.key.read().map_err(|error| error.to_string())?;
    // The error's text is dropped: it could contain a part of the key.
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes())
        .map_err(|_| "the key cannot be read: it must be one in PEM, not encrypted".to_owned())?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions)
        .map_err(|error| error.to_string())?;
    let builder = match build_verifier(config, &provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut server = builder
        .with_single_cert(chain, key)
        .map_err(|error| format!("the certificate and its key: {error}"))?;
    server.ignore_client_order = config.prefers_own_suites;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    if http2 {
        server.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(Arc::new(server))
}

/// Builds the crypto provider with the configured suites and curves. As in Go, the list of suites
/// applies only to TLS 1.2; all suites of TLS 1.3 stay enabled.
fn build_provider(config: &TlsConfig) -> Result<CryptoProvider, String> {
    let mut provider = aws_lc_rs::default_provider();
    if !config.cipher_suites.is_empty() {
        let named = config.cipher_suites.iter().map(|name| {
            // Go has two names for the ChaCha20 suites, with and without `_SHA256`.
            if name.ends_with("CHACHA20_POLY1305") {
                format!("{name}_SHA256")
            } else {
                name.clone()
            }
        });
        let named: Vec<_> = named.collect();
        provider.cipher_suites.retain(|suite| {
            let name = format!("{:?}", suite.suite());
            suite.tls13().is_some() || named.contains(&name)
        });
        let is_any = provider.cipher_suites.iter().any(|suite| suite.tls13().is_none());
        if !is_any && !config.has_tls13 {
            return Err("cipher_suites: none of them is safe and known here".to_owned());
        }
    }
    if !config.curves.is_empty() {
        let groups = std::mem::take(&mut provider.kx_groups);
        let named = config.curves.iter().filter_map(|curve| {
            let name = match curve.as_str() {
                "CurveP256" => "secp256r1",
                "CurveP384" => "secp384r1",
                other => other,
            };
            groups.iter().copied().find(|group| format!("{:?}", group.name()) == name)
        });
        provider.kx_groups = named.collect();
        if provider.kx_groups.is_empty() {
            return Err("curve_preferences: none of them is known here; there are X25519, \
                        CurveP256, CurveP384 and X25519MLKEM768"
                .to_owned());
        }
    }
    Ok(provider)
}

fn build_verifier(
    config: &TlsConfig,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let is_required =
        matches!(config.client_auth, ClientAuth::RequireAny | ClientAuth::RequireAndVerify);
    let inner: Arc<dyn ClientCertVerifier> = match config.client_auth {
        ClientAuth::None => return Ok(None),
        ClientAuth::Request | ClientAuth::RequireAny => {
            Arc::new(Anybody { provider: provider.clone(), is_required })
        }
        ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify => {
            let roots = Arc::new(load_authorities(config)?);
            let builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
            let builder = if is_required { builder } else { builder.allow_unauthenticated() };
            builder.build().map_err(|error| format!("client_ca_file: {error}"))?
        }
    };
    if config.client_allowed_sans.is_empty() {
        return Ok(Some(inner));
    }
    Ok(Some(Arc::new(Named { inner, names: config.client_allowed_sans.clone() })))
}

fn load_authorities(config: &TlsConfig) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let Some(pem) = &config.client_ca else { return Ok(roots) };
    let pem = pem.read().map_err(|error| error.to_string())?;
    for certificate in CertificateDer::pem_slice_iter(pem.expose_secret().as_bytes()) {
        let certificate = certificate.map_err(|error| format!("client_ca_file: {error}"))?;
        roots.add(certificate).map_err(|error| format!("client_ca_file: {error}"))?;
    }
    Ok(roots)
}

/// Accepts any certificate whose key the client proves to have, as Go's `RequireAnyClientCert`
/// does. It does not identify the client.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
    is_required: bool,
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts a certificate that the inner verifier accepts and that has one of the allowed names.
#[derive(Debug)]
struct Named {
    inner: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl Named {
    fn has_name(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return false };
        let is_listed = |name: &str| self.names.iter().any(|listed| listed == name);
        let has_address = |name: &String| {
            let Ok(address) = name.parse::<IpAddr>() else { return false };
            let name = rustls::pki_types::ServerName::IpAddress(address.into());
            certificate.verify_is_valid_for_subject_name(&name).is_ok()
        };
        certificate.valid_dns_names().any(is_listed)
            || certificate.valid_uri_names().any(is_listed)
            || self.names.iter().any(has_address)
    }
}

impl ClientCertVerifier for Named {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.inner.verify_client_cert(certificate, chain, now)?;
        if self.has_name(certificate) {
            return Ok(verified);
        }
        Err(rustls::Error::General("the client's certificate has none of the names".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
