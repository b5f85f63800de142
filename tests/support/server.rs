//! A scripted HTTP/1.1 server on loopback, over plain TCP or TLS, that misbehaves on request.
//!
//! ```ignore
//! let ca = TestCa::new();
//! let server = TestServer::https(&ca, |request| match request.number {
//!     0 => Reply::status(503),
//!     _ => Reply::status(202),
//! });
//! // … send to server.url("/hook") …
//! let seen = server.wait_for_requests(2);
//! assert_eq!(seen[1].header("content-type"), Some("application/json"));
//! ```
//!
//! Three hooks, each optional: `on_connect` (before TLS), `on_head` (the body not yet read), `on_request` (all read). A hook runs on the thread of
//! its connection and may block, for instance on a barrier.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, SockRef, Socket, Type};

use super::certs::{Identity, TestCa};
use super::stream::{Stream, hold, read_head, reset, unread};
use super::unreachable::loopback_socket;

/// Long, because it only ends a test that fails.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// The name of all threads here, so that a test that counts threads can leave them out.
pub const THREAD_NAME: &str = "test-server";

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Counts requests of this server from 0.
    pub number: usize,
    /// Counts connections of this server from 0.
    pub connection: usize,
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The exact bytes. Empty while only the head is read.
    pub body: Vec<u8>,
}

impl SeenRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A regular answer. `content-length` is added, unless a header says otherwise.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let framed = self.headers.iter().any(|(name, _)| matches!(name.as_str(), "content-length" | "transfer-encoding"));
        if !framed && self.status != 204 && self.status >= 200 {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers, and keeps the connection.
    Respond(Response),
    /// Answers, and closes in an orderly way: what the client still sends is read to its end.
    RespondThenClose(Response),
    /// Answers, and resets the connection: what the client still sends is thrown back.
    RespondThenReset(Response),
    /// Answers, and then neither reads nor closes.
    RespondThenHold(Response),
    /// Says nothing, and keeps the connection.
    Silence,
    /// Closes without an answer.
    Close,
    /// Resets the connection without an answer.
    Reset,
    /// Exactly these bytes, then the end.
    Raw(Vec<u8>),
    /// Exactly these bytes, then nothing more.
    RawThenHold(Vec<u8>),
    /// These bytes one by one with a pause after each, then nothing more.
    Slowly { bytes: Vec<u8>, pause: Duration },
    /// A head with this status and a body that never ends.
    Endless { status: u16 },
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::Respond(Response::new(status))
    }

    pub fn redirect(status: u16, target: &str) -> Self {
        Self::Respond(Response::new(status).header("location", target))
    }

    /// No HTTP at all.
    pub fn garbage_head() -> Self {
        Self::Raw(b"\x00\x01SSH-2.0 what is this\r\n\r\n".to_vec())
    }

    /// The end comes within the headers.
    pub fn truncated_head() -> Self {
        Self::Raw(b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec())
    }

    /// The end comes within the body.
    pub fn truncated_body(status: u16) -> Self {
        Self::Raw(format!("HTTP/1.1 {status} Cut\r\ncontent-length: 1000\r\n\r\nonly this").into_bytes())
    }

    /// A complete head, a byte at a time.
    pub fn slow_head(status: u16, pause: Duration) -> Self {
        Self::Slowly { bytes: format!("HTTP/1.1 {status} Slow\r\ncontent-length: 0\r\n\r\n").into_bytes(), pause }
    }

    /// A head at once, then the body a byte at a time.
    pub fn bad_gzip(status: u16) -> Self {
        Self::Respond(Response::new(status).header("content-encoding", "gzip").body(*b"this is not gzip"))
    }
}

/// What happens to a connection before anything is read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// TLS if the server has it, then requests.
    Serve,
    /// Nothing: a client that waits for TLS gets none.
    Hang,
    /// A plain HTTP answer, also where TLS was expected; then the end.
    PlainText,
    /// The end.
    Close,
    /// A reset.
    Reset,
}

