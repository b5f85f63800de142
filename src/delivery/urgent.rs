//! The one urgent attempt at an endpoint that waits: when it is allowed, and where it is used up and returned.

use std::time::Duration;

use super::endpoint_queue::EndpointView;
use super::released::UsedUrgent;
use super::scan::EndpointScan;
use super::settings::URGENT_EVERY;
use crate::model::{NetworkNeed, Timestamp};
use crate::outbox::{Next, pause_end};
use crate::store::endpoint::{self, EndpointRow, StoredEndpoint};
use crate::store::{StoreError, Transaction, unless_damaged};

/// Whether a person may have one attempt at this endpoint now, in spite of pauses and of the app's report that there is no network, but not
/// if the endpoint needs a person: once a minute, and once per pause that a receiver asked for.
pub(super) fn may_be_urgent(scan: &EndpointScan, view: Option<&EndpointView>, now: Timestamp, every: Duration) -> bool {
    let costs_nothing = |next: Next| next.network != Some(NetworkNeed::Unmetered);
    let Some(row) = scan.row().filter(|_| scan.next.is_some_and(costs_nothing) && !scan.needs_person) else { return false };
    let is_busy = view.is_some_and(|view| view.has_had_urgent || view.has_ready || view.is_delayed(&row.endpoint) || view.in_flight > 0);
    !is_busy && !has_had_urgent(row, now, every)
}

/// Whether a person has had the one attempt of this minute or of this pause.
fn has_had_urgent(row: &EndpointRow, now: Timestamp, every: Duration) -> bool {
    let last = row.delivery.urgent_at;
    let is_soon = last.is_some_and(|last| last <= now && (now - last).to_std().is_ok_and(|since| since < every));
    // Only a pause that the receiver asked for counts, even if the core's own pause is longer.
    let asked_until = pause_end(row.delivery.asked_until, now);
    is_soon || asked_until.is_some() && asked_until == row.delivery.urgent_pause
}

/// Uses it up, right before a request is sent. None where it was used up elsewhere, or the endpoint cannot be read.
pub(super) fn use_up(tx: &Transaction<'_>, key: &str, now: Timestamp) -> Result<Option<UsedUrgent>, StoreError> {
    let Some(StoredEndpoint::Readable(mut row)) = endpoint::find(tx, key)? else { return Ok(None) };
    if has_had_urgent(&row, now, URGENT_EVERY) {
        return Ok(None);
    }
    let used_urgent = UsedUrgent { endpoint: key.to_owned(), at: now, before: (row.delivery.urgent_at, row.delivery.urgent_pause) };
    row.delivery.urgent_at = Some(now);
    row.delivery.urgent_pause = pause_end(row.delivery.asked_until, now);
    endpoint::save_delivery(tx, key, &row.delivery)?;
    Ok(Some(used_urgent))
}

/// Returns it, because the request was not sent; unless another one was used since.
pub(super) fn return_unused(tx: &Transaction<'_>, used_urgent: &UsedUrgent) -> Result<(), StoreError> {
    let Some(StoredEndpoint::Readable(mut row)) = endpoint::find(tx, &used_urgent.endpoint)? else { return Ok(()) };
    let is_last = row.delivery.urgent_at.is_some_and(|at| at.timestamp_millis() == used_urgent.at.timestamp_millis());
    if is_last {
        (row.delivery.urgent_at, row.delivery.urgent_pause) = used_urgent.before;
        unless_damaged(endpoint::save_delivery(tx, &used_urgent.endpoint, &row.delivery))?;
    }
    Ok(())
}
