//! What an entry waits for: a table of cases, and random ones.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn in_seconds(seconds: i64) -> Timestamp {
    now() + TimeDelta::seconds(seconds)
}

const ONLINE: Connectivity = Connectivity::Online { validated: None, metered: false, network: None };
const LEASE: Duration = Duration::from_secs(60);
const METERED: Connectivity = Connectivity::Online { validated: Some(true), metered: true, network: Some(1) };

/// Due, and never attempted.
fn fresh() -> EntryFacts<'static> {
    EntryFacts {
        readable: true,
        leased: false,
        reason: None,
        due_at: now(),
        tried: true,
        in_flight_until: None,
        offline: false,
        cut_short: 0,
    }
}

/// Waits an hour after a 503.
fn later() -> EntryFacts<'static> {
    EntryFacts { reason: Some("server_error"), due_at: in_seconds(3600), ..fresh() }
}

fn working() -> EndpointFacts<'static> {
    EndpointFacts {
        readable: true,
        enabled: true,
        archived: false,
        network: NetworkPolicy::Any,
        paused_until: None,
        pause_reason: None,
        failing: None,
    }
}

fn paused(seconds: i64, reason: &'static str) -> EndpointFacts<'static> {
    EndpointFacts { paused_until: Some(in_seconds(seconds)), pause_reason: Some(reason), ..working() }
}

fn context() -> DeliveryContext {
    DeliveryContext { integration_enabled: true, connectivity: ONLINE, now: now(), woken: false, lease: LEASE }
}

fn offline() -> DeliveryContext {
    DeliveryContext { connectivity: Connectivity::Offline, ..context() }
}

fn at(at: Timestamp) -> Next {
    Next { at, network: None }
}

#[test]
fn what_needs_a_person_is_asked_before_what_waits_for_a_network_or_for_time() {
    let off = |context| DeliveryContext { integration_enabled: false, ..context };
    let unreachable = EndpointFacts { failing: Some(("dns", true)), ..working() };
    for context in [
        context(),
        offline(),
        DeliveryContext { connectivity: METERED, ..context() },
        DeliveryContext { connectivity: Connectivity::Unknown, ..context() },
    ] {
        for entry in [fresh(), later(), EntryFacts { offline: true, reason: Some("offline"), ..later() }] {
            let is = |entry: &EntryFacts<'static>, endpoint: Option<EndpointFacts<'static>>, context: &DeliveryContext| {
                let blocker = blocker(entry, endpoint.as_ref(), context);
                (blocker.reason().expect("a reason").to_owned(), blocker.needs_person())
            };
            let needs_person = |reason: &str| (reason.to_owned(), true);
            let archived = EndpointFacts { archived: true, enabled: false, ..working() };
            let disabled = EndpointFacts { enabled: false, ..paused(60, "secret_missing") };
            let damaged = EndpointFacts { readable: false, archived: true, ..working() };
            assert_eq!(is(&EntryFacts { readable: false, leased: true, ..entry }, None, &off(context)), needs_person("corrupt"));
            assert_eq!(is(&EntryFacts { leased: true, ..entry }, None, &off(context)), ("in_flight".to_owned(), false));
            assert_eq!(is(&entry, None, &off(context)), needs_person("integration_off"));
            assert_eq!(is(&entry, None, &context), needs_person("endpoint_unknown"));
            assert_eq!(is(&entry, Some(damaged), &context), needs_person("endpoint_corrupt"));
            assert_eq!(is(&entry, Some(archived), &context), needs_person("endpoint_archived"));
            assert_eq!(is(&entry, Some(disabled), &context), needs_person("endpoint_disabled"));
            for reason in ["secret_missing", "secret_invalid"] {
                let tried = EntryFacts { reason: Some(reason), ..entry };
                assert_eq!(is(&tried, Some(working()), &context), needs_person(reason));
                assert_eq!(is(&tried, Some(paused(600, "rate_limited")), &context), needs_person(reason), "a pause does not hide it");
                assert_eq!(is(&entry, Some(paused(600, reason)), &context), needs_person(reason), "found with another message");
                assert_eq!(is(&entry, Some(paused(-600, reason)), &context), needs_person(reason), "time does not fix it");
            }
            assert_eq!(is(&entry, Some(unreachable), &context), needs_person("dns"));
            let both = EndpointFacts { failing: Some(("dns", true)), ..paused(600, "secret_missing") };
            assert_eq!(is(&entry, Some(both), &context), needs_person("secret_missing"));
        }
    }
}

#[test]
fn the_rest_waits_for_time_or_a_network() {
    let needs_unmetered = EndpointFacts { network: NetworkPolicy::Unmetered, ..working() };
    let metered = DeliveryContext { connectivity: METERED, ..context() };
    let unknown = DeliveryContext { connectivity: Connectivity::Unknown, ..context() };
    let any = |at| Next { at, network: Some(NetworkNeed::Any) };
    let unmetered = |at| Next { at, network: Some(NetworkNeed::Unmetered) };
    let (due, hour) = (now(), in_seconds(3600));
    let minute = in_seconds(60);
    let in_flight = EntryFacts { in_flight_until: Some(minute), ..fresh() };
    let ended = EntryFacts { in_flight_until: Some(now()), ..fresh() };
    let far_ahead = EntryFacts { in_flight_until: Some(in_seconds(121)), ..fresh() };
    let overdue = EntryFacts { due_at: in_seconds(-60), reason: Some("interrupted"), ..fresh() };
    let not_proven = EndpointFacts { failing: Some(("dns", false)), ..working() };
    for (entry, endpoint, context, expected) in [
        (fresh(), working(), context(), Blocker::Ready { reason: None, next: at(due) }),
        (fresh(), needs_unmetered, unknown, Blocker::Ready { reason: None, next: at(due) }),
        (fresh(), not_proven, context(), Blocker::Ready { reason: None, next: at(due) }),
        (overdue, working(), context(), Blocker::Ready { reason: Some("interrupted"), next: at(in_seconds(-60)) }),
        (later(), working(), context(), Blocker::Until { reason: Some("server_error"), next: at(hour) }),
        (in_flight, working(), context(), Blocker::EarlierAttempt { reason: "in_flight", next: at(minute) }),
        (
            EntryFacts { tried: false, ..in_flight },
            working(),
            context(),
            Blocker::EarlierAttempt { reason: "earlier_revision", next: at(minute) },
        ),
        (in_flight, paused(3600, "rate_limited"), context(), Blocker::EarlierAttempt { reason: "in_flight", next: at(hour) }),
        (in_flight, working(), offline(), Blocker::EarlierAttempt { reason: "in_flight", next: any(minute) }),
        (ended, working(), context(), Blocker::Ready { reason: None, next: at(due) }),
        (far_ahead, working(), context(), Blocker::Ready { reason: None, next: at(due) }),
        (fresh(), working(), offline(), Blocker::Offline { next: any(due) }),
        (later(), working(), offline(), Blocker::Offline { next: any(hour) }),
        (fresh(), needs_unmetered, offline(), Blocker::Offline { next: unmetered(due) }),
        (fresh(), needs_unmetered, metered, Blocker::NeedsUnmetered { next: unmetered(due) }),
        (fresh(), working(), metered, Blocker::Ready { reason: None, next: at(due) }),
        // The later of pause and due time.
        (fresh(), paused(60, "rate_limited"), context(), Blocker::Paused { reason: "rate_limited", next: at(in_seconds(60)) }),
        (later(), paused(60, "endpoint_paused"), context(), Blocker::Paused { reason: "endpoint_paused", next: at(hour) }),
        (fresh(), paused(60, "secret_unavailable"), context(), Blocker::Paused { reason: "secret_unavailable", next: at(in_seconds(60)) }),
        (fresh(), paused(60, "rate_limited"), offline(), Blocker::Paused { reason: "rate_limited", next: any(in_seconds(60)) }),
        (
            fresh(),
            EndpointFacts { pause_reason: None, ..paused(60, "") },
            context(),
            Blocker::Paused { reason: "endpoint_paused", next: at(in_seconds(60)) },
        ),
        (fresh(), paused(-60, "rate_limited"), context(), Blocker::Ready { reason: None, next: at(due) }),
    ] {
        let blocker = blocker(&entry, Some(&endpoint), &context);
        assert_eq!(blocker, expected);
        assert!(!blocker.needs_person(), "{blocker:?}");
    }
}

#[test]
fn an_entry_that_needs_a_person_still_gets_an_attempt_from_time_to_time() {
    let unreachable = EndpointFacts { failing: Some(("unreachable", true)), ..working() };
    let no_secret = EntryFacts { reason: Some("secret_missing"), due_at: in_seconds(900), ..fresh() };
    for (entry, endpoint) in [(later(), unreachable), (no_secret, working()), (no_secret, paused(900, "secret_missing"))] {
        let asked = |context: DeliveryContext| blocker(&entry, Some(&endpoint), &context);
        let waits = asked(context());
        assert!(waits.needs_person() && !waits.may_begin(now()));
        let when = waits.next_attempt_at().expect("a time");
        assert!(asked(DeliveryContext { now: when, ..context() }).may_begin(when), "its time has come");
        let without_network = asked(DeliveryContext { now: when, ..offline() });
        assert!(without_network.needs_person() && !without_network.may_begin(when), "not without a network");
        assert_eq!(without_network.next_attempt_at(), None, "not only time decides");
        assert_eq!(without_network.next().and_then(|next| next.network), Some(NetworkNeed::Any));
    }
    for never in [
        blocker(&fresh(), None, &context()),
        blocker(&fresh(), Some(&EndpointFacts { enabled: false, ..working() }), &context()),
        blocker(&EntryFacts { leased: true, ..fresh() }, Some(&working()), &context()),
        blocker(&EntryFacts { readable: false, ..fresh() }, Some(&working()), &context()),
    ] {
        assert_eq!((never.next(), never.next_attempt_at(), never.may_begin(now())), (None, None, false), "{never:?}");
    }
}

#[test]
fn a_new_network_makes_due_what_waited_for_one_and_nothing_else() {
    let waits = EntryFacts { offline: true, reason: Some("offline"), ..later() };
    let woken = |entry: EntryFacts<'static>, endpoint| {
        blocker(&entry, Some(&endpoint), &DeliveryContext { woken: true, ..context() }).may_begin(now())
    };
    assert!(woken(waits, working()));
    assert!(woken(waits, EndpointFacts { failing: Some(("dns", true)), ..working() }));
    assert!(woken(EntryFacts { cut_short: 2, reason: Some("interrupted"), ..waits }, working()));
    assert!(!woken(EntryFacts { cut_short: 3, reason: Some("interrupted"), ..waits }, working()), "three times in a row are enough");
    assert!(!woken(later(), working()), "what the receiver refused keeps its schedule");
    assert!(!woken(waits, paused(60, "rate_limited")), "the pause that the receiver asked for stays");
    assert!(!blocker(&waits, Some(&working()), &context()).may_begin(now()));
}

