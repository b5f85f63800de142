//! What a message waits for has one answer: lists, totals, endpoints, records and the scheduler never disagree.

use super::*;

type Step = fn(&Field);

/// Looks at the phone from all sides, with this network.
fn agrees(field: &Field, connectivity: Connectivity, what: &str) {
    let now = field.now();
    let (items, totals, next) = (field.messages(&ALL_STATES), field.compass.outbox_totals().unwrap(), field.next_due());
    let count = |holds: &dyn Fn(&OutboxItem) -> bool| items.iter().filter(|item| holds(item)).count() as u64;
    let is = |state| move |item: &OutboxItem| item.delivery.state == state;
    assert_eq!(totals.pending, count(&is(DeliveryState::Pending)), "{what}: pending");
    let failed = |item: &OutboxItem| is(DeliveryState::Failed)(item) && item.delivery.reason.as_deref() != Some("abandoned");
    assert_eq!(totals.failed, count(&failed), "{what}: failed");
    assert_eq!(totals.needs_person, count(&|item| item.needs_person), "{what}: needs a person");
    assert_eq!(next.needs_person, totals.needs_person > 0, "{what}: {next:?}");
    let endpoints = field.compass.endpoints().unwrap();
    for endpoint in &endpoints {
        let waiting = count(&|item| is(DeliveryState::Pending)(item) && item.delivery.endpoint == endpoint.endpoint.key);
        assert_eq!(endpoint.pending, waiting, "{what}: {endpoint:?}");
    }
    let mut seen = BTreeSet::new();
    for item in &items {
        if let Some(at) = item.delivery.next_attempt_at {
            assert!(at - now <= TimeDelta::hours(25), "{what}: delayed until {at}");
        }
        if !seen.insert((item.delivery.endpoint.clone(), item.delivery.reason.clone())) {
            continue;
        }
        let action = field.compass.record(item.session).unwrap().actions.into_iter().find(|action| action.key == item.action).unwrap();
        assert_eq!((&action.reason, &action.deliveries[0]), (&item.delivery.reason, &item.delivery), "{what}: the record");
    }
    // When the scheduler is to come: with the first that time alone brings on, of each kind of network.
    let policy =
        |key: &str| endpoints.iter().find(|status| status.endpoint.key == key).map_or(NetworkPolicy::Any, |status| status.endpoint.network);
    let first = |network| {
        let pending = items.iter().filter(|item| policy(&item.delivery.endpoint) == network);
        pending.filter_map(|item| item.delivery.next_attempt_at).min().map(|at| at.max(now))
    };
    if items.iter().any(|item| item.delivery.reason.as_deref() == Some("in_flight")) {
        return;
    }
    for (network, at) in [(NetworkPolicy::Any, next.at), (NetworkPolicy::Unmetered, next.at_needs_unmetered)] {
        let is_there = match connectivity {
            Connectivity::Unknown => true,
            Connectivity::Offline => false,
            Connectivity::Online { metered, .. } => !metered || network == NetworkPolicy::Any,
        };
        if is_there {
            assert_eq!(at, first(network), "{what}: {next:?}");
        } else {
            // Then time alone brings nothing on, and a scheduler must not spin.
            assert!(at.is_none_or(|at| at > now), "{what}: {next:?}");
            assert_eq!(first(network), None, "{what}");
        }
    }
    if connectivity == Connectivity::Offline && items.iter().any(|item| item.delivery.reason.as_deref() == Some("offline")) {
        assert!(next.when_online.is_some() || next.at.is_some() || next.at_needs_unmetered.is_some(), "{what}: nothing brings it on");
    }
}

