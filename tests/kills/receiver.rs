//! The receiver: TLS, one port for each process. It verifies each request with the official library, notes each copy, and fails at will.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use super::rng::Rng;
use super::signals::{self, Signal};
use super::support::field::SECRET;
use super::support::{Greeting, Head, Reply, Response, SeenRequest, TestCa, TestServer};

/// The moments of a request at which its sender is killed from here.
pub const MOMENTS: [&str; 4] = [
    "send: connected, no TLS yet",
    "send: in the middle of the request",
    "send: request read, not answered",
    "send: 2xx written, not read",
];

/// A message as it came.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    /// The bytes of each.
    pub bodies: Vec<Vec<u8>>,
    /// How many were answered with 2xx.
    pub accepted: usize,
}

/// What came.
#[derive(Default)]
pub struct Log {
    pub copies: BTreeMap<String, Copies>,
    pub wrong: Vec<String>,
}

/// Kills the sender of a request.
pub struct Trap {
    pub moment: &'static str,
    pub process: u32,
    /// After so many more requests.
    pub after: u64,
    /// Told when it stands still to be killed.
    pub stopped: Sender<()>,
}

type Shared<T> = Arc<Mutex<T>>;

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Receiver {
    pub ports: Vec<Port>,
    pub log: Shared<Log>,
    is_well: Arc<AtomicBool>,
    pub ca: TestCa,
}

pub struct Port {
    pub server: TestServer,
    pub trap: Shared<Option<Trap>>,
    /// How many of its answers were the last ones of their connections.
    pub last_answers: Shared<usize>,
}

impl Receiver {
    pub fn new(ports: usize, seed: u64) -> Self {
        let (ca, log, is_well) = (TestCa::new(), Shared::<Log>::default(), Arc::new(AtomicBool::new(false)));
        let ports = (0..ports).map(|port| Port::open(&ca, &log, &is_well, seed.wrapping_add(port as u64))).collect();
        Self { ports, log, is_well, ca }
    }

    /// From now on it answers 202.
    pub fn is_well(&self) {
        self.is_well.store(true, Ordering::SeqCst);
    }
}

impl Port {
    fn open(ca: &TestCa, log: &Shared<Log>, is_well: &Arc<AtomicBool>, seed: u64) -> Self {
        let (trap, last_answers) = (Shared::<Option<Trap>>::default(), Shared::<usize>::default());
        let rng = Mutex::new(Rng::new(seed));
        let [at_connect, at_head, at_request] = [trap.clone(), trap.clone(), trap.clone()];
        let (log, is_well, answers) = (log.clone(), is_well.clone(), last_answers.clone());
        let server = TestServer::builder()
            .tls(&ca.leaf())
            .small_window()
            .on_connect(move |_| if springs(&at_connect, MOMENTS[0], None).is_some() { Greeting::Close } else { Greeting::Serve })
            .on_head(
                move |head| if springs(&at_head, MOMENTS[1], sender(head)).is_some() { Head::Answer(Reply::Reset) } else { Head::ReadBody },
            )
            .on_request(move |request| {
                let reply = if is_well.load(Ordering::SeqCst) { Reply::status(202) } else { at_will(&mut lock(&rng)) };
                if springs(&at_request, MOMENTS[2], sender(request)).is_some() {
                    note(&log, request, false);
                    return Reply::Reset;
                }
                if let Some(Trap { process, stopped, .. }) = springs(&at_request, MOMENTS[3], sender(request)) {
                    // It reads no answer while it stands still; it is killed once that is written.
                    signals::send(process, Signal::Stop);
                    signals::wait_until_stopped(process);
                    note(&log, request, true);
                    *lock(&answers) += 1;
                    let _ = stopped.send(());
                    return Reply::RespondThenClose(Response::new(202));
                }
                note(&log, request, is_2xx(&reply));
                reply
            })
            .start();
        Self { server, trap, last_answers }
    }
}

/// The header in which a process names itself.
pub const SENDER: &str = "test-process";

fn sender(request: &SeenRequest) -> Option<u32> {
    request.header(SENDER)?.parse().ok()
}

/// Whether it is this moment of the request at which its sender is killed; not of one that another process has left. At the last moment the
/// sender still lives.
fn springs(trap: &Mutex<Option<Trap>>, moment: &str, sender: Option<u32>) -> Option<Trap> {
    let mut trap = lock(trap);
    let is_of = |trap: &&mut Trap| trap.moment == moment && sender.is_none_or(|sender| sender == trap.process);
    let set = trap.as_mut().filter(is_of)?;
    if set.after > 0 {
        set.after -= 1;
        return None;
    }
    let sprung = trap.take()?;
    if moment != MOMENTS[3] {
        signals::send(sprung.process, Signal::Kill);
    }
    Some(sprung)
}

fn is_2xx(reply: &Reply) -> bool {
    matches!(reply, Reply::Respond(response) | Reply::RespondThenReset(response) if response.status / 100 == 2)
}

/// Nine of ten requests are taken.
fn at_will(rng: &mut Rng) -> Reply {
    match rng.below(60) {
        0 => Reply::status(500),
        1 => Reply::Respond(Response::new(503).header("retry-after", "5")),
        2 => Reply::Respond(Response::new(429).header("retry-after", "10")),
        3 => Reply::Reset,
        4 => Reply::truncated_head(),
        5 => Reply::redirect(302, "https://localhost:1/elsewhere"),
        _ => Reply::status(202),
    }
}

fn note(log: &Mutex<Log>, request: &SeenRequest, accepted: bool) {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let (id, time) = (header("webhook-id"), header("webhook-timestamp"));
    let webhook = standardwebhooks::Webhook::new(SECRET).expect("a secret");
    // The phones' clock runs too fast for the library's own look at the time.
    let expected = time.parse().ok().and_then(|time| webhook.sign(id, time, &request.body).ok());
    let mut log = lock(log);
    if expected.as_deref() != Some(header("webhook-signature")) {
        log.wrong.push(format!("the signature of {id} does not verify"));
    }
    let copies = log.copies.entry(id.to_owned()).or_default();
    copies.bodies.push(request.body.clone());
    copies.accepted += usize::from(accepted);
}
