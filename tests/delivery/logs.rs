//! What delivery writes into the log of the app.

use super::*;

static LINES: Mutex<Vec<(log::Level, String)>> = Mutex::new(Vec::new());

struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push((record.level(), record.args().to_string()));
    }

    fn flush(&self) {}
}

/// Everything that was logged by this process since the first call.
pub(super) fn lines() -> Vec<(log::Level, String)> {
    listen();
    LINES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// From now on the log is kept.
pub(super) fn listen() {
    if log::set_logger(&Keeper).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
}

#[test]
fn a_transports_own_words_are_logged_at_debug_alone() {
    listen();
    let (field, _) = phone(|request| {
        let mut failed = failure(FailureKind::Other, Phase::Send, RequestSent::Maybe);
        failed.detail = format!("while posting to {}: a-word-of-the-transport", request.url);
        Err(failed)
    });
    field.compass.put_endpoint(&endpoint(OFFICE, "https://office.example/hook-that-is-a-secret")).unwrap();
    field.complete();
    field.flush();
    let lines = lines();
    let says: Vec<_> = lines.iter().filter(|(_, line)| line.contains("a-word-of-the-transport")).collect();
    assert!(!says.is_empty() && says.iter().all(|(level, _)| *level >= log::Level::Debug), "{says:?}");
    assert!(!lines.iter().any(|(level, line)| *level < log::Level::Debug && line.contains("hook-that-is-a-secret")));
}
