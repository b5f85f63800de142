//! Certificates made on the spot.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority of its own.
pub struct TestCa {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
}

/// What a server shows: a certificate and its key.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl TestCa {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Compass test authority");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a self-signed authority");
        Self { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
    }

    /// To be trusted: for `BuiltInOptions::extra_roots`.
    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    pub fn der(&self) -> Vec<u8> {
        self.der.clone()
    }

    /// Valid for `localhost`, 127.0.0.1 and ::1.
    pub fn leaf(&self) -> Identity {
        self.issue(&["localhost", "127.0.0.1", "::1"], |_| {})
    }

    /// Valid for this host alone.
    pub fn leaf_for(&self, host: &str) -> Identity {
        self.issue(&[host], |_| {})
    }

    /// Right host, but its time ended in 2020.
    pub fn expired_leaf(&self) -> Identity {
        self.issue(&["localhost", "127.0.0.1", "::1"], |params| {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        })
    }

    /// Right host, but its time begins in 2100.
    pub fn future_leaf(&self) -> Identity {
        self.issue(&["localhost", "127.0.0.1", "::1"], |params| {
            params.not_before = date_time_ymd(2100, 1, 1);
            params.not_after = date_time_ymd(2101, 1, 1);
        })
    }

    fn issue(&self, hosts: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> Identity {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("valid names");
        adjust(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a signed leaf");
        Identity { chain: vec![certificate.der().clone()], key: key.serialize_der() }
    }
}

impl Default for TestCa {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity {
    /// Right host, signed by nobody but itself.
    pub fn self_signed() -> Self {
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(hosts).expect("valid names");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a self-signed leaf");
        Self { chain: vec![certificate.der().clone()], key: key.serialize_der() }
    }

    pub fn server_config(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows the default versions")
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .expect("a key that fits its certificate");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}
