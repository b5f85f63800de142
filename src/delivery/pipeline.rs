//! What is claimed, in flight and not yet settled, by endpoint. Whoever has the seat changes it; nobody else sees it.
//!
//! All of it is lost in a crash, and nothing with it: claims end by their leases, and results that were not settled are attempts of
//! unknown outcome.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::attempt::{Finished, Job};
use super::foreign;
use super::lane::Lane;
use super::mailbox::Mailbox;
use super::pool::Pool;
use super::settings::{LEASE_MARGIN, LOOK_UP, Ports, SETTLE_AFTER, Settings};
use super::settle::{Done, Judged};
use crate::model::Timestamp;
use crate::outbox::lease_is_void;
use crate::port::Transport;
use crate::store::outbox::queue::Lease;

/// Requests are named uniquely in the process, whichever handle they belong to: handles may share a transport.
static NEXT_REQUEST: AtomicU64 = AtomicU64::new(1);

/// A name for a request.
pub(super) fn next_request() -> u64 {
    NEXT_REQUEST.fetch_add(1, Ordering::Relaxed)
}

/// An attempt that runs.
pub(super) struct Flight {
    endpoint: String,
    entry: i64,
    cancelled: Arc<AtomicBool>,
    /// When it must be over, by the monotonic clock.
    overdue_at: Duration,
}

/// The pipeline.
pub(super) struct Pipeline {
    pub(super) lanes: BTreeMap<String, Lane>,
    /// Attempts that run, by request.
    in_flight: HashMap<u64, Flight>,
    /// Attempts that were given up and have not ended yet, by request. Their results still count.
    detached: HashMap<u64, Flight>,
    /// Results, judged, in the order in which they came.
    pub(super) unsettled: Vec<Judged>,
    /// Claims of which nothing was begun.
    pub(super) releases: Vec<Lease>,
    /// When the first of what is unsettled came.
    unsettled_since: Option<Instant>,
    /// Something may be due that was not looked for yet.
    pub(super) look: bool,
    looked_at: Instant,
    turns: u64,
    ports: Arc<Ports>,
    mailbox: Arc<Mailbox>,
    pool: Pool,
}

impl Pipeline {
    pub(super) fn new(ports: Arc<Ports>, mailbox: Arc<Mailbox>) -> Self {
        Self {
            lanes: BTreeMap::new(),
            in_flight: HashMap::new(),
            detached: HashMap::new(),
            unsettled: Vec::new(),
            releases: Vec::new(),
            unsettled_since: None,
            look: true,
            looked_at: Instant::now(),
            turns: 0,
            pool: Pool::new(Arc::clone(&ports), Arc::clone(&mailbox)),
            ports,
            mailbox,
        }
    }

    /// An attempt has ended: its place is free. False when it had been given up.
    pub(super) fn landed(&mut self, finished: &Finished) -> bool {
        let Some(flight) = self.in_flight.remove(&finished.job.request) else {
            self.detached.remove(&finished.job.request);
            return false;
        };
        if let Some(lane) = self.lanes.get_mut(&flight.endpoint) {
            lane.in_flight = lane.in_flight.saturating_sub(1);
        }
        true
    }

    pub(super) fn keep(&mut self, judged: Judged) {
        self.unsettled_since.get_or_insert_with(Instant::now);
        self.unsettled.push(judged);
    }

    /// Entries that are being worked on, so that their leases are not taken for dead.
    pub(super) fn alive(&self) -> Vec<i64> {
        let ready = self.lanes.values().flat_map(|lane| lane.ready.iter().map(|claimed| claimed.lease.entry));
        self.in_flight.values().map(|flight| flight.entry).chain(ready).collect()
    }

    /// How many more attempts may run. Attempts that do not end although they were given up take up places beyond a full set of them.
    pub(super) fn free_slots(&self, total: u32) -> u32 {
        let stuck = (self.detached.len() as u32).saturating_sub(total);
        total.saturating_sub(self.in_flight.len() as u32).saturating_sub(stuck)
    }

