//! The one TLS configuration: which authorities are trusted, and how to speak.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::options::TransportSetupError;

/// A configuration that trusts the bundled roots and these.
pub(super) fn tls_config(extra_roots: &[Vec<u8>]) -> Result<Arc<ClientConfig>, TransportSetupError> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for (root, bytes) in extra_roots.iter().enumerate() {
        add(&mut store, root as u32, bytes)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportSetupError::Tls(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    // The one protocol spoken here: a server that offers others must not choose for us.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
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
