//! The afternoon: the same file, with signal.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use compass_core::Compass;
use compass_core::model::{Connectivity, FieldState, OutboxFilter, OutboxItem, SessionFilter, SessionState};

use crate::arguments::Arguments;
use crate::phone::Phone;
use crate::technician::finish;
use crate::{Outcome, screen};

/// A day's messages are sent in seconds; this limit is for a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

pub fn run(arguments: &Arguments) -> Outcome<bool> {
    let phone = Phone::switch_on(arguments)?;
    let compass = &phone.compass;
    compass.set_connectivity(Connectivity::Offline);

    let open = SessionFilter { states: vec![SessionState::InProgress], ..SessionFilter::default() };
    let half_done = compass.sessions(&open, None, 1)?.sessions.into_iter().next().ok_or("the half-done session is gone")?;
    phone.put_endpoints(&half_done.workflow.key)?;
    let view = compass.session(half_done.key)?;
    println!("\n  {}", screen::bold("The half-done session is where it was"));
    for step in &view.path {
        let answer = step.answer_name.as_deref().map(|answer| format!("→ {answer}")).unwrap_or_default();
        println!("    {:>2}  {:<28} {}", step.visit, step.section_name, screen::dim(answer));
    }
    for field in view.fields.iter().filter(|field| field.state != FieldState::NotProvided || field.draft.is_some()) {
        let draft = field.draft.as_deref().map(|draft| format!("  (half typed: {draft})")).unwrap_or_default();
        println!("        {}: {}{}", field.definition.name, screen::value(&field.state), screen::dim(draft));
    }
    println!("\n  {}", screen::bold("It is finished"));
    let workflow = compass.workflow(&half_done.workflow.key, None)?;
    let good = workflow.sections.iter().find(|section| section.win).map_or("", |section| section.key.as_str());
    finish(compass, &workflow, half_done.key, good)?;

    println!("\n  {}", screen::bold("Signal returns: from here on the outbox delivers automatically"));
    deliver(&phone)
}

/// Goes online, waits until the outbox has delivered everything automatically, and counts.
pub fn deliver(phone: &Phone) -> Outcome<bool> {
    let compass = &phone.compass;
    let fired = messages(compass)?;
    let drained = Arc::new((Mutex::new(()), Condvar::new()));
    let signal = Arc::clone(&drained);
    let _subscription = compass.observe(Arc::new(move |_| signal.1.notify_all()));
    let began = Instant::now();
    compass.start_delivery()?;
    compass.set_connectivity(Connectivity::Online { validated: Some(true), metered: false, network: None });
    while compass.outbox_totals()?.pending > 0 && began.elapsed() < LIMIT {
        let guard = drained.0.lock().unwrap();
        // An observer ends the wait after each commit; the timeout only limits it.
        drop(drained.1.wait_timeout(guard, Duration::from_millis(500)).unwrap());
    }
    compass.stop_delivery()?;

    println!("\n  {}", screen::bold("The message that was refused with 503"));
    let retried = fired.iter().max_by_key(|item| attempts(compass, item).unwrap_or(0));
    if let Some(item) = retried {
        screen::record(&compass.record(item.session)?);
        println!("\n  {}", screen::bold("The payload as it was sent"));
        let sent = match &phone.receiver {
            Some(receiver) => receiver.body(&item.delivery.id.0).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            None => compass.delivery_body(&item.delivery.id)?,
        };
        println!("{}", sent.as_deref().unwrap_or("(not delivered)"));
    }

    let totals = compass.outbox_totals()?;
    let still: BTreeSet<String> = messages(compass)?.into_iter().map(|item| item.delivery.id.0).collect();
    let (delivered, duplicates) = match &phone.receiver {
        Some(receiver) => {
            let accepted = receiver.accepted();
            let delivered = fired.iter().filter(|item| accepted.contains_key(&item.delivery.id.0)).count();
            (delivered, accepted.values().map(|copies| copies - 1).sum::<u32>().to_string())
        }
        None => (fired.iter().filter(|item| !still.contains(&item.delivery.id.0)).count(), "unknown".to_owned()),
    };
    let lost = fired.len() - delivered;
    let sessions = compass.totals()?.sessions;
    let count = sessions.completed + sessions.ended + sessions.in_progress;
    compass.close()?;
    println!(
        "\n{count} sessions, {} fired, {delivered} delivered, {duplicates} duplicates, {lost} lost ({} pending, {} failed)",
        fired.len(),
        totals.pending,
        totals.failed
    );
    Ok(lost == 0 && totals.pending == 0 && totals.failed == 0)
}

/// Everything that has not been delivered yet.
fn messages(compass: &Compass) -> Outcome<Vec<OutboxItem>> {
    let (mut all, mut page) = (Vec::new(), None);
    loop {
        let next = compass.outbox(&OutboxFilter::default(), page.as_deref(), 100)?;
        all.extend(next.items);
        page = next.next;
        if page.is_none() {
            return Ok(all);
        }
    }
}

fn attempts(compass: &Compass, item: &OutboxItem) -> Outcome<u32> {
    let record = compass.record(item.session)?;
    let deliveries = record.actions.into_iter().flat_map(|action| action.deliveries);
    Ok(deliveries.filter(|delivery| delivery.id == item.delivery.id).map(|delivery| delivery.attempts).max().unwrap_or(0))
}
