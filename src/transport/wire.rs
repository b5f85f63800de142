//! One connection, and the reading and writing on it.
//!
//! Differences from ureq's own, each for a reason:
//!
//! - The head and the body of a request leave together: what ureq hands over is kept until a bufferful is there or ureq waits for the answer.
//! - When writing fails or stalls, an answer that is already there is read first. A server that refuses a large body says so early and closes;
//!   without this the 413 would look like a broken connection, and be retried for ever. When the server resets the connection, Linux still
//!   hands out what arrived before; other systems may discard it, and then the failure stands.
//! - Every wait ends with its phase or with `cancel`.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use crate::port::{FailureKind, Phase};

use super::attempt::{Attempt, Interrupt, Trouble, current, ongoing};
use super::classify::{io_trouble, tls_trouble};

/// The largest head of an answer that is read. Real ones stay below 8 KiB.
pub(super) const MOST_HEAD: usize = 32 * 1024;
/// Larger than the largest head, so that there is always room to read into until the head is complete or refused.
const INPUT: usize = MOST_HEAD + 4 * 1024;
/// What ureq hands over at once.
const OUTPUT: usize = 16 * 1024;
/// What is collected before it is written. A payload of usual size leaves in one go, and memory stays small for a large one.
const FLUSH_AT: usize = 64 * 1024;
/// How long a write may stall before it is looked whether the answer is already there.
const STALL: Duration = Duration::from_millis(250);

/// A connection as ureq uses it.
pub(super) struct Wire {
    socket: Arc<TcpStream>,
    tls: Option<Box<ClientConnection>>,
    /// Plain connections only; TLS keeps its own.
    unwritten: Vec<u8>,
    /// Bytes handed over since the last flush.
    waiting: usize,
    buffers: LazyBuffers,
    /// Why writing is over.
    broken: Option<Trouble>,
    /// An answer came before the request was written; the rest of the request is dropped.
    answered_early: bool,
    /// The input holds bytes that ureq has not been told of.
    untold: bool,
}

/// What a look at the connection, without waiting, has found.
enum Glance {
    Quiet,
    Bytes,
    Over(Trouble),
}

impl Wire {
    pub(super) fn plain(socket: Arc<TcpStream>) -> Self {
        Self {
            socket,
            tls: None,
            unwritten: Vec::new(),
            waiting: 0,
            buffers: LazyBuffers::new(INPUT, OUTPUT),
            broken: None,
            answered_early: false,
            untold: false,
        }
    }

    /// Shakes hands; must be done by `until`.
    pub(super) fn secure(
        socket: Arc<TcpStream>,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        until: Instant,
    ) -> Result<Self, Trouble> {
        let mut tls = ClientConnection::new(config, name).map_err(|error| tls_trouble(&error))?;
        // The bound is FLUSH_AT, kept here.
        tls.set_buffer_limit(None);
        loop {
            while tls.wants_write() {
                allow_write(&socket, until)?;
                match tls.write_tls(&mut &*socket) {
                    Ok(0) => return Err(Trouble::new(FailureKind::Closed, "TLS handshake: closed")),
                    Ok(_) => {}
                    Err(error) if is_pause(&error) => {}
                    Err(error) => return Err(io_trouble("TLS handshake", &error)),
                }
            }
            if !tls.is_handshaking() {
                break;
            }
            allow_read(&socket, until)?;
            match tls.read_tls(&mut &*socket) {
                Ok(0) => return Err(Trouble::new(FailureKind::Closed, "TLS handshake: closed")),
                Ok(_) => {}
                Err(error) if is_pause(&error) => continue,
                Err(error) => return Err(io_trouble("TLS handshake", &error)),
            }
            if let Err(error) = tls.process_new_packets() {
                // The server may log why it was not trusted; whether it hears so changes nothing here.
                let _ = tls.write_tls(&mut &*socket);
                return Err(tls_trouble(&error));
            }
        }
        Ok(Self { tls: Some(Box::new(tls)), ..Self::plain(socket) })
    }

