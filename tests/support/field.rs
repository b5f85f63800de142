//! A phone in the field: a database of its own, a clock that is set by hand, a transport that follows a script, and sessions that end in
//! messages. And what a suite needs to look at such a phone from another process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use compass_core::model::*;
use compass_core::port::{StaticSecrets, SystemClock, Transport};
use compass_core::testing::{ManualClock, ScriptedTransport, SequentialRandom};
use compass_core::{CancelToken, Compass, Options};
use serde_json::json;
use tempfile::TempDir;

/// Long, because it only ends a test that fails.
pub const WAIT_LIMIT: Duration = Duration::from_secs(30);
/// The endpoint that [`Field`] registers.
pub const OFFICE: &str = "office";
pub const OFFICE_URL: &str = "https://office.example/hook";
pub const SECRET: &str = "whsec_dGhlIGZpZWxkIGlzIHdpZGUgYW5kIGhhcyBubyBzaWduYWw=";
pub const SECRET_NAME: &str = "office-secret";

/// A phone.
pub struct Field {
    // Dropped before the folder that it is in.
    pub compass: Compass,
    pub clock: Arc<ManualClock>,
    pub transport: Arc<ScriptedTransport>,
    pub secrets: Arc<StaticSecrets>,
    pub options: Options,
    pub folder: TempDir,
}

impl Field {
    /// With a clock that stands still, no jitter, and the office registered.
    pub fn new(transport: Arc<ScriptedTransport>) -> Self {
        Self::with(transport, |_| {})
    }

    /// With time as it passes, and no waiting when the network returns.
    pub fn in_real_time(transport: Arc<ScriptedTransport>) -> Self {
        Self::with(transport, |options| {
            options.clock = Arc::new(SystemClock::default());
            options.retry.online_spread = Duration::ZERO;
        })
    }

    /// With options of its own.
    pub fn with(transport: Arc<ScriptedTransport>, change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let secrets = Arc::new(StaticSecrets::new());
        let mut options = Options::new(folder.path().join("compass.db"));
        options.clock = clock.clone();
        options.random = Arc::new(SequentialRandom::default());
        options.secrets = secrets.clone();
        options.transport = Some(transport.clone() as Arc<dyn Transport>);
        change(&mut options);
        let compass = Compass::open(options.clone()).unwrap();
        compass.set_integration_enabled(true).unwrap();
        compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
        compass.import_workflow(&workflow("visit", &[OFFICE])).unwrap();
        Self { compass, clock, transport, secrets, options, folder }
    }

    /// Closes the database and opens it again, as a process that starts again.
    pub fn reopen(&mut self) {
        self.compass.close().unwrap();
        self.open_again();
    }

    /// Opens the database in the process that comes after one that has ended.
    pub fn open_again(&mut self) {
        self.compass = Compass::open(self.options.clone()).unwrap();
    }

    /// Another process on the same file.
    pub fn other_process(&self) -> Compass {
        Compass::open(self.options.clone().as_other_process()).unwrap()
    }

    /// Flushes while requests to URLs that begin like this are held, and returns once so many requests have come.
    pub fn flush_held(&self, compass: &Compass, url: &str, requests: usize) -> JoinHandle<FlushReport> {
        self.transport.hold(url);
        let running = flushing(compass);
        self.transport.wait_for_requests(requests);
        running
    }

    pub fn path(&self) -> &Path {
        &self.options.path
    }

    /// Completes a session that sends one message to the office.
    pub fn complete(&self) -> SessionKey {
        complete(&self.compass, "visit")
    }

    /// Leaves so many messages in the outbox, all for this endpoint.
    pub fn backlog(&self, count: usize, endpoint: &str) {
        backlog(&self.compass, count, endpoint);
    }

    pub fn flush(&self) -> FlushReport {
        flush(&self.compass)
    }

    /// The first message of a session.
    pub fn delivery(&self, session: SessionKey) -> Delivery {
        self.action(session).deliveries[0].clone()
    }

    pub fn action(&self, session: SessionKey) -> Action {
        self.compass.record(session).unwrap().actions[0].clone()
    }

    pub fn next_due(&self) -> NextDue {
        self.compass.next_due().unwrap()
    }

