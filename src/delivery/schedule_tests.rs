//! The schedule as tables: no clock, thread, lock, port or database.

use std::time::Duration;

use super::super::settings::{MOST_HANGING_IN_ALL, Settings};
use super::*;
use crate::crypto::Sha256;
use crate::model::{Connectivity, DeliveryId, Endpoint, NetworkPolicy, SessionKey, SessionState, Signing, Timestamp};
use crate::outbox::{Class, Contact, Outcome, Progress};
use crate::port::{FailureKind, Phase, RequestSent, TransportFailure};
use crate::sorted::SortedSet;
use crate::store::endpoint::{EndpointDelivery, EndpointRow};
use crate::store::outbox::MessageId;
use crate::store::outbox::lease::Lease;

const ONLINE: Connectivity = Connectivity::Online { validated: Some(true), metered: false, network: Some(1) };
const NO_NETWORK: FailureKind = FailureKind::NoNetwork;

/// A schedule with its clock.
struct Table {
    schedule: Schedule,
    settings: Settings,
    now: Moment,
    next_entry: i64,
}

impl Table {
    fn new(endpoints: &[&str]) -> Self {
        let settings = Settings::default();
        let wall = Timestamp::from_timestamp(1_800_000_000, 0).expect("a time");
        let mut table =
            Self { schedule: Schedule::default(), settings, now: Moment { wall, monotonic: Duration::from_secs(1_000) }, next_entry: 1 };
        for key in endpoints {
            table.schedule.read_endpoint(&row(key), 0, None, &table.settings.policy);
        }
        table
    }

    fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.wall += chrono::TimeDelta::from_std(time).expect("a span that fits");
    }

    /// Claims entries: due since so many seconds, with so many failures.
    fn claim(&mut self, endpoint: &str, entries: &[(u64, u32)]) -> Vec<i64> {
        let mut ids = Vec::new();
        let claimed = entries.iter().map(|(waited, failures)| {
            let id = self.next_entry;
            self.next_entry += 1;
            ids.push(id);
            self.claimed_entry(endpoint, id, *waited, *failures)
        });
        let claimed: Vec<Claimed> = claimed.collect();
        self.schedule.claimed(claimed, &SortedSet::new(), self.schedule.caller_requests.asked(true), self.now);
        ids
    }

    fn claimed_entry(&self, endpoint: &str, id: i64, waited: u64, failures: u32) -> Claimed {
        let delivery_id = DeliveryId(format!("msg_{id:0>26}"));
        let message = MessageId::of(&delivery_id).unwrap();
        Claimed {
            lease: Lease { entry: id, message, epoch: 1, until: self.now.wall + chrono::TimeDelta::seconds(60) },
            delivery_id,
            endpoint: endpoint.to_owned(),
            session: SessionKey(uuid::Uuid::nil()),
            action: "notify".to_owned(),
            revision: 1,
            is_replay: false,
            replaces: Vec::new(),
            sequence: None,
            install: String::new(),
            body: b"{}".to_vec(),
            body_sha256: Sha256::of(b"{}"),
            workflow_version: "1".to_owned(),
            session_state: SessionState::Completed,
            due_at: self.now.wall - chrono::TimeDelta::seconds(waited as i64),
            progress: Progress { attempts: 1, unknown_outcomes: 1, counted: failures, ..Progress::default() },
            configuration: 0,
            urgent: false,
            waited_for_person: false,
        }
    }

    fn next(&mut self) -> Action {
        let conditions = Conditions {
            settings: &self.settings,
            may_begin: true,
            timeout: Duration::from_secs(30),
            serves_urgent: true,
            database: true,
            database_failed: false,
        };
        self.schedule.next(self.now, &conditions)
    }

    /// Begins what may begin, and gives the entries in this order.
    fn begin(&mut self) -> Vec<i64> {
        let mut begun = Vec::new();
        loop {
            match self.next() {
                Action::Start(request) => begun.push(self.schedule.attempt(request).expect("it began").claimed.lease.entry),
                Action::Look(request) => {
                    let now = self.now;
                    self.schedule.attempt_mut(request).expect("it began").leaves(now, Duration::from_secs(30));
                    assert_eq!(self.schedule.may_still_send(request, now.monotonic, true), Some(Duration::from_secs(30)));
                }
                Action::MakeDue => self.schedule.made_due(self.schedule.current_wake()),
                _ => return begun,
            }
        }
    }

    /// The run ends: nothing is waited for any more.
    fn stop(&mut self) {
        self.schedule.stop_all(&Ended { at: self.now, random: 0.5 }, &self.settings.policy);
        self.schedule.detach();
    }

    /// Whether detached calls of this endpoint delay it.
    fn is_delayed(&self, key: &str) -> bool {
        self.schedule.views(self.now, &self.settings.policy)[key].delayed
    }

    /// The first of the running attempts ends like this.
    fn end(&mut self, outcome: Outcome) {
        let request = *self.schedule.in_flight.keys().next().expect("something runs");
        let ended = Ended { at: self.now, random: 0.5 };
        self.schedule.answered(request, outcome, &ended, &self.settings.policy);
    }
}