    fn wants_write(&self) -> bool {
        self.tls.as_ref().map_or(!self.unwritten.is_empty(), |tls| tls.wants_write())
    }

    fn write_some(&mut self) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => tls.write_tls(&mut &*self.socket),
            None => {
                let written = (&*self.socket).write(&self.unwritten)?;
                self.unwritten.drain(..written);
                Ok(written)
            }
        }
    }

    /// Writes what was handed over. An answer that came early, or a broken connection, ends it without an error: reading then decides.
    fn flush(&mut self, attempt: &Attempt) -> Result<(), ureq::Error> {
        if self.waiting == 0 || self.is_written_off() {
            return Ok(());
        }
        let until = attempt.enter(Phase::Send);
        while self.wants_write() {
            if let Err(trouble) = allow_write(&self.socket, until.min(Instant::now() + STALL)).and_then(|()| still_time(until)) {
                return Err(attempt.fail(trouble));
            }
            match self.write_some() {
                Ok(0) => self.broken = Some(Trouble::new(FailureKind::Closed, "send: closed")),
                Ok(_) => attempt.bytes_left(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_pause(&error) => match self.glance() {
                    Glance::Quiet => {}
                    Glance::Bytes => self.answered_early = self.answer_has_begun(),
                    Glance::Over(trouble) => self.broken = Some(trouble),
                },
                Err(error) => self.broken = Some(io_trouble("send", &error)),
            }
            if self.is_written_off() {
                break;
            }
        }
        self.waiting = 0;
        Ok(())
    }

    fn is_written_off(&self) -> bool {
        self.broken.is_some() || self.answered_early
    }

    /// Whether the input starts a final answer. Interim ones (1xx) ask for nothing.
    fn answer_has_begun(&self) -> bool {
        let input = self.buffers.input();
        input.starts_with(b"HTTP/1.") && input.get(9).is_some_and(|digit| *digit != b'1')
    }

    /// Takes in what has arrived, without waiting.
    fn glance(&mut self) -> Glance {
        if let Err(error) = self.socket.set_nonblocking(true) {
            return Glance::Over(io_trouble("look", &error));
        }
        let read = loop {
            match self.read_some() {
                Err(Stop::Again) => {}
                read => break read,
            }
        };
        let blocking = self.socket.set_nonblocking(false);
        match (read, blocking) {
            (_, Err(error)) => Glance::Over(io_trouble("look", &error)),
            (Ok(0), _) => Glance::Over(Trouble::new(FailureKind::Closed, "closed by the other side")),
            (Ok(_), _) => {
                self.untold = true;
                Glance::Bytes
            }
            (Err(Stop::Pause | Stop::Again), _) => Glance::Quiet,
            (Err(Stop::Trouble(trouble)), _) => Glance::Over(trouble),
        }
    }

    /// Reads into the input, once: whoever waits looks at the time in between. 0 is the end.
    fn read_some(&mut self) -> Result<usize, Stop> {
        let Some(tls) = &mut self.tls else {
            let read = (&*self.socket).read(self.buffers.input_append_buf()).map_err(Stop::from)?;
            self.buffers.input_appended(read);
            return Ok(read);
        };
        match tls.reader().read(self.buffers.input_append_buf()) {
            Ok(read) => {
                self.buffers.input_appended(read);
                return Ok(read);
            }
            // The end without TLS's own goodbye. HTTP knows by itself whether something is missing.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(Stop::from(error)),
        }
        tls.read_tls(&mut &*self.socket).map_err(Stop::from)?;
        // What was read may be part of a record, or no answer at all, such as a session ticket.
        tls.process_new_packets().map_or_else(|error| Err(Stop::Trouble(tls_trouble(&error))), |_| Err(Stop::Again))
    }

    /// Claims the connection for the attempt of this thread.
    fn claim(&self) -> Result<Arc<Attempt>, ureq::Error> {
        let attempt = ongoing()?;
        attempt.interrupted_by(Interrupt::Socket(self.socket.clone()))?;
        Ok(attempt)
    }

    /// The other side is gone before the answer was complete.
    fn gone(&self, trouble: Trouble) -> Trouble {
        match &self.broken {
            Some(broken) => broken.clone(),
            None if trouble.kind == FailureKind::Closed && !self.buffers.input().is_empty() => {
                Trouble::new(FailureKind::Protocol, "the head of the answer was cut off")
            }
            None => trouble,
        }
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let attempt = self.claim()?;
        attempt.enter(Phase::Send);
        if self.is_written_off() {
            return Ok(());
        }
        let output = &self.buffers.output()[..amount];
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(output)?,
            None => self.unwritten.extend_from_slice(output),
        }
        self.waiting += amount;
        if self.waiting >= FLUSH_AT { self.flush(&attempt) } else { Ok(()) }
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let attempt = self.claim()?;
        self.flush(&attempt)?;
        if std::mem::take(&mut self.untold) {
            return Ok(true);
        }
        // With writing broken the wait still belongs to it: what arrived before is there at once.
        let until = attempt.enter(if self.broken.is_some() { Phase::Send } else { Phase::Receive });
        loop {
            allow_read(&self.socket, until).map_err(|trouble| attempt.fail(trouble))?;
            match self.read_some() {
                Ok(0) => return Err(attempt.fail(self.gone(Trouble::new(FailureKind::Closed, "receive: closed by the other side")))),
                Ok(_) => return Ok(true),
                Err(Stop::Pause | Stop::Again) => {}
                Err(Stop::Trouble(trouble)) => return Err(attempt.fail(self.gone(trouble))),
            }
        }
    }

    /// Asked before a connection is kept and before it is used again, within the attempt that gave it up or is about to take it.
    fn is_open(&mut self) -> bool {
        if let Some(attempt) = current() {
            attempt.release();
        }
        // Bytes that nobody asked for are no start for an answer.
        !self.is_written_off() && self.waiting == 0 && !self.untold && matches!(self.glance(), Glance::Quiet)
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// Why reading stopped.
enum Stop {
    /// The socket has nothing more for now.
    Pause,
    /// Something was read, but nothing of an answer yet.
    Again,
    Trouble(Trouble),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if is_pause(&error) { Self::Pause } else { Self::Trouble(io_trouble("receive", &error)) }
    }
}

