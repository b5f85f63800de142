//! The one attempt that a person has at an endpoint that waits: who may have it, and where it is used up and given back.

use std::time::Duration;

use super::endpoint_queue::EndpointView;
use super::released::Spent;
use super::scan::EndpointScan;
use super::settings::URGENT_EVERY;
use crate::model::{NetworkNeed, Timestamp};
use crate::outbox::{Next, pause_end};
use crate::store::endpoint::{self, EndpointRow, StoredEndpoint};
use crate::store::{StoreError, Transaction, unless_damaged};

/// Whether a person may have one attempt at this endpoint now, through pauses of time and an app's word that there is no network, but
/// through nothing that needs a person: once a minute, and once per pause that a receiver asked for.
pub(super) fn may_urge(scan: &EndpointScan, view: Option<&EndpointView>, now: Timestamp, every: Duration) -> bool {
    let costs_nothing = |next: Next| next.network != Some(NetworkNeed::Unmetered);
    let Some(row) = scan.row().filter(|_| scan.next.is_some_and(costs_nothing) && !scan.needs_person) else { return false };
    let is_busy = view.is_some_and(|view| view.has_had_urgent || view.has_ready || view.is_held_up(&row.endpoint) || view.in_flight > 0);
    !is_busy && !has_had_urgent(row, now, every)
}

/// Whether a person has had the one attempt of this minute or of this pause.
fn has_had_urgent(row: &EndpointRow, now: Timestamp, every: Duration) -> bool {
    let last = row.delivery.urgent_at;
    let is_soon = last.is_some_and(|last| last <= now && (now - last).to_std().is_ok_and(|since| since < every));
    // A pause of the core's own is nobody's wish, also where it is the longer one.
    let asked_until = pause_end(row.delivery.asked_until, now);
    is_soon || asked_until.is_some() && asked_until == row.delivery.urgent_pause
}

/// Uses it up, right before a request leaves. None where it was used up elsewhere, or nothing leaves there.
pub(super) fn use_up(tx: &Transaction<'_>, key: &str, now: Timestamp) -> Result<Option<Spent>, StoreError> {
    let Some(StoredEndpoint::Readable(mut row)) = endpoint::find(tx, key)? else { return Ok(None) };
    if has_had_urgent(&row, now, URGENT_EVERY) {
        return Ok(None);
    }
    let spent = Spent { endpoint: key.to_owned(), at: now, before: (row.delivery.urgent_at, row.delivery.urgent_pause) };
    row.delivery.urgent_at = Some(now);
    row.delivery.urgent_pause = pause_end(row.delivery.asked_until, now);
    endpoint::save_delivery(tx, key, &row.delivery)?;
    Ok(Some(spent))
}

/// Gives it back, for the request has not left; unless there has been another one since.
pub(super) fn give_back(tx: &Transaction<'_>, spent: &Spent) -> Result<(), StoreError> {
    let Some(StoredEndpoint::Readable(mut row)) = endpoint::find(tx, &spent.endpoint)? else { return Ok(()) };
    let is_last = row.delivery.urgent_at.is_some_and(|at| at.timestamp_millis() == spent.at.timestamp_millis());
    if is_last {
        (row.delivery.urgent_at, row.delivery.urgent_pause) = spent.before;
        unless_damaged(endpoint::save_delivery(tx, &spent.endpoint, &row.delivery))?;
    }
    Ok(())
}