    /// Begins what may begin. `timeout` is for each attempt. Gives how many began.
    pub(super) fn start_ready(&mut self, timeout: Duration, settings: &Settings) -> u32 {
        let mut began = 0;
        loop {
            let (now, monotonic) = (self.ports.clock.now(), self.ports.clock.monotonic());
            self.release_stuck(now, monotonic);
            let Some(key) = self.next_lane(now, monotonic, settings) else { return began };
            let request = next_request();
            self.turns += 1;
            let lane = self.lanes.get_mut(&key).expect("the next lane is one of the lanes");
            let Some(claimed) = lane.ready.pop_front() else { continue };
            let until = claimed.lease.until;
            let has_ended = lease_is_void(until, now, settings.limits.lease);
            if has_ended || (until - now).to_std().is_ok_and(|left| left < timeout + LEASE_MARGIN) {
                // Claimed too long ago to begin safely; it is claimed anew.
                self.give_back(claimed.lease);
                lane_ready(&mut self.lanes, &key).into_iter().for_each(|lease| self.give_back(lease));
                self.look = true;
                continue;
            }
            let cancelled = Arc::new(AtomicBool::new(false));
            let flight = Flight {
                endpoint: key.clone(),
                entry: claimed.lease.entry,
                cancelled: Arc::clone(&cancelled),
                overdue_at: monotonic + timeout + LEASE_MARGIN,
            };
            let job = Job {
                request,
                endpoint: Arc::clone(&lane.endpoint),
                skew_ms: lane.state.clock_skew_ms.unwrap_or(0),
                timeout,
                cancelled,
                allow_plain_http_to_loopback: settings.allow_plain_http_to_loopback,
                claimed,
            };
            if let Err(job) = self.pool.start(job) {
                lane.ready.push_front(job.claimed);
                log::warn!("no thread for another attempt");
                return began;
            }
            lane.in_flight += 1;
            lane.turn = self.turns;
            self.in_flight.insert(request, flight);
            began += 1;
        }
    }

    /// Whose turn it is: the endpoint with the fewest attempts in flight, then the one that waited longest. Endpoints in trouble
    /// together get half of the places at most, and the last place is for an endpoint that has none.
    fn next_lane(&self, now: Timestamp, monotonic: Duration, settings: &Settings) -> Option<String> {
        let policy = &settings.policy;
        let total = policy.in_flight_total;
        let free = self.free_slots(total);
        let troubled: u32 = self.lanes.values().filter(|lane| is_troubled(lane)).map(|lane| lane.in_flight).sum();
        let may_begin = |lane: &Lane| {
            !lane.ready.is_empty()
                && lane.room(now, monotonic, policy) > 0
                && (lane.in_flight == 0 || free > 1 || total <= policy.in_flight_max)
                && (!is_troubled(lane) || troubled < (total / 2).max(1))
        };
        let lanes = self.lanes.iter().filter(|(_, lane)| free > 0 && may_begin(lane));
        lanes.min_by_key(|(_, lane)| (lane.in_flight, lane.turn)).map(|(key, _)| key.clone())
    }

    fn release_stuck(&mut self, now: Timestamp, monotonic: Duration) {
        let stuck = self.lanes.values_mut().filter(|lane| lane.is_stuck(now, monotonic));
        let leases: Vec<Lease> = stuck.flat_map(|lane| lane.ready.drain(..)).map(|claimed| claimed.lease).collect();
        leases.into_iter().for_each(|lease| self.give_back(lease));
    }

    /// Gives back everything that was claimed and not begun.
    pub(super) fn release_ready(&mut self) {
        let leases: Vec<Lease> = self.lanes.values_mut().flat_map(|lane| lane.ready.drain(..)).map(|claimed| claimed.lease).collect();
        leases.into_iter().for_each(|lease| self.give_back(lease));
    }

    fn give_back(&mut self, lease: Lease) {
        self.releases.push(lease);
    }

    /// Whether it is time to settle: a full group, the first has waited long enough, or nothing more is coming.
    pub(super) fn must_settle(&self, batch: u32) -> bool {
        let has_any = !self.unsettled.is_empty() || !self.releases.is_empty();
        let is_old = self.unsettled_since.is_some_and(|since| since.elapsed() >= SETTLE_AFTER);
        has_any && (self.unsettled.len() >= batch as usize || is_old || (self.in_flight.is_empty() && self.has_nothing_ready()))
    }