fn row(key: &str) -> EndpointRow {
    EndpointRow {
        endpoint: Endpoint {
            key: key.to_owned(),
            url: format!("https://{key}.example/"),
            signing: Signing::None,
            headers: Vec::new(),
            network: NetworkPolicy::Any,
        },
        enabled: true,
        disabled_reason: None,
        archived_at: None,
        delivery: EndpointDelivery {
            paused_until: None,
            pause_reason: None,
            asked_until: None,
            consecutive_failures: 0,
            in_flight_limit: 1,
            skew_ms: None,
            failing: None,
            urgent_at: None,
            urgent_pause: None,
        },
    }
}

/// The same, signed with a secret.
fn signed_row(key: &str) -> EndpointRow {
    let mut signed = row(key);
    signed.endpoint.signing = Signing::StandardWebhooks { secret: "signing".to_owned() };
    signed
}

fn status(status: u16) -> Outcome {
    Outcome::Answer(crate::outbox::Answer { status, retry_after: None, date: None })
}

fn failed(kind: FailureKind) -> Outcome {
    Outcome::Failure(TransportFailure { kind, phase: Phase::Connect, request_sent: RequestSent::No, detail: String::new() })
}

#[test]
fn what_has_not_failed_goes_first_and_every_fourth_start_is_for_what_waited_longest() {
    let mut table = Table::new(&["office"]);
    // Twenty that failed and are due for hours, and four new ones.
    let failed: Vec<(u64, u32)> = (0..20).map(|index| (7_200 - index, 1)).collect();
    let poison = table.claim("office", &failed);
    let fresh = table.claim("office", &[(4, 0), (3, 0), (2, 0), (1, 0)]);
    let mut order = Vec::new();
    for _ in 0..6 {
        order.extend(table.begin());
        table.end(status(202));
        table.schedule.take_unsettled();
    }
    assert_eq!(order[..6], [fresh[0], fresh[1], fresh[2], poison[0], fresh[3], poison[1]]);
}

#[test]
fn the_first_start_of_a_flush_is_for_what_waited_more_than_a_day() {
    for (waited, first) in [(25 * 3600, 0), (23 * 3600, 1)] {
        let mut table = Table::new(&["office"]);
        table.schedule.flush_begins();
        let entries = table.claim("office", &[(waited, 3), (10, 0)]);
        assert_eq!(table.begin(), [entries[first]], "due for {waited} s");
    }
}

#[test]
fn endpoints_take_turns_and_a_failing_one_has_half_of_the_places() {
    let mut table = Table::new(&["lab", "office"]);
    let lab = table.claim("lab", &[(9, 0), (8, 0)]);
    let office = table.claim("office", &[(9, 0), (8, 0)]);
    assert_eq!(table.begin(), [lab[0], office[0]]);

    let mut table = Table::new(&[]);
    table.settings.policy.in_flight_max = 8;
    let mut broken = row("office");
    (broken.delivery.in_flight_limit, broken.delivery.consecutive_failures) = (8, 1);
    table.schedule.read_endpoint(&broken, 0, None, &table.settings.policy);
    table.claim("office", &[(1, 0); 8]);
    assert_eq!(table.begin().len(), 4);
}

