//! A connection of the scripted server, plain or with TLS, and what it does to its socket.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use socket2::SockRef;

use super::server::{SeenRequest, WAIT_LIMIT};

pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

pub(super) fn read_head(stream: &mut Stream, input: &mut Vec<u8>, connection: usize) -> io::Result<Option<SeenRequest>> {
    let end = loop {
        if let Some(at) = input.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
        let mut some = [0; 4096];
        let read = stream.read(&mut some)?;
        if read == 0 {
            return Ok(None);
        }
        input.extend_from_slice(&some[..read]);
    };
    let head = String::from_utf8_lossy(&input[..end]).into_owned();
    input.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut next = || first.next().unwrap_or_default().to_owned();
    let (method, path) = (next(), next());
    let headers =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    Ok(Some(SeenRequest { number: 0, connection, method, path, headers, body: Vec::new() }))
}

/// Reads and forgets, until the client leaves.
pub(super) fn hold(stream: &mut impl Read) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

/// Waits until the socket holds bytes that nobody has read.
pub(super) fn unread(socket: &TcpStream) -> io::Result<()> {
    socket.set_read_timeout(Some(WAIT_LIMIT))?;
    socket.peek(&mut [0]).map(drop)
}

pub(super) fn reset(socket: &TcpStream) -> io::Result<()> {
    // Closing then resets, no matter what was read or not.
    SockRef::from(socket).set_linger(Some(Duration::ZERO))
}
