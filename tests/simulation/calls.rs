//! Calls of the core to its ports on their way: looking secrets up, and requests that travel, arrive, and are answered or not.

use std::time::Duration;

use compass_core::port::{FailureKind, Phase, RequestSent, TransportFailure, TransportRequest, TransportResponse};
use compass_core::testing::{BlockingAnswer, BlockingCall, Reply};

use super::keystore::TOKEN;
use super::port_calls::failure;
use super::receiver::{Mode, NOTHING_SENT, Reaction, header};
use super::world::{Cause, Check, Link, World};

/// A call that has not been answered.
pub struct Call {
    pub place: usize,
    pub life: u64,
    reply: Option<Reply>,
    endpoint: String,
    began: Duration,
    /// None: a look-up of secrets.
    pub request: Option<Request>,
}

/// A request on its way.
pub struct Request {
    /// What the core calls it.
    core_id: u64,
    pub endpoint: String,
    pub row: i64,
    pub attempt: u32,
    inner: TransportRequest,
    began: Duration,
    pub arrived: bool,
    pub cancelled: bool,
    /// Grows when the request is cancelled; events of an earlier round are skipped.
    round: u32,
}

impl Call {
    /// Its endpoint, and by when the core has cancelled it: half a minute for an attempt, and five seconds for a transport that ends nothing.
    pub fn ends_by(&self) -> (&str, Duration) {
        (&self.endpoint, self.began + Duration::from_secs(35))
    }
}

/// What happens by itself at a moment.
pub enum Event {
    /// The secrets that were looked up are told.
    Secrets {
        call: u64,
        answer: BlockingAnswer,
    },
    /// A request reaches its receiver.
    Arrives {
        call: u64,
        round: u32,
    },
    /// It ends.
    Answered {
        call: u64,
        round: u32,
        response: TransportResponse,
    },
    Fails {
        call: u64,
        round: u32,
        failure: TransportFailure,
    },
    /// The transport of a process comes back from a call to cancel or to be renewed.
    Done {
        place: usize,
        life: u64,
        reply: Reply,
    },
    /// Another process lets the file go.
    FileIsFree,
    /// The app hears of the network.
    AppHears {
        place: usize,
        connectivity: compass_core::model::Connectivity,
    },
}

impl World {
    pub fn begin_call(&mut self, place: usize, call: BlockingCall, reply: Reply) -> Check {
        let number = self.number();
        let life = self.processes[place].life;
        match call {
            BlockingCall::Secrets { refused, wanted, origin } => {
                self.note(format!("process {place} asks for {wanted:?} for {origin}, refused {refused:?}: call {number}"));
                if refused.iter().any(|name| name == TOKEN) && self.keystore.refreshes {
                    self.keystore.set_right(TOKEN);
                }
                let host = origin.trim_start_matches("https://").split('.').next().unwrap_or_default().to_owned();
                self.attempts.looked_up_at.insert((place, host.clone()), self.now());
                self.attempts.looked_up.insert((place, host.clone()), self.tick);
                let mut lookups = Vec::new();
                let mut hangs = false;
                for name in &wanted {
                    match self.keystore.look_up(name) {
                        None => hangs = true,
                        Some(lookup) => {
                            let found = matches!(lookup, compass_core::port::SecretLookup::Found { .. });
                            lookups.push(lookup);
                            if !found {
                                break;
                            }
                        }
                    }
                }
                self.calls.insert(number, Call { place, life, reply: Some(reply), endpoint: host, began: self.now(), request: None });
                let delay = match self.rng.below(20) {
                    _ if self.calm => Duration::from_millis(self.rng.range(0, 20)),
                    0 => Duration::from_secs(self.rng.range(1, 50)),
                    1 => Duration::from_millis(self.rng.range(100, 3_000)),
                    _ => Duration::from_millis(self.rng.range(0, 20)),
                };
                // One that hangs answers when everybody has forgotten it.
                let delay = if hangs { Duration::from_secs(self.rng.range(32, 120)) } else { delay };
                let answer = match hangs {
                    // Found after all, when nobody waits for it any more.
                    true if self.rng.chance(50) => self.keystore.all_right(&wanted),
                    true => wanted.iter().map(|_| compass_core::port::SecretLookup::Unavailable).collect(),
                    false => lookups,
                };
                self.schedule(delay, Event::Secrets { call: number, answer: BlockingAnswer::Secrets(answer) });
                Ok(())
            }
            BlockingCall::Send { mut request, send_check } => {
                let Some(left) = send_check.time_left() else {
                    let never_left = failure(FailureKind::Cancelled, Phase::Resolve, RequestSent::No);
                    self.reply(Some(reply), BlockingAnswer::Sent(Err(never_left)));
                    return Ok(());
                };
                request.timeout = request.timeout.min(left);
                let endpoint = request.url.trim_start_matches("https://").split('.').next().unwrap_or_default().to_owned();
                let attempt = header(&request, "compass-attempt").parse().unwrap_or(0);
                let row = self.check_begun(place, &endpoint, attempt, &request)?;
                self.note(format!(
                    "process {place} sends entry {row} attempt {attempt} to {endpoint}, {:?}: call {number}",
                    request.timeout
                ));
                let began = self.now();
                let core_id = request.id;
                let request = Request {
                    core_id,
                    endpoint: endpoint.clone(),
                    row,
                    attempt,
                    inner: request,
                    began,
                    arrived: false,
                    cancelled: false,
                    round: 0,
                };
                self.calls.insert(number, Call { place, life, reply: Some(reply), endpoint, began, request: Some(request) });
                self.leaves(number);
                Ok(())
            }
            // The world hears of these by themselves.
            BlockingCall::Cancel(_) | BlockingCall::Renew => Ok(()),
        }
    }