#[test]
fn without_a_network_an_endpoint_waits_until_there_is_a_reason_to_try() {
    let mut table = Table::new(&["office"]);
    table.schedule.network.set(ONLINE, table.now.monotonic);
    table.claim("office", &[(1, 0)]);
    assert_eq!(table.begin().len(), 1);
    table.end(failed(NO_NETWORK));
    table.schedule.take_unsettled();
    assert!(table.schedule.is_backing_off(table.now));
    table.claim("office", &[(1, 0)]);
    assert_eq!(table.begin().len(), 0, "it waits 15 s");
    assert_eq!(table.schedule.releases.claims.len(), 1, "and others may have what was claimed");

    table.schedule.wake();
    assert!(!table.schedule.is_backing_off(table.now), "a wake-up ends the wait, and nobody can take it away by asking");
    assert!(table.schedule.is_woken());
    table.claim("office", &[(1, 0)]);
    assert_eq!(table.begin().len(), 1);
}

#[test]
fn the_wait_for_a_network_doubles_up_to_a_quarter_of_an_hour() {
    let mut table = Table::new(&["office"]);
    let mut waits = Vec::new();
    for _ in 0..8 {
        table.claim("office", &[(1, 0)]);
        assert_eq!(table.begin().len(), 1);
        table.end(failed(NO_NETWORK));
        table.schedule.take_unsettled();
        let wait = table.schedule.views(table.now, &table.settings.policy)["office"].backoff.expect("it waits");
        waits.push(wait.as_secs());
        table.pass(wait);
    }
    assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900]);
}

#[test]
fn what_an_older_network_explains_delays_nothing() {
    for kind in [NO_NETWORK, FailureKind::Timeout, FailureKind::Certificate { time_invalid: false }, FailureKind::Closed] {
        let mut table = Table::new(&["office"]);
        table.schedule.network.set(ONLINE, table.now.monotonic);
        table.claim("office", &[(1, 0)]);
        assert_eq!(table.begin().len(), 1);
        table.pass(Duration::from_secs(3));
        let another = Connectivity::Online { validated: Some(true), metered: false, network: Some(2) };
        assert!(table.schedule.network.set(another, table.now.monotonic));
        table.end(failed(kind));
        let (results, _) = table.schedule.take_unsettled();
        assert_eq!(results[0].verdict.class, Class::CutShort, "{kind:?}");
        assert!(!table.schedule.is_backing_off(table.now));
    }
}

#[test]
fn results_are_settled_in_groups_after_two_seconds_or_when_nothing_runs() {
    let mut table = Table::new(&["office", "lab"]);
    table.claim("office", &[(1, 0)]);
    table.claim("lab", &[(1, 0)]);
    table.schedule.made_due(table.schedule.current_wake());
    assert_eq!(table.begin().len(), 2);
    table.end(status(202));
    table.schedule.found_nothing(table.schedule.caller_requests.asked(true), table.now);
    assert!(matches!(table.next(), Action::Wait(Some(_))), "more is coming");
    table.pass(SETTLE_AFTER);
    table.schedule.found_nothing(table.schedule.caller_requests.asked(true), table.now);
    assert_eq!(table.next(), Action::Settle);
    table.schedule.take_unsettled();
    table.end(status(202));
    table.schedule.found_nothing(table.schedule.caller_requests.asked(true), table.now);
    assert_eq!(table.next(), Action::Settle, "nothing runs any more");
}

#[test]
fn an_attempt_far_beyond_its_time_is_detached_and_its_result_still_counts() {
    let mut table = Table::new(&["office"]);
    let entry = table.claim("office", &[(1, 0)])[0];
    assert_eq!(table.begin().len(), 1);
    table.pass(Duration::from_secs(35));
    let Action::Abort(request) = table.next() else { panic!("it is overdue") };
    let ended = Ended { at: table.now, random: 0.5 };
    assert!(table.schedule.abort(request, &ended, &table.settings.policy), "its request is cancelled");
    assert!(table.schedule.has_begun(entry), "its outcome is unknown");
    table.schedule.answered(request, status(202), &ended, &table.settings.policy);
    assert_eq!(table.schedule.take_unsettled().0.len(), 1);
    assert!(!table.schedule.has_begun(entry));
}