/// A timeout set on the socket ran out, or a signal came. (On Windows such a timeout has the name of a dead connection.)
fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) || cfg!(windows) && error.kind() == ErrorKind::TimedOut
}

fn still_time(until: Instant) -> Result<Duration, Trouble> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Trouble::timeout()) } else { Ok(left) }
}

fn allow_read(socket: &TcpStream, until: Instant) -> Result<(), Trouble> {
    let left = still_time(until)?;
    socket.set_read_timeout(Some(left)).or_else(ignore_dead).map_err(|error| io_trouble("receive", &error))
}

fn allow_write(socket: &TcpStream, until: Instant) -> Result<(), Trouble> {
    let left = still_time(until)?;
    socket.set_write_timeout(Some(left)).or_else(ignore_dead).map_err(|error| io_trouble("send", &error))
}

/// Apple's systems refuse to set a timeout on a socket that the other side has closed, though an answer can still be read from it.
fn ignore_dead(error: io::Error) -> io::Result<()> {
    if cfg!(target_vendor = "apple") && error.kind() == ErrorKind::InvalidInput { Ok(()) } else { Err(error) }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls.is_some() { "Wire(TLS)" } else { "Wire(plain)" })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use crate::transport::Timeouts;
    use crate::transport::attempt::within;

    use super::*;

    #[test]
    fn a_connection_given_back_is_out_of_reach_of_the_attempt_that_had_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let socket = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let mut wire = Wire::plain(Arc::new(socket));
        let (mut peer, _) = listener.accept().expect("a connection");
        let attempt = Arc::new(Attempt::new(1, Duration::from_secs(30), Timeouts::default()));
        within(&attempt, || {
            drop(wire.claim().expect("it is not cancelled"));
            assert!(wire.is_open());
            attempt.cancel();
            (&*wire.socket).write_all(b"x").expect("it is still open");
        });
        peer.read_exact(&mut [0]).expect("it is still open");
    }
}
