//! The one TLS configuration: trusted authorities, cipher suites and algorithms.

use std::sync::Arc;

use rustls::SignatureScheme as Scheme;
use rustls::crypto::ring::{cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore, SupportedCipherSuite};

use webpki::ring as verify;

use super::options::TransportSetupError;
use crate::crypto::fill_random;

/// Only AES-GCM: every server has it (RFC 8446, section 9.1), and the others add some 45 kB to an app.
const SUITES: [SupportedCipherSuite; 6] = [
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// A configuration that trusts the bundled roots and these.
pub(super) fn tls_config(extra_roots: &[Vec<u8>]) -> Result<Arc<ClientConfig>, TransportSetupError> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for (root, bytes) in extra_roots.iter().enumerate() {
        add(&mut store, root as u32, bytes)?;
    }
    // Each by its name: the library's default links all of them.
    let provider = CryptoProvider {
        cipher_suites: SUITES.to_vec(),
        kx_groups: vec![kx_group::SECP256R1, kx_group::SECP384R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &Random,
        key_provider: &NoKeys,
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportSetupError::Tls(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    // Only HTTP/1.1 is supported: a server that offers others must not choose one.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// How certificates and handshakes are verified: the algorithms of public authorities, and each curve of a key exchange above. Every server
/// has P-256 (RFC 8446, section 9.1), no public authority signs with Ed25519, and Curve25519 adds some 40 kB to an app.
static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        verify::ECDSA_P256_SHA256,
        verify::ECDSA_P256_SHA384,
        verify::ECDSA_P384_SHA256,
        verify::ECDSA_P384_SHA384,
        verify::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        verify::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        verify::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        verify::RSA_PKCS1_2048_8192_SHA256,
        verify::RSA_PKCS1_2048_8192_SHA384,
        verify::RSA_PKCS1_2048_8192_SHA512,
        verify::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        verify::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        verify::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    // TLS 1.2 names only a hash, and allows both curves with it.
    mapping: &[
        (Scheme::ECDSA_NISTP384_SHA384, &[verify::ECDSA_P384_SHA384, verify::ECDSA_P256_SHA384]),
        (Scheme::ECDSA_NISTP256_SHA256, &[verify::ECDSA_P256_SHA256, verify::ECDSA_P384_SHA256]),
        (Scheme::RSA_PSS_SHA512, &[verify::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (Scheme::RSA_PSS_SHA384, &[verify::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (Scheme::RSA_PSS_SHA256, &[verify::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (Scheme::RSA_PKCS1_SHA512, &[verify::RSA_PKCS1_2048_8192_SHA512]),
        (Scheme::RSA_PKCS1_SHA384, &[verify::RSA_PKCS1_2048_8192_SHA384]),
        (Scheme::RSA_PKCS1_SHA256, &[verify::RSA_PKCS1_2048_8192_SHA256]),
    ],
};

/// The operating system's random bytes.
#[derive(Debug)]
struct Random;

impl SecureRandom for Random {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        fill_random(bytes);
        Ok(())
    }
}

/// The client has no certificate of its own; without this the library would link the code to sign with one.
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
    // DER starts with the tag of a sequence; anything else counts as text.
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