/// What may be the matter with messages, and how it comes to that.
fn situations() -> Vec<(&'static str, Step)> {
    vec![
        ("nothing", |_| ()),
        ("tried", |field| _ = field.flush()),
        ("secret missing", |field| {
            field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
            field.flush();
        }),
        ("secret missing for what comes later", |field| {
            field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
            field.flush();
            field.complete();
        }),
        ("secret invalid", |field| {
            field.secrets.set(SECRET_NAME, "hunter2");
            field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
            field.flush();
        }),
        ("integration off", |field| field.compass.set_integration_enabled(false).unwrap()),
        ("disabled", |field| field.compass.set_endpoint_enabled(OFFICE, false).unwrap()),
        ("disabled after it was tried", |field| {
            field.flush();
            field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
        }),
        ("archived", |field| field.compass.archive_endpoint(OFFICE).unwrap()),
        ("unknown", |field| _ = complete_for(field, "stranger")),
        ("costs nothing", |field| field.compass.put_endpoint(&unmetered(OFFICE, OFFICE_URL)).unwrap()),
        ("costs nothing, tried", |field| {
            field.compass.put_endpoint(&unmetered(OFFICE, OFFICE_URL)).unwrap();
            field.flush();
        }),
        ("the endpoint is damaged", |field| damage(field, "UPDATE endpoint SET definition = '{'")),
        ("a row is damaged", |field| {
            damage(field, "UPDATE outbox SET workflow_version = CAST(x'ff' AS TEXT) WHERE id = (SELECT min(id) FROM outbox)");
            field.flush();
        }),
        ("an id is damaged", |field| {
            damage(field, "UPDATE outbox SET delivery_id = CAST(x'ff' AS TEXT) WHERE id = (SELECT min(id) FROM outbox)");
            field.messages(&ALL_STATES);
        }),
        ("abandoned", |field| {
            let session = field.complete();
            field.compass.abandon(session, "tell-0", "anna", "on paper", &id()).unwrap();
        }),
        ("in flight", |field| {
            field.transport.hold("");
            let (compass, before) = (field.compass.clone(), field.transport.requests().len());
            std::thread::spawn(move || compass.flush(2 * MINUTE, &CancelToken::new()));
            field.transport.wait_for_requests(before + 1);
        }),
        ("cut short three times", |field| {
            for _ in 0..3 {
                field.transport.hold("");
                let (before, cancel) = (field.transport.requests().len(), CancelToken::new());
                let (compass, token) = (field.compass.clone(), cancel.clone());
                let running = std::thread::spawn(move || compass.flush(MINUTE, &token));
                field.transport.wait_for_requests(before + 1);
                cancel.cancel();
                drop(joined("the flush", running));
                field.transport.release();
            }
        }),
        ("failed for days on many networks", |field| {
            for network in 1..=6 {
                field.clock.advance(4 * HOUR);
                field.compass.set_connectivity(Connectivity::Online { validated: None, metered: false, network: Some(network) });
                field.flush();
            }
        }),
        ("twenty attempts", |field| {
            for _ in 0..20 {
                if let Some(at) = field.next_due().at {
                    field.advance_to(at);
                }
                field.flush();
            }
        }),
    ]
}

enum Change {
    Network(Connectivity),
    Do(Step),
}

/// What may change around them.
fn changes() -> Vec<(&'static str, Change)> {
    use Change::{Do, Network};
    vec![
        ("offline", Network(Connectivity::Offline)),
        ("16 minutes later", Do(|field| field.clock.advance(16 * MINUTE))),
        ("online", Network(ONLINE)),
        ("a network that costs", Network(Connectivity::Online { validated: Some(true), metered: true, network: Some(9) })),
        ("two days later", Do(|field| field.clock.advance(2 * DAY))),
        ("ten years back", Do(|field| field.clock.jump_wall(-TimeDelta::days(3653)))),
        ("twenty years on", Do(|field| field.clock.jump_wall(TimeDelta::days(7306)))),
        ("secrets changed", Do(|field| field.compass.secrets_changed().unwrap())),
        (
            "a person sends",
            Do(|field| {
                for item in field.messages(&[DeliveryState::Pending]) {
                    field.compass.send(item.session, &item.action, None, &id()).unwrap();
                }
            }),
        ),
        ("quiesced", Do(|field| field.compass.quiesce().unwrap())),
        ("resumed", Do(|field| std::mem::forget(field.compass.resume().unwrap()))),
        (
            "flushed",
            Do(|field| {
                field.transport.release();
                field.flush();
            }),
        ),
    ]
}