#[test]
fn a_store_of_secrets_that_hangs_counts_as_one_that_gives_nothing_now() {
    let mut table = Table::new(&[]);
    table.schedule.read_endpoint(&signed_row("office"), 0, None, &table.settings.policy);
    table.claim("office", &[(1, 0)]);
    assert_eq!(table.begin().len(), 1);
    table.pass(Duration::from_secs(30));
    let Action::Abort(request) = table.next() else { panic!("it is overdue") };
    let ended = Ended { at: table.now, random: 0.5 };
    assert!(!table.schedule.abort(request, &ended, &table.settings.policy), "there is no request");
    let (results, _) = table.schedule.take_unsettled();
    assert_eq!(results[0].verdict.reason, "secret_unavailable");
    table.schedule.secrets_came(request, Vec::new(), &ended, &table.settings.policy);
    assert!(table.schedule.is_idle(), "what it answers later begins nothing");
}

#[test]
fn nothing_begins_after_an_app_reports_that_there_is_no_network() {
    let mut table = Table::new(&["office"]);
    table.schedule.network.set(Connectivity::Offline, table.now.monotonic);
    table.claim("office", &[(1, 0)]);
    assert_eq!(table.begin().len(), 0);
    let claim = |table: &mut Table, entry| {
        let mut urgent = table.claimed_entry("office", entry, 1, 0);
        urgent.urgent = true;
        table.schedule.claimed(vec![urgent], &SortedSet::new(), table.schedule.caller_requests.asked(true), table.now);
    };
    let request = table.schedule.caller_requests.begin_urgent();
    claim(&mut table, 97);
    table.schedule.end_urgent(request);
    assert_eq!(table.begin().len(), 0, "nobody waits for it any more");
    claim(&mut table, 98);
    assert_eq!(table.begin().len(), 0, "claimed when nobody waited any more");
    table.schedule.caller_requests.begin_urgent();
    claim(&mut table, 99);
    assert_eq!(table.begin(), [99], "but what a person asks for");
}

#[test]
fn it_never_waits_for_a_moment_that_is_past() {
    for (has_result, failed, database) in
        [(true, true, true), (true, true, false), (true, false, true), (false, true, true), (false, false, false)]
    {
        let mut table = Table::new(&["lab", "office"]);
        table.claim("lab", &[(1, 0)]);
        table.claim("office", &[(1, 0)]);
        table.begin();
        table.pass(Duration::from_secs(3));
        if has_result {
            table.end(status(202));
        }
        // The last check for due entries was three seconds ago; the result came a moment ago.
        let conditions = Conditions {
            settings: &table.settings,
            may_begin: true,
            timeout: Duration::from_secs(30),
            serves_urgent: true,
            database,
            database_failed: failed,
        };
        let action = table.schedule.next(table.now, &conditions);
        let is_past = matches!(action, Action::Wait(Some(until)) if until <= table.now.monotonic);
        assert!(!is_past, "{action:?} at {:?}, with a result: {has_result}, the database failed: {failed}", table.now.monotonic);
    }
}

#[test]
fn what_is_asked_for_while_the_database_is_looked_at_is_looked_for_once_more() {
    for finds in [false, true] {
        let mut table = Table::new(&["office"]);
        table.schedule.made_due(table.schedule.current_wake());
        let first = table.schedule.caller_requests.begin_urgent();
        let asked = table.schedule.caller_requests.asked(true);
        // Meanwhile something is committed, and another person asks.
        table.schedule.look();
        let second = table.schedule.caller_requests.begin_urgent();
        if finds {
            table.schedule.claimed(Vec::new(), &SortedSet::new(), asked, table.now);
        } else {
            table.schedule.found_nothing(asked, table.now);
        }
        assert_eq!(table.next(), Action::Claim, "another look");
        table.schedule.caller_requests.end_urgent(first);
        assert!(table.schedule.caller_requests.is_urgent(), "a request ends with an answer to it, or with its caller");
        table.schedule.caller_requests.end_urgent(second);
        table.schedule.found_nothing(table.schedule.caller_requests.asked(true), table.now);
        assert_eq!(table.next(), Action::Idle);
        table.schedule.caller_requests.begin_urgent();
        table.schedule.found_nothing(table.schedule.caller_requests.asked(true), table.now);
        assert!(!table.schedule.caller_requests.is_urgent(), "answered");
    }
}