    fn request(&mut self, call: u64, round: u32) -> Option<&mut Request> {
        self.calls.get_mut(&call)?.request.as_mut().filter(|request| request.round == round)
    }

    /// How the request fares on its way.
    fn leaves(&mut self, call: u64) {
        let Some(request) = self.request(call, 0) else { return };
        let (timeout, endpoint) = (request.inner.timeout, request.endpoint.clone());
        let connect = timeout.min(Duration::from_secs(10));
        let soon = Duration::from_millis(self.rng.range(1, 200));
        let fails = |kind, phase| Event::Fails { call, round: 0, failure: failure(kind, phase, NOTHING_SENT) };
        let (after, event) = match self.link {
            Link::Down => match self.rng.below(4) {
                0 => (timeout.min(Duration::from_secs(5)), fails(FailureKind::Timeout, Phase::Resolve)),
                1 => (soon, fails(FailureKind::Dns, Phase::Resolve)),
                _ => (soon, fails(FailureKind::NoNetwork, Phase::Connect)),
            },
            Link::Portal => match self.rng.below(4) {
                0 => (soon, fails(FailureKind::Certificate { time_invalid: false }, Phase::Connect)),
                1 => (soon, fails(FailureKind::Tls, Phase::Connect)),
                2 => (soon, Event::Answered { call, round: 0, response: TransportResponse { status: 511, headers: vec![], body: vec![] } }),
                _ => (soon, fails(FailureKind::Refused, Phase::Connect)),
            },
            Link::Up => match self.receivers[&endpoint].refuses_connections() {
                Some((FailureKind::Timeout, phase)) => (connect, fails(FailureKind::Timeout, phase)),
                Some((kind, phase)) => (soon, fails(kind, phase)),
                None => (soon, Event::Arrives { call, round: 0 }),
            },
        };
        self.schedule(after, event);
    }

    fn arrives(&mut self, call: u64, round: u32) {
        let now = self.now();
        let (link, truth) = (self.link, self.clock.truth());
        let is_alive = self.calls.get(&call).is_some_and(|call| self.processes[call.place].life == call.life);
        let Some(request) = self.request(call, round) else { return };
        request.arrived = true;
        let endpoint = request.endpoint.clone();
        let inner = request.inner.clone();
        let (row, attempt, began, timeout) = (request.row, request.attempt, request.began, request.inner.timeout);
        let at_timeout = (began + timeout).saturating_sub(now);
        if link != Link::Up && !self.rng.chance(30) {
            // Lost with the link; the sender learns late or at once.
            let at_once = self.rng.chance(40);
            let kind = if at_once { FailureKind::Closed } else { FailureKind::Timeout };
            let after = if at_once { Duration::from_millis(5) } else { at_timeout };
            self.schedule(after, Event::Fails { call, round, failure: failure(kind, Phase::Receive, RequestSent::Maybe) });
            return;
        }
        let receiver = self.receivers.get_mut(&endpoint).expect("a receiver");
        let (before, mode) = (receiver.accepted.values().sum::<u32>(), receiver.mode);
        let reaction = receiver.takes(&inner, truth, &self.keystore, &mut self.rng);
        let accepted = receiver.accepted.values().sum::<u32>() > before;
        self.note(format!("entry {row} attempt {attempt} arrives at {endpoint}{}", if accepted { " and is taken" } else { "" }));
        self.has_arrived(row, attempt, &inner, accepted);
        if !is_alive {
            return;
        }
        let soon = Duration::from_millis(self.rng.range(5, 400));
        let lost = |kind, sent| failure(kind, Phase::Receive, sent);
        match reaction {
            Reaction::Silence { endless } => {
                let after = at_timeout + if endless { Duration::from_secs(self.rng.range(20, 90)) } else { Duration::ZERO };
                self.schedule(after, Event::Fails { call, round, failure: lost(FailureKind::Timeout, RequestSent::Maybe) });
            }
            Reaction::Early => {
                let early = failure(FailureKind::Protocol, Phase::Send, RequestSent::Maybe);
                self.schedule(soon, Event::Fails { call, round, failure: early });
            }
            Reaction::Breaks(kind) => self.schedule(soon, Event::Fails { call, round, failure: lost(kind, RequestSent::Maybe) }),
            Reaction::Answers(response) => {
                let after = if mode == Mode::Slow { Duration::from_secs(self.rng.range(5, 32)) } else { soon };
                if after > at_timeout {
                    self.schedule(at_timeout, Event::Fails { call, round, failure: lost(FailureKind::Timeout, RequestSent::Maybe) });
                } else {
                    self.schedule(after, Event::Answered { call, round, response });
                }
            }
        }
    }