/// What happens once the head of a request is read.
#[derive(Debug, Clone)]
pub enum Head {
    /// The body is read, then `on_request` decides.
    ReadBody,
    /// The body is read this slowly, then `on_request` decides.
    ReadSlowly { bytes: usize, pause: Duration },
    /// Never reads any more and says nothing.
    NeverRead,
    /// Answers at once; the body is not read. The request counts as seen, without its body.
    Answer(Reply),
    /// Answers at once, and then reads the body this slowly. The request counts as seen once its body is read.
    AnswerThenReadSlowly { response: Response, bytes: usize, pause: Duration },
}

type OnConnect = Box<dyn Fn(usize) -> Greeting + Send + Sync>;
type OnHead = Box<dyn Fn(&SeenRequest) -> Head + Send + Sync>;
type OnRequest = Box<dyn Fn(&SeenRequest) -> Reply + Send + Sync>;

/// A running server. It ends when dropped.
pub struct TestServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
}

/// Sets up a [`TestServer`].
pub struct TestServerBuilder {
    identity: Option<Identity>,
    small_window: bool,
    address: Option<SocketAddr>,
    on_connect: OnConnect,
    on_head: OnHead,
    on_request: OnRequest,
}

struct Shared {
    tls: Option<Arc<ServerConfig>>,
    on_connect: OnConnect,
    on_head: OnHead,
    on_request: Mutex<Arc<OnRequest>>,
    record: Mutex<Record>,
    changed: Condvar,
    over: AtomicBool,
}

#[derive(Default)]
struct Record {
    connections: usize,
    heads: usize,
    goodbyes: usize,
    requests: Vec<SeenRequest>,
    /// By connection, while it lasts.
    sockets: HashMap<usize, TcpStream>,
}

