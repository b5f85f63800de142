//! The one TLS configuration: which authorities are trusted, and how to speak.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore};

use super::options::TransportSetupError;

/// A configuration that trusts the bundled roots and these.
pub(super) fn tls_config(extra_roots: &[Vec<u8>]) -> Result<Arc<ClientConfig>, TransportSetupError> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for (root, bytes) in extra_roots.iter().enumerate() {
        add(&mut store, root as u32, bytes)?;
    }
    let provider = CryptoProvider { key_provider: &NoKeys, ..rustls::crypto::ring::default_provider() };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportSetupError::Tls(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    // The one protocol spoken here: a server that offers others must not choose for us.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A client here has no certificate of its own; without this the library would carry what signs with one.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("there is no client authentication".to_owned()))
    }
}

fn add(store: &mut RootCertStore, root: u32, bytes: &[u8]) -> Result<(), TransportSetupError> {
    let bad = |certificate, reason: String| TransportSetupError::BadRoot { root, certificate, reason };
    if bytes.is_empty() {
        return Err(TransportSetupError::EmptyRoot { root });
    }
    // DER starts with the tag of a sequence; anything else is taken for text.
    if bytes[0] == 0x30 {
        return store.add(CertificateDer::from(bytes)).map_err(|error| bad(0, error.to_string()));
    }
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(bytes) {
        let certificate = certificate.map_err(|error| bad(found, error.to_string()))?;
        store.add(certificate).map_err(|error| bad(found, error.to_string()))?;
        found += 1;
    }
    if found == 0 { Err(TransportSetupError::EmptyRoot { root }) } else { Ok(()) }
}