/// In a world where requests end like this.
fn all_agree(script: fn(&TransportRequest) -> Answer) {
    for (situation, comes_to) in situations() {
        let (field, _) = phone(script);
        register(&field, "lab");
        for _ in 0..2 {
            field.complete();
        }
        complete_for(&field, "lab");
        let mut network = Connectivity::Unknown;
        agrees(&field, network, "at first");
        comes_to(&field);
        let mut so_far = situation.to_owned();
        agrees(&field, network, &so_far);
        // What changes in flight would change while this looks.
        let changes = if situation == "in flight" { Vec::new() } else { changes() };
        for (name, change) in changes {
            match change {
                Change::Network(connectivity) => {
                    network = connectivity;
                    field.compass.set_connectivity(connectivity);
                }
                Change::Do(happens) => happens(&field),
            }
            so_far = format!("{so_far}, {name}");
            agrees(&field, network, &so_far);
        }
        field.transport.release();
    }
}

/// Lists, totals, records, endpoints and the scheduler agree, no matter what happens, in each of these worlds.
macro_rules! all_sides_agree_where {
    ($($world:ident: $script:expr,)+) => {
        mod all_sides_agree_where {
            use super::*;
            $(#[test] fn $world() { all_agree($script); })+
        }
    };
}

all_sides_agree_where! {
    all_is_taken: |_| Ok(answer(202)),
    the_server_fails: |_| Ok(answer(500)),
    patience_is_asked_for: |_| Ok(answer_with(429, &[("retry-after", "7200")])),
    the_address_is_wrong: |_| Ok(answer(404)),
    the_endpoint_is_gone: |_| Ok(answer(410)),
    there_is_no_network: no_network,
    something_refuses: |_| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)),
    nothing_answers: |_| Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)),
}

#[test]
fn neither_a_network_nor_time_hides_that_a_secret_is_missing() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.backlog(3, OFFICE);
    field.flush();
    let shows = |field: &Field, what: &str| {
        let items = field.messages(&[DeliveryState::Pending]);
        assert!(items.iter().all(|item| item.needs_person && item.delivery.reason.as_deref() == Some("secret_missing")), "{what}");
        assert_eq!((items.len(), field.compass.outbox_totals().unwrap().needs_person), (3, 3), "{what}");
        assert!(field.next_due().needs_person, "{what}");
    };
    shows(&field, "at first");
    field.compass.set_connectivity(Connectivity::Offline);
    shows(&field, "offline");
    field.clock.advance(16 * MINUTE);
    shows(&field, "16 minutes later, without a flush");
    field.compass.set_connectivity(ONLINE);
    shows(&field, "online");
    // It is looked at again by itself, all the same.
    assert_eq!(field.next_due().at, Some(field.now()));
    field.secrets.set(SECRET_NAME, SECRET);
    assert_eq!(field.flush().sent, 3);
    assert!(!field.next_due().needs_person);
}

#[test]
fn what_waits_behind_one_that_found_no_way_says_until_when() {
    let (field, _) = phone_with(no_network, one_at_a_time);
    field.compass.set_connectivity(UNSURE);
    field.complete();
    field.complete();
    field.flush();
    let items = field.messages(&[DeliveryState::Pending]);
    assert_eq!(items.iter().map(|item| item.delivery.attempts).sum::<u32>(), 1, "one was tried, for both");
    let next = field.next_due().at.expect("a time");
    assert!(next > field.now());
    for item in items {
        assert!(item.delivery.next_attempt_at.is_some_and(|at| at >= next), "{:?} and {next:?}", item.delivery);
    }
}

#[test]
fn a_lease_that_is_over_hides_nothing() {
    for (what, jump) in [("ran out", TimeDelta::hours(1)), ("the clock was set back", TimeDelta::days(-2))] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let other = field.other_process();
        let running = field.flush_held(&other, "", 1);
        other.kill();
        field.transport.release();
        drop(running);
        field.clock.jump_wall(jump);
        field.compass.set_connectivity(Connectivity::Offline);
        field.compass.set_integration_enabled(false).unwrap();
        field.flush();
        let shown = field.delivery(session).reason;
        assert_eq!((shown.as_deref(), field.compass.outbox_totals().unwrap().needs_person), (Some("integration_off"), 1), "{what}");
        agrees(&field, Connectivity::Offline, what);
    }
}
