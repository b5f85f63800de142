//! A webhook receiver as an integrator would write it: HTTPS on loopback with a new authority, every signature verified, every id
//! remembered.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use standardwebhooks::Webhook;

use crate::{Outcome, screen};

pub struct Receiver {
    pub url: String,
    /// The authority to trust, in PEM.
    pub authority: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    requests: u32,
    /// Accepted copies by `webhook-id`, and the bytes of the first.
    accepted: BTreeMap<String, (u32, Vec<u8>)>,
}

impl Receiver {
    /// Listens on this port of 127.0.0.1 and answers the very first request with 503, every other one that verifies with 202.
    pub fn start(port: u16, secret: &str) -> Outcome<Self> {
        let (tls, authority) = certificates()?;
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let url = format!("https://127.0.0.1:{}/webhooks/field-service", listener.local_addr()?.port());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (shared, secret) = (Arc::clone(&seen), secret.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, seen, secret) = (Arc::clone(&tls), Arc::clone(&shared), secret.clone());
                // A client that closes the connection ends its thread; nothing else needs to know.
                std::thread::spawn(move || serve(stream, tls, &secret, &seen).ok());
            }
        });
        Ok(Self { url, authority, seen })
    }

    /// How many copies of each message were accepted.
    pub fn accepted(&self) -> BTreeMap<String, u32> {
        self.seen.lock().unwrap().accepted.iter().map(|(id, (copies, _))| (id.clone(), *copies)).collect()
    }

    /// The bytes of a message as they arrived.
    pub fn body(&self, id: &str) -> Option<Vec<u8>> {
        self.seen.lock().unwrap().accepted.get(id).map(|(_, body)| body.clone())
    }
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, secret: &str, seen: &Mutex<Seen>) -> Outcome<()> {
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(tls)?, stream));
    loop {
        let mut request_line = String::new();
        if stream.read_line(&mut request_line)? == 0 {
            return Ok(());
        }
        let mut headers = http::HeaderMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(http::HeaderName::try_from(name)?, value.trim().parse()?);
        }
        let length: usize = headers["content-length"].to_str()?.parse()?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let answer = verify(&headers, body, secret, seen)?;
        stream.get_mut().write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").as_bytes())?;
        stream.get_mut().flush()?;
    }
}

fn verify(headers: &http::HeaderMap, body: Vec<u8>, secret: &str, seen: &Mutex<Seen>) -> Outcome<&'static str> {
    let id = headers["webhook-id"].to_str()?.to_owned();
    let attempt = headers["compass-attempt"].to_str()?;
    let verified = Webhook::new(secret)?.verify(&body, headers).is_ok();
    let mut seen = seen.lock().unwrap();
    seen.requests += 1;
    let answer = match (verified, seen.requests) {
        (false, _) => "401 Unauthorized",
        (true, 1) => "503 Service Unavailable",
        (true, _) => {
            seen.accepted.entry(id.clone()).or_insert((0, body.clone())).0 += 1;
            "202 Accepted"
        }
    };
    let signature = if verified { screen::good("signature verified") } else { screen::bad("signature refused") };
    screen::line(format!("receiver  {id}  attempt {attempt}  {} bytes  {signature}  → {answer}", body.len()));
    Ok(answer)
}

fn certificates() -> Outcome<(Arc<ServerConfig>, String)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&leaf_key, &issuer)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    Ok((Arc::new(config), authority))
}