#[test]
fn an_entry_whose_reader_is_gone_is_released() {
    for stops in [false, true] {
        let mut table = Table::new(&["office"]);
        let entry = table.claim("office", &[(1, 0)])[0];
        let Action::Start(request) = table.next() else { panic!("it begins") };
        table.schedule.attempt_mut(request).expect("it began").stage = Stage::Looking;
        assert!(table.schedule.has_begun(entry));
        let ended = Ended { at: table.now, random: 0.5 };
        if stops {
            assert!(table.schedule.stop_all(&ended, &table.settings.policy).is_empty(), "there is no request");
            table.schedule.detach();
        } else {
            assert!(!table.schedule.abort(request, &ended, &table.settings.policy), "there is no request");
        }
        assert!(!table.schedule.has_begun(entry));
        assert_eq!(table.schedule.take_unsettled().1.claims.len(), 1);
        assert!(table.schedule.is_idle());
    }
}

#[test]
fn a_look_up_that_a_stop_cuts_off_counts_nothing_and_is_one_of_those_that_hang() {
    let mut table = Table::new(&["lab"]);
    table.schedule.read_endpoint(&signed_row("office"), 0, None, &table.settings.policy);
    for hanging in 1..=4 {
        assert!(!table.is_delayed("office"), "{hanging}");
        table.claim("office", &[(1, 0)]);
        assert_eq!(table.begin().len(), 1);
        table.stop();
        let (results, releases) = table.schedule.take_unsettled();
        assert_eq!((results.len(), releases.claims.len()), (1, 0));
        let verdict = results[0].verdict;
        assert_eq!((verdict.class, verdict.reason, verdict.contact), (Class::CutShort, "interrupted", Contact::NotBegun));
    }
    assert!(table.is_delayed("office") && !table.is_delayed("lab"));
    table.claim("office", &[(1, 0)]);
    let lab = table.claim("lab", &[(1, 0)]);
    assert_eq!(table.begin(), lab, "what hangs at one endpoint delays no other");
    assert_eq!(table.schedule.releases.claims.len(), 1, "and its claims are released");
    // The end of one is enough.
    let ended = Ended { at: table.now, random: 0.5 };
    let request = table.schedule.detached.look_ups().next().expect("one hangs");
    table.schedule.secrets_came(request, Vec::new(), &ended, &table.settings.policy);
    assert!(!table.is_delayed("office"));
}

#[test]
fn look_ups_that_hang_delay_their_endpoint_while_it_names_a_secret() {
    let same = signed_row("office");
    let mut unsigned = row("office");
    unsigned.endpoint.url = same.endpoint.url.clone();
    let mut moved = signed_row("office");
    moved.endpoint.url = "https://office.example/new".to_owned();
    for (put, delayed) in [(&same, true), (&unsigned, false), (&moved, false)] {
        let mut table = Table::new(&[]);
        table.schedule.read_endpoint(&same, 0, None, &table.settings.policy);
        for _ in 0..4 {
            table.claim("office", &[(1, 0)]);
            table.begin();
            table.stop();
        }
        assert!(table.is_delayed("office"));
        table.schedule.read_endpoint(put, 1, None, &table.settings.policy);
        assert_eq!(table.is_delayed("office"), delayed, "{:?}", put.endpoint);
        // Put back as it was, what hangs of it counts again.
        table.schedule.read_endpoint(&same, 2, None, &table.settings.policy);
        assert!(table.is_delayed("office"));
    }
}

#[test]
fn requests_that_hang_at_one_endpoint_delay_no_other() {
    let mut table = Table::new(&["lab", "office"]);
    for _ in 0..4 {
        table.claim("office", &[(1, 0)]);
        assert_eq!(table.begin().len(), 1);
        table.stop();
        table.pass(Duration::from_secs(3600));
    }
    table.claim("office", &[(1, 0)]);
    let lab = table.claim("lab", &[(1, 0)]);
    assert_eq!(table.begin(), lab);
    let request = table.schedule.detached.attempts().next().expect("one hangs").request;
    let ended = Ended { at: table.now, random: 0.5 };
    table.schedule.answered(request, status(202), &ended, &table.settings.policy);
    assert!(!table.is_delayed("office"), "the end of one is enough");
}