impl TestServer {
    /// Neither TLS nor script yet: answers 200.
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder {
            identity: None,
            small_window: false,
            address: None,
            on_connect: Box::new(|_| Greeting::Serve),
            on_head: Box::new(|_| Head::ReadBody),
            on_request: Box::new(|_| Reply::status(200)),
        }
    }

    /// TLS with a good certificate of this authority.
    pub fn https(ca: &TestCa, reply: impl Fn(&SeenRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::builder().tls(&ca.leaf()).on_request(reply).start()
    }

    /// Plain TCP.
    pub fn http(reply: impl Fn(&SeenRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::builder().on_request(reply).start()
    }

    /// TLS; each request gets the next reply, and the last one is repeated.
    pub fn https_script(ca: &TestCa, replies: Vec<Reply>) -> Self {
        assert!(!replies.is_empty(), "a script has at least one reply");
        Self::https(ca, move |request| replies[request.number.min(replies.len() - 1)].clone())
    }

    /// From the next request on.
    pub fn reply_with(&self, reply: impl Fn(&SeenRequest) -> Reply + Send + Sync + 'static) {
        *self.shared.on_request.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Box::new(reply));
    }

    /// By address. `path` starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// By this name for loopback, for instance `localhost`.
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// The requests read so far, in the order in which they were complete.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.lock().requests.clone()
    }

    /// Waits until so many requests are read, and returns them.
    pub fn wait_for_requests(&self, count: usize) -> Vec<SeenRequest> {
        self.wait(|record| record.requests.len() >= count, "requests").requests.clone()
    }

    /// Waits until so many heads of requests are read.
    pub fn wait_for_heads(&self, count: usize) {
        drop(self.wait(|record| record.heads >= count, "heads"));
    }

    /// Waits until so many connections are accepted.
    pub fn wait_for_connections(&self, count: usize) {
        drop(self.wait(|record| record.connections >= count, "connections"));
    }

    /// Waits until so many connections were closed in an orderly way from this side.
    pub fn wait_for_goodbyes(&self, count: usize) {
        drop(self.wait(|record| record.goodbyes >= count, "goodbyes"));
    }

    /// Closes all connections that exist, idle ones too.
    pub fn close_connections(&self) {
        for socket in self.shared.lock().sockets.values() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    fn wait(&self, done: impl Fn(&Record) -> bool, what: &str) -> MutexGuard<'_, Record> {
        let until = Instant::now() + WAIT_LIMIT;
        let mut record = self.shared.lock();
        while !done(&record) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}: {} connections, {} requests", record.connections, record.requests.len());
            record = self.shared.changed.wait_timeout(record, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        record
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.close_connections();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl TestServerBuilder {
    pub fn tls(mut self, identity: &Identity) -> Self {
        self.identity = Some(identity.clone());
        self
    }

    /// The server's socket takes in little, so that a client that sends much has to wait for it to be read.
    pub fn small_window(mut self) -> Self {
        self.small_window = true;
        self
    }

    /// At this address, and not at any free port of 127.0.0.1.
    pub fn at(mut self, address: impl Into<SocketAddr>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Given the number of the connection, from 0.
    pub fn on_connect(mut self, greet: impl Fn(usize) -> Greeting + Send + Sync + 'static) -> Self {
        self.on_connect = Box::new(greet);
        self
    }

    pub fn on_head(mut self, head: impl Fn(&SeenRequest) -> Head + Send + Sync + 'static) -> Self {
        self.on_head = Box::new(head);
        self
    }

    pub fn on_request(mut self, reply: impl Fn(&SeenRequest) -> Reply + Send + Sync + 'static) -> Self {
        self.on_request = Box::new(reply);
        self
    }

    pub fn start(self) -> TestServer {
        let socket = self.address.map_or_else(loopback_socket, |address| {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
            socket.bind(&address.into()).expect("the port is free");
            socket
        });
        if self.small_window {
            // Connections inherit it.
            socket.set_recv_buffer_size(4096).expect("a receive buffer of 4 KiB");
        }
        socket.listen(128).expect("listen on loopback");
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().expect("the address of a bound socket");
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            tls: self.identity.map(|identity| identity.server_config()),
            on_connect: self.on_connect,
            on_head: self.on_head,
            on_request: Mutex::new(Arc::new(self.on_request)),
            record: Mutex::default(),
            changed: Condvar::new(),
            over: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        spawn(move || accepting.accept(&listener));
        TestServer { shared, address, scheme }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for socket in listener.incoming() {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let Ok(socket) = socket else { continue };
            let mut number = 0;
            self.note(|record| {
                number = record.connections;
                record.connections += 1;
                record.sockets.extend(socket.try_clone().map(|socket| (number, socket)));
            });
            let shared = self.clone();
            spawn(move || {
                // An error is a client that left; what was seen of it is on record.
                let _ = shared.serve(socket, number);
                // The last handle: only now is the connection closed, or reset.
                shared.note(|record| drop(record.sockets.remove(&number)));
            });
        }
    }

    fn serve(&self, mut socket: TcpStream, connection: usize) -> io::Result<()> {
        socket.set_nodelay(true)?;
        match (self.on_connect)(connection) {
            Greeting::Serve => {}
            Greeting::Hang => return hold(&mut socket),
            Greeting::PlainText => {
                socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 5\r\n\r\nplain")?;
                return self.finish(&mut Stream::Plain(socket));
            }
            Greeting::Close => return Ok(()),
            Greeting::Reset => return reset(&socket),
        }
        let mut stream = match &self.tls {
            Some(config) => {
                Stream::Tls(Box::new(StreamOwned::new(ServerConnection::new(config.clone()).map_err(io::Error::other)?, socket)))
            }
            None => Stream::Plain(socket),
        };
        let mut input = Vec::new();
        while let Some(mut request) = read_head(&mut stream, &mut input, connection)? {
            self.note(|record| {
                request.number = record.heads;
                record.heads += 1;
            });
            let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let reply = match (self.on_head)(&request) {
                Head::ReadBody => self.read_body(&mut stream, &mut input, &mut request, length, None)?,
                Head::ReadSlowly { bytes, pause } => self.read_body(&mut stream, &mut input, &mut request, length, Some((bytes, pause)))?,
                Head::NeverRead => return self.hold_unread(),
                Head::AnswerThenReadSlowly { response, bytes, pause } => {
                    stream.write_all(&response.bytes())?;
                    stream.flush()?;
                    self.read_body(&mut stream, &mut input, &mut request, length, Some((bytes, pause)))?;
                    continue;
                }
                Head::Answer(reply) => {
                    self.note(|record| record.requests.push(request));
                    reply
                }
            };
            if !self.answer(&mut stream, reply)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn read_body(
        &self,
        stream: &mut Stream,
        input: &mut Vec<u8>,
        request: &mut SeenRequest,
        length: usize,
        slow: Option<(usize, Duration)>,
    ) -> io::Result<Reply> {
        while input.len() < length {
            let mut some = vec![0; slow.map_or(64 * 1024, |(bytes, _)| bytes)];
            let read = stream.read(&mut some)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            input.extend_from_slice(&some[..read]);
            if let Some((_, pause)) = slow {
                thread::sleep(pause);
            }
        }
        request.body = input.drain(..length).collect();
        self.note(|record| record.requests.push(request.clone()));
        let on_request = self.on_request.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(on_request(request))
    }

    /// Answers; false when the connection is over.
    fn answer(&self, stream: &mut Stream, reply: Reply) -> io::Result<bool> {
        match reply {
            Reply::Respond(response) => {
                stream.write_all(&response.bytes())?;
                stream.flush()?;
                return Ok(true);
            }
            Reply::RespondThenClose(response) => {
                stream.write_all(&response.bytes())?;
                self.finish(stream)?;
            }
            Reply::RespondThenReset(response) => {
                stream.write_all(&response.bytes())?;
                stream.flush()?;
                // Closing with bytes unread resets, after what was written has been sent.
                unread(stream.socket())?;
            }
            Reply::RespondThenHold(response) => {
                stream.write_all(&response.bytes())?;
                stream.flush()?;
                self.hold_unread()?;
            }
            Reply::Silence => hold(stream)?,
            Reply::Close => self.finish(stream)?,
            Reply::Reset => reset(stream.socket())?,
            Reply::Raw(bytes) => {
                stream.write_all(&bytes)?;
                self.finish(stream)?;
            }
            Reply::RawThenHold(bytes) => {
                stream.write_all(&bytes)?;
                stream.flush()?;
                hold(stream)?;
            }
            Reply::Slowly { bytes, pause } => {
                for byte in bytes {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    thread::sleep(pause);
                }
                hold(stream)?;
            }
            Reply::Endless { status } => {
                write!(stream, "HTTP/1.1 {status} Endless\r\ntransfer-encoding: chunked\r\n\r\n")?;
                let chunk = [b"1000\r\n".as_slice(), &[b'x'; 4096], b"\r\n"].concat();
                while !self.over.load(Ordering::SeqCst) {
                    stream.write_all(&chunk)?;
                }
            }
        }
        Ok(false)
    }

    /// Says goodbye and reads on until the client does.
    fn finish(&self, stream: &mut Stream) -> io::Result<()> {
        if let Stream::Tls(stream) = stream {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        stream.socket().shutdown(Shutdown::Write)?;
        self.note(|record| record.goodbyes += 1);
        hold(&mut stream.socket())
    }

    /// Neither reads nor writes until the server ends.
    fn hold_unread(&self) -> io::Result<()> {
        let mut record = self.lock();
        while !self.over.load(Ordering::SeqCst) {
            record = self.changed.wait_timeout(record, Duration::from_millis(50)).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(work).expect("a thread for the server");
}