    /// All messages in these states.
    pub fn messages(&self, states: &[DeliveryState]) -> Vec<OutboxItem> {
        messages(&self.compass, states)
    }

    /// The time on the phone.
    pub fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Sets both clocks on to this moment, if it lies ahead.
    pub fn advance_to(&self, moment: Timestamp) {
        self.clock.advance((moment - self.now()).to_std().unwrap_or_default());
    }
}

/// A flush on a thread of its own, with time for whole attempts.
pub fn flushing(compass: &Compass) -> JoinHandle<FlushReport> {
    let compass = compass.clone();
    std::thread::spawn(move || compass.flush(Duration::from_secs(120), &CancelToken::new()).unwrap())
}

/// A command id that no other call uses.
pub fn id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("command-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn endpoint(key: &str, url: &str) -> Endpoint {
    Endpoint { key: key.into(), url: url.into(), signing: Signing::None, headers: Vec::new(), network: NetworkPolicy::Any }
}

pub fn signed(key: &str, url: &str) -> Endpoint {
    Endpoint { signing: Signing::StandardWebhooks { secret: SECRET_NAME.into() }, ..endpoint(key, url) }
}

pub fn unmetered(key: &str, url: &str) -> Endpoint {
    Endpoint { network: NetworkPolicy::Unmetered, ..endpoint(key, url) }
}

/// One section with a reading, and an action for each of these endpoints.
pub fn workflow(key: &str, endpoints: &[&str]) -> Vec<u8> {
    let action = |(number, endpoint): (usize, &&str)| json!({ "key": format!("tell-{number}"), "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": endpoint });
    let actions: Vec<_> = endpoints.iter().enumerate().map(action).collect();
    let document = json!({
        "format": 1, "key": key, "version": 1, "name": "A visit", "start": "done",
        "fields": [{ "key": "reading", "name": "Reading", "type": "text" }],
        "sections": [{ "key": "done", "name": "Done", "fields": ["reading"], "answers": [], "actions": actions, "win": true }],
    });
    serde_json::to_vec(&document).unwrap()
}

pub fn complete(compass: &Compass, workflow: &str) -> SessionKey {
    let view = compass.start(&Start::new(workflow, id())).unwrap().view;
    compass.set_field(view.key, "reading", FieldValue::Text("17.5".into())).unwrap();
    compass.complete(view.key, view.visit).unwrap();
    view.key
}

/// Leaves so many messages in the outbox of this handle, at the cost of few sessions.
pub fn backlog(compass: &Compass, count: usize, endpoint: &str) {
    const PER_SESSION: usize = 20;
    for size in std::iter::repeat_n(PER_SESSION, count / PER_SESSION).chain([count % PER_SESSION]).filter(|size| *size > 0) {
        let key = format!("round-{endpoint}-{size}");
        compass.import_workflow(&workflow(&key, &vec![endpoint; size])).unwrap();
        complete(compass, &key);
    }
}

pub fn flush(compass: &Compass) -> FlushReport {
    compass.flush(WAIT_LIMIT, &CancelToken::new()).unwrap()
}

pub fn messages(compass: &Compass, states: &[DeliveryState]) -> Vec<OutboxItem> {
    let filter = OutboxFilter { states: states.to_vec(), endpoint: None };
    let (mut found, mut page) = (Vec::new(), None);
    loop {
        let next = compass.outbox(&filter, page.as_deref(), 500).unwrap();
        found.extend(next.items);
        page = next.next;
        if page.is_none() {
            return found;
        }
    }
}

pub const ALL_STATES: [DeliveryState; 4] = [DeliveryState::Pending, DeliveryState::Sent, DeliveryState::Failed, DeliveryState::Superseded];

/// Waits for what observers tell of a handle.
pub struct Watch {
    compass: Compass,
    changes: Arc<(Mutex<u64>, Condvar)>,
    _subscription: compass_core::Subscription,
}

impl Watch {
    pub fn on(compass: &Compass) -> Self {
        let changes: Arc<(Mutex<u64>, Condvar)> = Arc::default();
        let told = changes.clone();
        let subscription = compass.observe(Arc::new(move |_| {
            *told.0.lock().unwrap() += 1;
            told.1.notify_all();
        }));
        Self { compass: compass.clone(), changes, _subscription: subscription }
    }