#[test]
fn so_many_calls_hang_in_all_and_no_more() {
    let keys: Vec<String> = (0..40).map(|number| format!("office-{number}")).collect();
    for signed in [true, false] {
        let mut table = Table::new(&["lab"]);
        for key in &keys {
            table.schedule.read_endpoint(&if signed { signed_row(key) } else { row(key) }, 0, None, &table.settings.policy);
        }
        let mut begun = 0;
        for _ in 0..10 {
            for key in &keys {
                table.claim(key, &[(1, 0)]);
                begun += table.begin().len();
                table.stop();
                table.schedule.take_unsettled();
            }
        }
        let most = MOST_HANGING_IN_ALL + if signed { 0 } else { table.settings.policy.in_flight_total as usize };
        assert_eq!(begun, most, "signed: {signed}");
        // Attempts without a look-up have their own threads.
        table.claim("lab", &[(1, 0)]);
        assert_eq!(table.begin().len(), usize::from(signed));
    }
}

#[test]
fn a_look_up_for_a_newer_secret_that_does_not_end_is_one_of_those_that_hang() {
    for aborts in [true, false] {
        let mut table = Table::new(&[]);
        table.schedule.read_endpoint(&signed_row("office"), 0, None, &table.settings.policy);
        for _ in 0..4 {
            table.claim("office", &[(1, 0)]);
            assert_eq!(table.begin().len(), 1);
            let request = *table.schedule.in_flight.keys().next().expect("it began");
            let ended = Ended { at: table.now, random: 0.5 };
            let found = crate::port::SecretLookup::Found { current: crate::port::SecretValue::new("x".to_owned()), previous: None };
            table.schedule.secrets_came(request, vec![found], &ended, &table.settings.policy);
            table.begin();
            assert!(table.schedule.refresh(request, status(401), table.now));
            table.schedule.attempt_mut(request).expect("it waits").looks_up = true;
            if aborts {
                assert!(!table.schedule.abort(request, &ended, &table.settings.policy));
            } else {
                table.stop();
            }
            let (results, _) = table.schedule.take_unsettled();
            assert_eq!(results[0].verdict.reason, "auth", "the answer counts as it is");
            table.pass(Duration::from_secs(24 * 3600));
            table.schedule.read_endpoint(&signed_row("office"), 0, None, &table.settings.policy);
        }
        assert!(table.is_delayed("office"));
    }
}

#[test]
fn a_request_that_waited_for_a_thread_leaves_in_its_time_or_not_at_all() {
    // Seconds that it waited, whether attempts may begin then, whether the run was stopped, and how many seconds it gets.
    for (waited, may_begin, stopped, left) in [
        (0, true, false, Some(30)),
        (12, true, false, Some(18)),
        (30, true, false, None),
        (6 * 3600, true, false, None),
        (1, false, false, None),
        (1, true, true, None),
    ] {
        let mut table = Table::new(&["office"]);
        table.claim("office", &[(1, 0)]);
        table.schedule.made_due(table.schedule.current_wake());
        let Action::Start(request) = table.next() else { panic!("it begins") };
        table.schedule.attempt_mut(request).expect("it began").leaves(table.now, Duration::from_secs(30));
        table.pass(Duration::from_secs(waited));
        if stopped {
            table.stop();
        }
        let may_still_send = table.schedule.may_still_send(request, table.now.monotonic, may_begin);
        assert_eq!(may_still_send, left.map(Duration::from_secs), "after {waited} s");
        if left.is_none() && !stopped {
            table.end(failed(FailureKind::Cancelled));
        }
        let (results, _) = table.schedule.take_unsettled();
        let verdict = results.first().map(|result| (result.verdict.class, result.verdict.contact));
        assert_eq!(verdict, left.is_none().then_some((Class::CutShort, Contact::NotBegun)), "nothing has left");
    }
}