    /// Whether something may be due and could begin. Costs nothing.
    pub(super) fn may_want_claim(&self, now: Timestamp, monotonic: Duration, settings: &Settings) -> bool {
        let wants_more = |lane: &Lane| lane.more && lane.ready.is_empty() && lane.room(now, monotonic, &settings.policy) > 0;
        let is_time = !self.in_flight.is_empty() && self.looked_at.elapsed() >= SETTLE_AFTER;
        self.free_slots(settings.policy.in_flight_total) > 0 && (self.look || is_time || self.lanes.values().any(wants_more))
    }

    /// Takes over what a look at the database has shown, with nothing to claim.
    pub(super) fn found_nothing(&mut self) {
        (self.look, self.looked_at) = (false, Instant::now());
        self.lanes.values_mut().filter(|lane| lane.ready.is_empty()).for_each(|lane| lane.more = false);
    }

    /// Takes over what a round has written.
    pub(super) fn written(&mut self, done: &mut Done, claimed: bool) {
        self.unsettled.clear();
        self.releases.clear();
        self.unsettled_since = None;
        for (key, row) in &done.rows {
            let lane = self.lanes.entry(key.clone()).or_insert_with(|| Lane::new(row));
            if let Some(clean) = done.clean.get(key) {
                lane.settled_clean = *clean;
            }
            lane.refresh(row);
        }
        // What was settled may be due again at once.
        self.look = !claimed;
        if claimed {
            self.looked_at = Instant::now();
            for (key, lane) in &mut self.lanes {
                lane.more = done.more.contains(key) || (lane.more && !lane.ready.is_empty());
            }
        }
        for claimed in done.claimed.drain(..) {
            if let Some(lane) = self.lanes.get_mut(&claimed.endpoint) {
                lane.ready.push_back(claimed);
            }
        }
    }

    /// Whether nothing is in flight, waiting to begin or unsettled.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.has_nothing_ready() && self.unsettled.is_empty() && self.releases.is_empty()
    }

    pub(super) fn is_flying(&self) -> bool {
        !self.in_flight.is_empty()
    }

    fn has_nothing_ready(&self) -> bool {
        self.lanes.values().all(|lane| lane.ready.is_empty())
    }

    /// How long to wait for news.
    pub(super) fn patience(&self) -> Duration {
        let settle_in = self.unsettled_since.map_or(LOOK_UP, |since| SETTLE_AFTER.saturating_sub(since.elapsed()));
        settle_in.clamp(Duration::from_millis(1), LOOK_UP)
    }

    /// Asks all running attempts to end. May be said again: a transport cannot cancel what it has not begun.
    pub(super) fn cancel(&self, transport: &dyn Transport) {
        for (request, flight) in &self.in_flight {
            flight.cancelled.store(true, Ordering::Release);
            foreign::call(|| transport.cancel(*request));
        }
    }

    /// Gives up attempts that a transport keeps far beyond their timeout. They take up no place any more, and their leases end.
    pub(super) fn give_up_overdue(&mut self, transport: &dyn Transport) {
        let monotonic = self.ports.clock.monotonic();
        let overdue: Vec<u64> =
            self.in_flight.iter().filter(|(_, flight)| flight.overdue_at <= monotonic).map(|(request, _)| *request).collect();
        for request in overdue {
            log::error!("the transport ignores a timeout");
            foreign::call(|| transport.cancel(request));
            if let Some(flight) = self.in_flight.remove(&request) {
                self.leave(request, flight);
            }
        }
    }

    fn leave(&mut self, request: u64, flight: Flight) {
        if let Some(lane) = self.lanes.get_mut(&flight.endpoint) {
            lane.in_flight = lane.in_flight.saturating_sub(1);
        }
        self.detached.insert(request, flight);
    }

    /// Gives up what still runs, and ends threads.
    pub(super) fn detach(&mut self) {
        for (request, flight) in std::mem::take(&mut self.in_flight) {
            self.leave(request, flight);
        }
        let fresh = Pool::new(Arc::clone(&self.ports), Arc::clone(&self.mailbox));
        std::mem::replace(&mut self.pool, fresh).retire();
    }
}

fn is_troubled(lane: &Lane) -> bool {
    lane.state.consecutive_failures > 0
}

fn lane_ready(lanes: &mut BTreeMap<String, Lane>, key: &str) -> Vec<Lease> {
    lanes.get_mut(key).map(|lane| lane.ready.drain(..).map(|claimed| claimed.lease).collect()).unwrap_or_default()
}