#[test]
fn times_from_before_the_clock_was_set_back_count_for_nothing() {
    let years = 10 * 365 * 24 * 3600;
    let entry = EntryFacts { due_at: in_seconds(years), ..later() };
    let blocked = blocker(&entry, Some(&paused(years, "rate_limited")), &context());
    assert_eq!(blocked, Blocker::Ready { reason: Some("server_error"), next: at(now()) });
}

/// Reasons that an entry which waits may have been left with, by [`settle`](super::super::settle).
const SETTLED: [Option<&str>; 18] = [
    None,
    Some("offline"),
    Some("captive_portal"),
    Some("proxy"),
    Some("clock_skew"),
    Some("dns"),
    Some("unreachable"),
    Some("timeout"),
    Some("server_error"),
    Some("rate_limited"),
    Some("tls"),
    Some("auth"),
    Some("conflict"),
    Some("interrupted"),
    Some("secret_missing"),
    Some("secret_invalid"),
    Some("secret_unavailable"),
    Some("protocol"),
];
const PAUSES: [Option<&str>; 7] = [
    None,
    Some("endpoint_paused"),
    Some("rate_limited"),
    Some("server_error"),
    Some("secret_missing"),
    Some("secret_invalid"),
    Some("secret_unavailable"),
];

fn moments() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(now()),
        (-100_000i64..100_000).prop_map(in_seconds),
        Just(Timestamp::UNIX_EPOCH),
        Just(in_seconds(10 * 365 * 24 * 3600)),
        Just(Timestamp::MAX_UTC),
    ]
}

