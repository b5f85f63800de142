//! What the table promises for a row, and running many rows at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use compass_core::model::{ActionStatus, FlushReport, SessionKey};

use crate::phone::Phone;

/// What the record shows after the only attempt of a message.
#[derive(Debug, Clone)]
pub struct Expect {
    status: ActionStatus,
    reason: Option<&'static str>,
    /// Attempts on record: one, or none when nothing was begun.
    attempts: u32,
    counted: bool,
    unknown: bool,
    /// The shortest and the longest delay until the next attempt.
    delay: Option<(Duration, Duration)>,
    /// How long the endpoint is left in peace, at least and at most.
    pause: Option<(Duration, Duration)>,
    disabled: bool,
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// With jitter of a fifth either way.
fn about(delay: Duration) -> Option<(Duration, Duration)> {
    Some((delay * 4 / 5, delay * 6 / 5))
}

fn row(status: ActionStatus, reason: Option<&'static str>) -> Expect {
    Expect { status, reason, attempts: 1, counted: false, unknown: false, delay: None, pause: None, disabled: false }
}

pub fn sent() -> Expect {
    row(ActionStatus::Sent, None)
}

/// Final, without having used up any budget.
pub fn permanent(reason: &'static str) -> Expect {
    row(ActionStatus::Failed, Some(reason))
}

/// Waits for its turn on the schedule: 5 s after the first failure.
pub fn retry(reason: &'static str) -> Expect {
    Expect { counted: true, delay: about(seconds(5)), ..row(ActionStatus::Pending, Some(reason)) }
}

/// Waits for its turn on the slow schedule: 5 min after the first failure.
pub fn slow(reason: &'static str) -> Expect {
    Expect { counted: true, delay: about(seconds(300)), ..row(ActionStatus::Pending, Some(reason)) }
}

/// Waits for a network: 15 s after the first failure; uses up nothing.
pub fn offline(reason: &'static str) -> Expect {
    Expect { delay: about(seconds(15)), ..row(ActionStatus::Pending, Some(reason)) }
}

/// Not begun: waits for somebody, and is looked at every 15 min.
pub fn blocked(reason: &'static str) -> Expect {
    let quarter = seconds(15 * 60);
    Expect { attempts: 0, delay: Some((quarter, quarter)), pause: Some((quarter, quarter)), ..row(ActionStatus::Pending, Some(reason)) }
}

impl Expect {
    /// The receiver has too much to do: not before 60 s, with jitter above that.
    pub fn overloaded(self) -> Self {
        Self { delay: Some((seconds(60), seconds(72))), ..self }
    }

    /// The receiver asked for this: within a second after that, and nothing to the endpoint before. No pause is longer than a day.
    pub fn asked_for(self, pause: u64) -> Self {
        let pause = Some((seconds(pause), seconds((pause + 1).min(24 * 3600))));
        Self { delay: pause, pause, ..self }
    }

    /// The receiver may have the message.
    pub fn unknown(self) -> Self {
        Self { unknown: true, ..self }
    }

    /// Nothing was begun.
    pub fn not_begun(self) -> Self {
        Self { attempts: 0, ..self }
    }

    /// It waits for a network and uses up nothing, no matter what it is called.
    pub fn is_offline(&self) -> bool {
        self.status == ActionStatus::Pending && !self.counted && self.attempts > 0
    }

    pub fn disabled(self) -> Self {
        Self { disabled: true, ..self }
    }

    /// Compares all of it with what the phone shows about the endpoint `office`.
    pub fn check(&self, what: &str, phone: &Phone, session: SessionKey, report: &FlushReport, http: Option<u16>) {
        let action = phone.action(session);
        assert_eq!((action.status, action.reason.as_deref()), (self.status, self.reason), "{what}: {action:#?}");
        let delivery = phone.delivery(session);
        assert_eq!(delivery.reason, action.reason, "{what}: the action says what its message says");
        assert_eq!(delivery.attempts, self.attempts, "{what}: attempts");
        assert_eq!(delivery.may_have_been_delivered, self.unknown, "{what}: may have been delivered");
        assert_eq!(delivery.sent_at.is_some(), self.status == ActionStatus::Sent, "{what}: sent is proof");
        assert_eq!(delivery.last_attempts.len(), self.attempts as usize, "{what}: the history");
        if let Some(attempt) = delivery.last_attempts.first() {
            let outcome = self.reason.unwrap_or("sent");
            assert_eq!((attempt.number, attempt.outcome.as_str(), attempt.status), (1, outcome, http), "{what}");
            assert_eq!((attempt.counted, attempt.may_have_been_delivered), (self.counted, self.unknown), "{what}: {attempt:?}");
        }
        let delay = delivery.next_attempt_at.map(|at| (at - phone.now()).to_std().expect("a time ahead"));
        match (self.delay, delay) {
            (Some((low, high)), Some(delay)) => {
                assert!((low..=high).contains(&delay), "{what}: next in {delay:?}, not in {low:?} to {high:?}")
            }
            (None, None) => {}
            other => panic!("{what}: next attempt: {other:?}"),
        }
        let failed = u32::from(self.status == ActionStatus::Failed);
        assert_eq!(action.failed_sends, failed, "{what}: failed sends");
        assert!(action.can_abandon != (self.status == ActionStatus::Sent), "{what}: what is undelivered can be abandoned");

        let endpoint = phone.endpoint("office");
        assert_eq!(endpoint.consecutive_failures, u32::from(self.counted), "{what}: failures of the endpoint");
        assert_eq!((endpoint.enabled, endpoint.disabled_reason.is_some()), (!self.disabled, self.disabled), "{what}: {endpoint:?}");
        let pause = endpoint.paused_until.map(|until| (until - phone.now()).to_std().expect("a time ahead"));
        match (self.pause, pause) {
            (Some((low, high)), Some(pause)) => {
                assert!((low..=high).contains(&pause), "{what}: paused for {pause:?}, not {low:?} to {high:?}")
            }
            (expected, pause) => assert_eq!((expected, pause), (None, None), "{what}: the endpoint's pause"),
        }
        assert_eq!(endpoint.pause_reason.as_deref(), self.reason.filter(|_| self.pause.is_some()), "{what}");

        let is = |status| u32::from(self.status == status);
        assert_eq!(report.sent, is(ActionStatus::Sent), "{what}: {report:?}");
        assert_eq!(report.failed, failed, "{what}: {report:?}");
        assert_eq!((report.retrying, report.pending), (is(ActionStatus::Pending), is(ActionStatus::Pending).into()), "{what}: {report:?}");
    }
}

/// Runs rows side by side, each on its own phone, and names all that fail.
pub fn each<T: Sync>(rows: &[T], run: impl Fn(&T) + Sync) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(row))) {
                        let text = panic.downcast_ref::<String>().cloned();
                        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                        failures.lock().expect("no panic within").push(text.unwrap_or_default());
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic within");
    assert!(failures.is_empty(), "{} of {} rows:\n{}", failures.len(), rows.len(), failures.join("\n"));
}