    /// Waits until this holds; looked at after every change.
    pub fn until(&self, what: &str, holds: impl Fn(&Compass) -> bool) {
        let began = Instant::now();
        loop {
            let seen = *self.changes.0.lock().unwrap_or_else(PoisonError::into_inner);
            if holds(&self.compass) {
                return;
            }
            let left = WAIT_LIMIT.saturating_sub(began.elapsed());
            assert!(!left.is_zero(), "waited too long until {what}");
            let count = self.changes.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.changes.1.wait_timeout_while(count, left, |count| *count == seen).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Looks again and again, for what nobody tells of.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < WAIT_LIMIT, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Does something on a thread of its own and fails, instead of hanging, when that does not end.
pub fn in_time<T: Send + 'static>(what: &str, limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = work();
        let _ = done.send(());
        result
    });
    match ended.recv_timeout(limit) {
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        },
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what} did not end within {limit:?}"),
    }
}

// Other processes ---------------------------------------------------------------------------------------------------------------------

/// A process that runs one ignored test of this same suite. It talks in lines that begin with `@`.
pub struct Process {
    pub child: Child,
    lines: BufReader<ChildStdout>,
}

impl Process {
    pub fn run(test: &str, settings: &[(&str, &str)]) -> Self {
        Self::run_by(Command::new(std::env::current_exe().unwrap()), test, settings)
    }

    /// The same, by a command that ends in the name of this program.
    pub fn run_by(mut command: Command, test: &str, settings: &[(&str, &str)]) -> Self {
        command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
        command.envs(settings.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line it says; none when it has ended.
    pub fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            if let Some(said) = line.strip_prefix('@') {
                return Some(said.trim_end().to_owned());
            }
        }
    }

    /// Everything it says until it ends, which must be well.
    pub fn finish(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        let said: Vec<String> = std::iter::from_fn(|| self.line()).collect();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the other process failed: {status}; it said {said:?}");
        said
    }

    /// SIGKILL: nothing is closed and nothing is written any more.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says a line to the process that started this one.
pub fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    // The harness may have begun a line of its own.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n@{line}");
    let _ = out.flush();
}

/// What the process that started this one has set.
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by the process that starts this one"))
}

/// The database file and what SQLite puts beside it.
pub fn files(path: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm", "-journal"].map(|suffix| PathBuf::from(format!("{}{suffix}", path.display()))).to_vec()
}

/// Descriptors of this process for the files of this database.
#[cfg(target_os = "linux")]
pub fn descriptors(path: &Path) -> Vec<PathBuf> {
    let files = files(&path.canonicalize().unwrap());
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).filter(|target| files.contains(target)).collect()
}

/// Locks of that process on the files of this database, as the kernel lists them, without their numbers.
#[cfg(target_os = "linux")]
pub fn locks(process: u32, path: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let inodes: Vec<String> = files(path).iter().filter_map(|file| Some(std::fs::metadata(file).ok()?.ino().to_string())).collect();
    let is_ours = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // `1: POSIX  ADVISORY  READ 12590 fe:00:10362887 128 128`; waiting ones have an arrow first and hold nothing.
        let [_, _, _, _, holder, file, ..] = words[..] else { return false };
        holder == process.to_string() && file.rsplit(':').next().is_some_and(|inode| inodes.iter().any(|known| known == inode))
    };
    let without_its_number = |line: &str| line.split_once(": ").map_or("", |(_, lock)| lock).to_owned();
    let listed = || -> Vec<String> {
        let mut lines: Vec<_> = std::fs::read_to_string("/proc/locks").unwrap().lines().filter(is_ours).map(without_its_number).collect();
        lines.sort();
        lines
    };
    // The kernel gives the list in pieces: where another process takes or releases a lock meanwhile, a line may be missing, or stand twice.
    let mut before = listed();
    loop {
        let now = listed();
        if now == before {
            return now;
        }
        before = now;
    }
}

/// A header of a request; empty when it has none of this name.
pub fn header(request: &compass_core::port::TransportRequest, name: &str) -> String {
    request.headers.iter().find(|header| header.name == name).map(|header| header.value.clone()).unwrap_or_default()
}
