//! One connection, and the reading and writing on it.
//!
//! Differences from ureq's own, each for a reason:
//!
//! - The head and the body of a request are written together: bytes from ureq are kept until a buffer is full or ureq waits for the answer.
//! - While a large request is written, an early answer is noticed. A server that refuses a large body answers early and closes; without this
//!   the 413 would look like a broken connection, and be attempted for ever. When the server resets the connection, Linux still delivers
//!   what arrived before; other systems may discard it, and then the failure stays. Only a refusal ends the request early and counts: a
//!   success before everything was written says nothing about the rest, and is a failure whose outcome is unknown.
//! - Every wait ends with its phase or with `cancel`.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use crate::port::{FailureKind, Phase};

use super::attempt::{Attempt, Interrupt, IoFailure, current, ongoing};
use super::head::{final_status, is_partial};
use super::stream::{ReadStop, Stream, time_left};

/// The largest head of an answer that is read. Real ones stay below 8 KiB.
pub(super) const MAX_HEAD: usize = 32 * 1024;
/// Larger than the largest head, so that there is always room to read into until the head is complete or refused.
const INPUT: usize = MAX_HEAD + 4 * 1024;
/// How much ureq hands over at once.
const OUTPUT: usize = 16 * 1024;
/// How much is collected before it is written. A payload of usual size is written at once, and memory stays small for a large one.
const FLUSH_AT: usize = 64 * 1024;
/// How long a write may wait before checking for an early answer.
const WRITE_WAIT: Duration = Duration::from_millis(250);
/// How often a check reads on while only TLS messages such as session tickets come. A peer may send those without end.
const MAX_READS_WITHOUT_ANSWER: usize = 8;

/// A connection as ureq uses it.
pub(super) struct Connection {
    stream: Stream,
    /// Bytes handed over since the last flush.
    waiting: usize,
    buffers: LazyBuffers,
    /// Why writing is over, though not everything is written.
    broken: Option<IoFailure>,
    /// The request was refused before it was written; the rest of it is dropped.
    refused_early: bool,
    /// The input holds bytes that ureq does not know about.
    unread_input: bool,
    /// It serves the attempt of this thread.
    in_use: bool,
}

/// The result of a check of the connection without waiting.
enum Peek {
    /// Nothing, for now.
    Nothing,
    /// Many bytes, but no answer.
    NoAnswer,
    /// Bytes for the input.
    Bytes,
    Over(IoFailure),
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            waiting: 0,
            buffers: LazyBuffers::new(INPUT, OUTPUT),
            broken: None,
            refused_early: false,
            unread_input: false,
            in_use: false,
        }
    }

    /// Writes the collected bytes. An early refusal, or a broken connection, ends it without an error: reading then decides.
    fn flush(&mut self, attempt: &Attempt) -> Result<(), ureq::Error> {
        if self.waiting == 0 || self.has_stopped_writing() {
            return Ok(());
        }
        let until = attempt.enter(Phase::Send);
        if attempt.has_begun_sending() {
            self.look_for_early_answer(attempt)?;
        }
        while self.stream.wants_write() && !self.has_stopped_writing() {
            time_left(until).map_err(|failure| attempt.fail(failure))?;
            match self.stream.write_some(until.min(Instant::now() + WRITE_WAIT)) {
                Ok(true) => attempt.bytes_left(),
                Ok(false) => self.look_for_early_answer(attempt)?,
                Err(failure) => self.broken = Some(failure),
            }
        }
        self.waiting = 0;
        Ok(())
    }

    fn has_stopped_writing(&self) -> bool {
        self.broken.is_some() || self.refused_early
    }

    /// Called while part of the request is still to be written.
    fn look_for_early_answer(&mut self, attempt: &Attempt) -> Result<(), ureq::Error> {
        match self.peek() {
            Peek::Nothing | Peek::NoAnswer => Ok(()),
            Peek::Bytes => match final_status(self.buffers.input()) {
                Some(300..) => {
                    self.refused_early = true;
                    Ok(())
                }
                Some(_) => Err(attempt.fail(early_success())),
                None => Ok(()),
            },
            Peek::Over(failure) => {
                self.broken = Some(failure);
                Ok(())
            }
        }
    }

    /// Whether there is space for the rest of an incomplete head. ureq gets only complete heads: it parses an incomplete one too soon.
    fn has_partial_head(&mut self, attempt: &Attempt) -> bool {
        attempt.awaits_head() && is_partial(self.buffers.input()) && !self.buffers.input_append_buf().is_empty()
    }

    /// Reads what has arrived, without waiting.
    fn peek(&mut self) -> Peek {
        for _ in 0..MAX_READS_WITHOUT_ANSWER {
            match self.stream.read_now(self.buffers.input_append_buf()) {
                Ok(0) => return Peek::Over(IoFailure::new(FailureKind::Closed, "closed by the other side")),
                Ok(read) => {
                    self.buffers.input_appended(read);
                    self.unread_input = true;
                    return Peek::Bytes;
                }
                Err(ReadStop::Again) => {}
                Err(ReadStop::Pause) => return Peek::Nothing,
                Err(ReadStop::Failed(failure)) => return Peek::Over(failure),
            }
        }
        Peek::NoAnswer
    }

    /// Assigns the connection to the attempt of this thread.
    fn serve(&mut self) -> Result<Arc<Attempt>, ureq::Error> {
        self.in_use = true;
        let attempt = ongoing()?;
        attempt.interrupted_by(Interrupt::Socket(self.stream.socket().clone()))?;
        Ok(attempt)
    }

    /// The failure of a connection that ended before the answer was complete.
    fn cut_off(&self, failure: IoFailure) -> IoFailure {
        match &self.broken {
            Some(broken) => broken.clone(),
            None if failure.kind == FailureKind::Closed && !self.buffers.input().is_empty() => {
                IoFailure::new(FailureKind::Protocol, "the head of the answer was cut off")
            }
            None => failure,
        }
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let attempt = self.serve()?;
        attempt.enter(Phase::Send);
        if self.has_stopped_writing() {
            return Ok(());
        }
        let output = &self.buffers.output()[..amount];
        self.stream.collect(output)?;
        self.waiting += amount;
        if self.waiting >= FLUSH_AT { self.flush(&attempt) } else { Ok(()) }
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let attempt = self.serve()?;
        self.flush(&attempt)?;
        // With writing broken, the wait still belongs to this phase: earlier bytes are available at once.
        let until = attempt.enter(if self.broken.is_some() { Phase::Send } else { Phase::Receive });
        while !std::mem::take(&mut self.unread_input) || self.has_partial_head(&attempt) {
            time_left(until).map_err(|failure| attempt.fail(failure))?;
            match self.stream.read_some(self.buffers.input_append_buf(), until) {
                Ok(0) => return Err(attempt.fail(self.cut_off(IoFailure::new(FailureKind::Closed, "receive: closed by the other side")))),
                Ok(read) => {
                    self.buffers.input_appended(read);
                    self.unread_input = true;
                }
                Err(ReadStop::Pause | ReadStop::Again) => {}
                Err(ReadStop::Failed(failure)) => return Err(attempt.fail(self.cut_off(failure))),
            }
        }
        match final_status(self.buffers.input()) {
            Some(..300) if self.broken.is_some() => Err(attempt.fail(early_success())),
            _ => Ok(true),
        }
    }

    /// Called before a connection is kept and before it is used again, within the attempt that releases or takes it.
    fn is_open(&mut self) -> bool {
        self.in_use = false;
        if let Some(attempt) = current() {
            attempt.release();
        }
        // Unexpected bytes cannot be the beginning of an answer.
        !self.has_stopped_writing() && self.waiting == 0 && !self.unread_input && matches!(self.peek(), Peek::Nothing)
    }

    fn is_tls(&self) -> bool {
        self.stream.is_tls()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.in_use
            && let Some(attempt) = current()
        {
            attempt.leave_input(self.buffers.input());
        }
    }
}

