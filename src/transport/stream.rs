//! Bytes to and from the other side, over TCP or TLS, and how long to wait for them.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::port::FailureKind;

use super::attempt::IoFailure;
use super::failure::{io_failure, tls_failure};

/// An open connection without HTTP.
pub(super) struct Stream {
    socket: Arc<TcpStream>,
    tls: Option<Box<ClientConnection>>,
    /// Plain connections only; TLS keeps its own.
    unwritten: Vec<u8>,
}

impl Stream {
    pub(super) fn plain(socket: Arc<TcpStream>) -> Self {
        Self { socket, tls: None, unwritten: Vec::new() }
    }

    /// Performs the TLS handshake; must be done by `until`.
    pub(super) fn secure(
        socket: Arc<TcpStream>,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        until: Instant,
    ) -> Result<Self, IoFailure> {
        let mut tls = ClientConnection::new(config, name).map_err(|error| tls_failure(&error))?;
        // The writing code has its own limit.
        tls.set_buffer_limit(None);
        loop {
            while tls.wants_write() {
                allow_write(&socket, until)?;
                match tls.write_tls(&mut &*socket) {
                    Ok(0) => return Err(IoFailure::new(FailureKind::Closed, "TLS handshake: closed")),
                    Ok(_) => {}
                    Err(error) if is_pause(&error) => {}
                    Err(error) => return Err(io_failure("TLS handshake", &error)),
                }
            }
            if !tls.is_handshaking() {
                break;
            }
            allow_read(&socket, until)?;
            match tls.read_tls(&mut &*socket) {
                Ok(0) => return Err(IoFailure::new(FailureKind::Closed, "TLS handshake: closed")),
                Ok(_) => {}
                Err(error) if is_pause(&error) => continue,
                Err(error) => return Err(io_failure("TLS handshake", &error)),
            }
            if let Err(error) = tls.process_new_packets() {
                // The server may log why it was not trusted; an error here changes nothing.
                let _ = tls.write_tls(&mut &*socket);
                return Err(tls_failure(&error));
            }
        }
        Ok(Self { tls: Some(Box::new(tls)), ..Self::plain(socket) })
    }

    pub(super) fn socket(&self) -> &Arc<TcpStream> {
        &self.socket
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Takes bytes to be written later.
    pub(super) fn collect(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(bytes),
            None => {
                self.unwritten.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    pub(super) fn wants_write(&self) -> bool {
        self.tls.as_ref().map_or(!self.unwritten.is_empty(), |tls| tls.wants_write())
    }

    /// Writes some of the collected bytes; false when the other side accepted nothing until then.
    pub(super) fn write_some(&mut self, until: Instant) -> Result<bool, IoFailure> {
        allow_write(&self.socket, until)?;
        let written = match &mut self.tls {
            Some(tls) => tls.write_tls(&mut &*self.socket),
            None => (&*self.socket).write(&self.unwritten).inspect(|written| drop(self.unwritten.drain(..*written))),
        };
        match written {
            Ok(0) => Err(IoFailure::new(FailureKind::Closed, "send: closed")),
            Ok(_) => Ok(true),
            Err(error) if is_pause(&error) => Ok(false),
            Err(error) => Err(io_failure("send", &error)),
        }
    }

    /// Reads once, or until then: a caller that waits checks the time in between. 0 is the end.
    pub(super) fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, ReadStop> {
        allow_read(&self.socket, until)?;
        self.read(into)
    }

    /// Reads what is there, without waiting.
    pub(super) fn read_now(&mut self, into: &mut [u8]) -> Result<usize, ReadStop> {
        let failed = |error: io::Error| ReadStop::Failed(io_failure("look", &error));
        self.socket.set_nonblocking(true).map_err(failed)?;
        let read = self.read(into);
        self.socket.set_nonblocking(false).map_err(failed)?;
        read
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadStop> {
        let Some(tls) = &mut self.tls else { return Ok((&*self.socket).read(into)?) };
        match tls.reader().read(into) {
            Ok(read) => return Ok(read),
            // The end without a TLS close_notify. HTTP detects itself whether something is missing.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        tls.read_tls(&mut &*self.socket)?;
        // This may be a part of a record, or not an answer, such as a session ticket.
        tls.process_new_packets().map_or_else(|error| Err(tls_failure(&error).into()), |_| Err(ReadStop::Again))
    }
}

/// Why reading stopped.
pub(super) enum ReadStop {
    /// The socket has nothing more for now.
    Pause,
    /// Something was read, but nothing of an answer yet.
    Again,
    Failed(IoFailure),
}

impl From<io::Error> for ReadStop {
    fn from(error: io::Error) -> Self {
        if is_pause(&error) { Self::Pause } else { io_failure("receive", &error).into() }
    }
}

impl From<IoFailure> for ReadStop {
    fn from(failure: IoFailure) -> Self {
        Self::Failed(failure)
    }
}

/// A timeout set on the socket ran out, or a signal came.
fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

pub(super) fn time_left(until: Instant) -> Result<Duration, IoFailure> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(IoFailure::timeout()) } else { Ok(left) }
}

fn allow_read(socket: &TcpStream, until: Instant) -> Result<(), IoFailure> {
    let left = time_left(until)?;
    socket.set_read_timeout(Some(left)).or_else(ignore_closed).map_err(|error| io_failure("receive", &error))
}

fn allow_write(socket: &TcpStream, until: Instant) -> Result<(), IoFailure> {
    let left = time_left(until)?;
    socket.set_write_timeout(Some(left)).or_else(ignore_closed).map_err(|error| io_failure("send", &error))
}

/// Apple's systems refuse to set a timeout on a socket that the other side has closed, though an answer can still be read from it.
fn ignore_closed(error: io::Error) -> io::Result<()> {
    if cfg!(target_vendor = "apple") && error.kind() == ErrorKind::InvalidInput { Ok(()) } else { Err(error) }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_tls() { "Stream(TLS)" } else { "Stream(plain)" })
    }
}
