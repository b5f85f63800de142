//! The core's log, for the app.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use compass_core::Error;
use compass_core::model::CoreError;

use crate::PortError;
use crate::guard::guard;

/// How important a record of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something happened that should not happen.
    Error,
    /// Something is wrong, and the core goes on.
    Warn,
    /// Worth knowing.
    Info,
    /// Useful to find an error. Left out of release builds.
    Debug,
    /// Everything. Left out of release builds.
    Trace,
}

/// A line of the log.
#[derive(Debug, Clone, uniffi::Record)]
pub struct LogRecord {
    /// How important it is.
    pub level: LogLevel,
    /// The part of the core that logs it.
    pub target: String,
    /// The text, in English. Never a secret, or a text that a technician typed.
    pub text: String,
}

/// Takes the core's log.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// Takes one record. Called on a thread of its own, one record after the other, so that nothing of the core waits for it; it may call
    /// the core. If it throws, that is ignored.
    fn log(&self, record: LogRecord) -> Result<(), PortError>;
}

/// Sends the core's log to `sink`, from `level` up; nowhere without a sink. For the whole process: all handles share it.
///
/// Records that a slow sink cannot take in time are left out, and their number is logged.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>, level: LogLevel) -> Result<(), CoreError> {
    guard(|| LOG.set(sink, level))
}

/// The number of records that may wait for a slow sink.
const WAITING: usize = 1024;

static LOG: Log = Log { queue: Mutex::new(None), left_out: AtomicU64::new(0) };

struct Log {
    queue: Mutex<Option<SyncSender<LogRecord>>>,
    left_out: AtomicU64,
}

thread_local! {
    /// True on the thread that feeds a sink: records that the sink causes would feed it for ever.
    static FEEDS: Cell<bool> = const { Cell::new(false) };
}

impl Log {
    fn set(&'static self, sink: Option<Arc<dyn LogSink>>, level: LogLevel) -> Result<(), Error> {
        let filter = if sink.is_some() { level.filter() } else { log::LevelFilter::Off };
        let queue = match sink {
            None => None,
            Some(sink) => {
                let (sender, records) = sync_channel(WAITING);
                std::thread::Builder::new()
                    .name("compass-log".to_owned())
                    .spawn(move || self.feed(sink.as_ref(), &records))
                    .map_err(|error| Error::Internal { detail: format!("no thread for the log: {error}") })?;
                Some(sender)
            }
        };
        // If the process has already set another logger, which is possible only once, that one gets the log.
        let _ = log::set_logger(self);
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = queue;
        log::set_max_level(filter);
        Ok(())
    }

    /// Runs until another sink is set.
    fn feed(&self, sink: &dyn LogSink, records: &Receiver<LogRecord>) {
        FEEDS.set(true);
        for record in records {
            let _ = sink.log(record);
            let left_out = self.left_out.swap(0, Ordering::Relaxed);
            if left_out > 0 {
                let text = format!("{left_out} records were left out: the log is slower than what is logged");
                let _ = sink.log(LogRecord { level: LogLevel::Warn, target: "compass_ffi".to_owned(), text });
            }
        }
    }
}

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        // Other libraries log addresses and headers.
        let target = metadata.target();
        (target.starts_with("compass_core") || target.starts_with("compass_ffi")) && !FEEDS.get()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = LogRecord { level: record.level().into(), target: record.target().to_owned(), text: record.args().to_string() };
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_some_and(|queue| queue.try_send(line).is_err()) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

impl LogLevel {
    fn filter(self) -> log::LevelFilter {
        match self {
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        }
    }
}

impl From<log::Level> for LogLevel {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Error => LogLevel::Error,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Info => LogLevel::Info,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Trace => LogLevel::Trace,
        }
    }
}