fn early_success() -> IoFailure {
    IoFailure::new(FailureKind::Protocol, "the answer came before the request was written")
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.stream).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
    use rustls::{ServerConfig, ServerConnection};

    use crate::transport::Timeouts;
    use crate::transport::attempt::within;
    use crate::transport::roots::tls_config;

    use super::*;

    const WAIT_LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn a_released_connection_cannot_be_cancelled_by_its_earlier_attempt() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let socket = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let mut connection = Connection::new(Stream::plain(Arc::new(socket)));
        let (mut peer, _) = listener.accept().expect("a connection");
        let attempt = Arc::new(Attempt::new(1, Duration::from_secs(30), Timeouts::default()));
        within(&attempt, || {
            drop(connection.serve().expect("it is not cancelled"));
            assert!(connection.is_open());
            attempt.cancel();
            (&**connection.stream.socket()).write_all(b"x").expect("it is still open");
        });
        peer.read_exact(&mut [0]).expect("it is still open");
    }

    /// A client and a server after the TLS handshake; the server sends so many session tickets.
    fn tls_pair(tickets: usize) -> (Connection, thread::JoinHandle<io::Result<()>>) {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (certificate, key) = (certified.cert.der().clone(), certified.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], PrivatePkcs8KeyDer::from(key).into())
            .expect("a key that fits");
        server.send_tls13_tickets = tickets;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let socket = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (mut peer, _) = listener.accept().expect("a connection");
        let serving = thread::spawn(move || {
            let mut tls = ServerConnection::new(Arc::new(server)).map_err(io::Error::other)?;
            tls.set_buffer_limit(None);
            while tls.is_handshaking() || tls.wants_write() {
                tls.complete_io(&mut peer)?;
            }
            // Until the client leaves.
            io::copy(&mut peer, &mut io::sink()).map(drop)
        });
        let config = tls_config(&[certificate.to_vec()]).expect("a good root");
        let name = ServerName::try_from("localhost").expect("a name");
        let stream =
            Stream::secure(Arc::new(socket), config, name, Instant::now() + WAIT_LIMIT).unwrap_or_else(|failure| panic!("{failure:?}"));
        (Connection::new(stream), serving)
    }

    /// Waits until this much has arrived that is not read yet.
    fn wait_for_bytes(connection: &Connection, count: usize) {
        let (end, mut buffer) = (Instant::now() + WAIT_LIMIT, vec![0; count]);
        while connection.stream.socket().peek(&mut buffer).expect("it is open") < count {
            assert!(Instant::now() < end, "waited too long for {count} bytes");
            thread::yield_now();
        }
    }

    #[test]
    fn session_tickets_are_not_an_answer_and_do_no_harm() {
        let (mut connection, serving) = tls_pair(4);
        wait_for_bytes(&connection, 1);
        assert!(connection.is_open());
        drop(connection);
        let _ = serving.join().expect("no panic");
    }

    #[test]
    fn a_check_for_an_answer_ends_although_session_tickets_keep_coming() {
        let (mut connection, serving) = tls_pair(5_000);
        wait_for_bytes(&connection, 40 * 1024);
        assert!(matches!(connection.peek(), Peek::NoAnswer));
        wait_for_bytes(&connection, 40 * 1024);
        assert!(!connection.is_open(), "such a connection is not used again");
        drop(connection);
        let _ = serving.join().expect("no panic");
    }
}