    /// The core asks for a request to be cancelled.
    pub fn cancel_request(&mut self, place: usize, core_id: u64) -> Check {
        let life = self.processes[place].life;
        let found = self.calls.iter_mut().find(|(_, call)| {
            call.place == place && call.life == life && call.request.as_ref().is_some_and(|request| request.core_id == core_id)
        });
        let Some((&number, call)) = found else { return Ok(()) };
        let Some(request) = &mut call.request else { return Ok(()) };
        let in_time = self.clock.world() < request.began + request.inner.timeout;
        // The thread that ends what quiesce has cancelled may do so after the next resume.
        if self.goes_on && in_time && !request.cancelled {
            return Err(format!("entry {} attempt {} was cancelled, and nothing ended", request.row, request.attempt));
        }
        request.cancelled = true;
        let (row, attempt, arrived) = (request.row, request.attempt, request.arrived);
        self.attempts.cancelled(row, attempt);
        let deaf = self.deaf || self.rng.chance(10);
        self.note(format!("process {place} calls entry {row} attempt {attempt} off{}", if deaf { ", without effect" } else { "" }));
        if deaf {
            return Ok(());
        }
        let Some(request) = self.calls.get_mut(&number).and_then(|call| call.request.as_mut()) else { return Ok(()) };
        request.round += 1;
        let round = request.round;
        let sent = if arrived { RequestSent::Maybe } else { RequestSent::No };
        let after = Duration::from_millis(self.rng.range(0, 5));
        self.schedule(after, Event::Fails { call: number, round, failure: failure(FailureKind::Cancelled, Phase::Receive, sent) });
        Ok(())
    }

    pub fn happens(&mut self, event: Event) -> Check {
        self.tick += 1;
        self.is_busy();
        if let Event::Secrets { call, .. } | Event::Answered { call, .. } | Event::Fails { call, .. } = &event
            && let Some(place) = self.calls.get(call).map(|call| call.place)
            && let Some(until) = self.processes[place].stopped_until.filter(|until| *until > self.now())
        {
            // A process that is stopped hears nothing until it goes on.
            self.schedule(until.saturating_sub(self.now()), event);
            return Ok(());
        }
        match event {
            Event::Arrives { call, round } => {
                self.arrives(call, round);
                Ok(())
            }
            Event::Secrets { call, answer } => {
                self.note(format!("call {call} brings secrets"));
                self.ends(call, answer)
            }
            Event::Answered { call, round, response } => {
                let Some(request) = self.request(call, round) else { return Ok(()) };
                let (row, attempt, endpoint) = (request.row, request.attempt, request.endpoint.clone());
                self.note(format!("entry {row} attempt {attempt} to {endpoint} is answered {}", response.status));
                self.told(call, row, attempt, Ok(&response));
                self.ends(call, BlockingAnswer::Sent(Ok(response)))
            }
            Event::Fails { call, round, failure } => {
                let Some(request) = self.request(call, round) else { return Ok(()) };
                let (row, attempt, endpoint) = (request.row, request.attempt, request.endpoint.clone());
                let TransportFailure { kind, phase, request_sent, .. } = &failure;
                self.note(format!("entry {row} attempt {attempt} to {endpoint} fails: {kind:?} {phase:?} {request_sent:?}"));
                self.told(call, row, attempt, Err(&failure));
                self.ends(call, BlockingAnswer::Sent(Err(failure)))
            }
            Event::Done { place, life, reply } => {
                if self.processes[place].life == life {
                    self.reply(Some(reply), BlockingAnswer::Done);
                }
                Ok(())
            }
            Event::FileIsFree => {
                self.note("the file is free again");
                self.sql.execute_batch("ROLLBACK").map_err(|error| error.to_string())
            }
            Event::AppHears { place, connectivity } => self.set_connectivity(place, connectivity),
        }
    }

    /// The answer reaches the process, or waits for it while it is stopped.
    fn ends(&mut self, number: u64, answer: BlockingAnswer) -> Check {
        let Some(call) = self.calls.remove(&number) else { return Ok(()) };
        if self.processes[call.place].life != call.life {
            return Ok(());
        }
        self.reply(call.reply, answer);
        // What comes when nobody drives is stored at once.
        self.after(Cause::Step(call.place))
    }

    /// Notes what the core is told, for what is to become of the entry.
    fn told(&mut self, call: u64, row: i64, attempt: u32, answer: Result<&TransportResponse, &TransportFailure>) {
        let Some(call) = self.calls.get(&call) else { return };
        let (place, life) = (call.place, call.life);
        if self.processes[place].life != life {
            return;
        }
        self.note_outcome(place, row, attempt, answer);
    }
}