/// Ends of leases.
fn leases() -> impl Strategy<Value = Timestamp> {
    prop_oneof![(-200i64..200).prop_map(in_seconds), moments()]
}

fn entries() -> impl Strategy<Value = EntryFacts<'static>> {
    let times = (moments(), prop::option::weighted(0.3, leases()));
    (prop::bool::weighted(0.95), prop::bool::weighted(0.1), prop::sample::select(&SETTLED[..]), times, any::<bool>(), 0u32..6).prop_map(
        |(readable, leased, reason, (due_at, in_flight_until), offline, cut_short)| EntryFacts {
            readable,
            leased,
            reason,
            due_at,
            tried: true,
            in_flight_until,
            offline,
            cut_short,
        },
    )
}

fn endpoints() -> impl Strategy<Value = Option<EndpointFacts<'static>>> {
    let network = prop_oneof![Just(NetworkPolicy::Any), Just(NetworkPolicy::Unmetered)];
    let failing = prop::option::of((prop::sample::select(&["dns", "unreachable", "tls", "proxy", "offline"][..]), any::<bool>()));
    let flags = (prop::bool::weighted(0.9), prop::bool::weighted(0.9), prop::bool::weighted(0.1));
    prop::option::weighted(
        0.9,
        (flags, network, prop::option::of(moments()), prop::sample::select(&PAUSES[..]), failing).prop_map(
            |((readable, enabled, archived), network, paused_until, pause_reason, failing)| EndpointFacts {
                readable,
                enabled,
                archived,
                network,
                paused_until,
                pause_reason,
                failing,
            },
        ),
    )
}

fn contexts() -> impl Strategy<Value = DeliveryContext> {
    let connectivity = prop_oneof![
        Just(Connectivity::Unknown),
        Just(Connectivity::Offline),
        (any::<Option<bool>>(), any::<bool>()).prop_map(|(validated, metered)| Connectivity::Online { validated, metered, network: None }),
    ];
    (prop::bool::weighted(0.9), connectivity, moments(), any::<bool>()).prop_map(|(integration_enabled, connectivity, now, woken)| {
        DeliveryContext { integration_enabled, connectivity, now, woken, lease: LEASE }
    })
}

proptest! {
    #[test]
    fn neither_time_nor_a_network_decides_whether_a_person_is_needed(
        entry in entries(), endpoint in endpoints(), first in contexts(), second in contexts(), due_at in moments(),
        in_flight_until in prop::option::of(leases()), offline in any::<bool>()
    ) {
        let second = DeliveryContext { integration_enabled: first.integration_enabled, ..second };
        let one = blocker(&entry, endpoint.as_ref(), &first);
        // Another entry with the same reason, in the same endpoint, at another time, on another network.
        let other = EntryFacts { due_at, in_flight_until, offline, cut_short: 0, ..entry };
        let two = blocker(&other, endpoint.as_ref(), &second);
        prop_assert_eq!(one.needs_person(), two.needs_person());
        if one.needs_person() {
            prop_assert_eq!(one.reason(), two.reason());
        }
    }

    #[test]
    fn the_answers_of_one_blocker_agree(entry in entries(), endpoint in endpoints(), context in contexts()) {
        let blocker = blocker(&entry, endpoint.as_ref(), &context);
        prop_assert!(blocker.reason().is_none_or(|code| reason::ALL.contains(&code)));
        match blocker {
            Blocker::Unreachable { reason, .. } => prop_assert!(blocker.needs_person() && !waits_for_person(reason)),
            _ => prop_assert_eq!(blocker.needs_person(), blocker.reason().is_some_and(waits_for_person)),
        }
        if blocker.may_begin(context.now) {
            let endpoint = endpoint.expect("nothing begins at an endpoint that nobody knows");
            prop_assert!(entry.readable && !entry.leased && context.integration_enabled);
            prop_assert!(endpoint.readable && endpoint.enabled && !endpoint.archived);
            prop_assert!(pause_end(endpoint.paused_until, context.now).is_none() && context.connectivity != Connectivity::Offline);
            prop_assert!(is_due(entry.due_at, context.now) || (context.woken && entry.offline && entry.cut_short < 3));
            prop_assert!(entry.in_flight_until.is_none_or(|until| lease_is_over(until, context.now, LEASE)));
        }
        prop_assert_eq!(blocker.may_begin(context.now) && !blocker.needs_person(), matches!(blocker, Blocker::Ready { .. }));
        if let Some(when) = blocker.next_attempt_at() {
            // No clock can delay it for ever.
            prop_assert!(when <= context.now || when - context.now <= TimeDelta::hours(25));
            let then = DeliveryContext { now: when.max(context.now), ..context };
            // A time that is ignored because it is too far ahead may come near again, until an attempt rewrites it.
            let times = [Some(entry.due_at), endpoint.and_then(|endpoint| endpoint.paused_until)];
            let comes_near = times.into_iter().flatten().any(|at| at > context.now && is_due(at, context.now))
                || entry.in_flight_until.is_some_and(|until| until > context.now && lease_is_over(until, context.now, LEASE));
            prop_assert!(comes_near || super::blocker(&entry, endpoint.as_ref(), &then).may_begin(then.now));
        }
    }

    #[test]
    fn taking_a_cause_away_never_makes_a_person_needed(entry in entries(), endpoint in endpoints(), context in contexts()) {
        let before = blocker(&entry, endpoint.as_ref(), &context);
        let on = DeliveryContext { integration_enabled: true, ..context };
        let repaired = endpoint.map(|endpoint| EndpointFacts { readable: true, enabled: true, archived: false, ..endpoint });
        let healthy = repaired.map(|endpoint| EndpointFacts { paused_until: None, failing: None, ..endpoint });
        let with_secret = EntryFacts { reason: None, ..entry };
        let steps = [(entry, endpoint, on), (entry, repaired, on), (entry, healthy, on), (with_secret, healthy, on)];
        let mut needed = before.needs_person();
        for (number, (entry, endpoint, context)) in steps.iter().enumerate() {
            let needs = blocker(entry, endpoint.as_ref(), context).needs_person();
            // The first step may only show the next cause of what was hidden by it.
            prop_assert!(needed || !needs, "step {}", number);
            needed = needs;
        }
        let last = blocker(&with_secret, healthy.as_ref(), &on);
        prop_assert_eq!(last.needs_person(), !entry.readable || (!entry.leased && endpoint.is_none()));
    }
}
