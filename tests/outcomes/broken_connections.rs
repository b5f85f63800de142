//! A connection that breaks after any number of bytes, in either direction: in the handshake, the request, the answer. `POINTS` says after how many
//! different numbers of bytes in each direction.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use compass_core::model::*;
use compass_core::transport::Timeouts;

use crate::ca;
use crate::phone::{Phone, SECRET, Setup, check_signature};
use crate::support::{Reply, TestServer};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Direction {
    ToReceiver,
    ToPhone,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    /// Both ends are told that it is over.
    Closes,
    /// The phone is told that it never was.
    Resets,
    /// Nobody is told; nothing comes any more.
    Falls,
}

/// What the next connection does.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Break {
    direction: Direction,
    /// Bytes of that direction that still pass.
    after: usize,
    how: How,
}

/// A router between phone and receiver.
struct Router {
    address: SocketAddr,
    state: Arc<Mutex<RouterState>>,
}

#[derive(Default)]
struct RouterState {
    breaks: Option<Break>,
    /// Bytes that came from the phone and from the receiver.
    to_receiver: usize,
    to_phone: usize,
}

impl Router {
    fn to(receiver: u16, breaks: Option<Break>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(RouterState { breaks, ..RouterState::default() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for phone in listener.incoming() {
                let (Ok(phone), Ok(receiver)) = (phone, TcpStream::connect(("127.0.0.1", receiver))) else { continue };
                for direction in [Direction::ToReceiver, Direction::ToPhone] {
                    let (phone, receiver) = (phone.try_clone().expect("a socket"), receiver.try_clone().expect("a socket"));
                    let state = Arc::clone(&shared);
                    thread::spawn(move || pass_on(direction, &phone, &receiver, &state));
                }
            }
        });
        Self { address, state }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/hook", self.address.port())
    }

    fn state<T>(&self, look: impl FnOnce(&mut RouterState) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Passes the bytes of one direction on, until an end closes or the connection breaks.
fn pass_on(direction: Direction, phone: &TcpStream, receiver: &TcpStream, state: &Mutex<RouterState>) {
    let (mut from, mut to) = if direction == Direction::ToReceiver { (phone, receiver) } else { (receiver, phone) };
    let (mut bytes, mut passed, mut has_fallen) = ([0; 4096], 0, false);
    loop {
        let count = from.read(&mut bytes).unwrap_or_default();
        let breaks = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            *(if direction == Direction::ToReceiver { &mut state.to_receiver } else { &mut state.to_phone }) += count;
            state.breaks
        };
        let breaks = breaks.filter(|breaks| breaks.direction == direction && breaks.after < passed + count);
        let passes = breaks.map_or(count, |breaks| breaks.after.saturating_sub(passed));
        if count == 0 || has_fallen || to.write_all(&bytes[..passes]).is_err() {
            if count > 0 && has_fallen {
                continue;
            }
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
        passed += count;
        match breaks.map(|breaks| breaks.how) {
            None => {}
            Some(How::Falls) => has_fallen = true,
            Some(how) => {
                if how == How::Resets {
                    let _ = socket2::SockRef::from(phone).set_linger(Some(Duration::ZERO));
                }
                for end in [phone, receiver] {
                    let _ = end.shutdown(Shutdown::Both);
                }
                return;
            }
        }
    }
}

/// Long enough for a whole attempt on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

struct Attempted {
    phone: Phone,
    receiver: TestServer,
    router: Router,
    session: SessionKey,
}

/// One message is tried over a connection that breaks like this.
fn attempt(breaks: Option<Break>) -> Attempted {
    let receiver = TestServer::https(ca(), |_| Reply::status(202));
    let router = Router::to(receiver.port(), breaks);
    let timeouts = Timeouts { resolve: PATIENCE, connect: PATIENCE, send: PATIENCE, receive: PATIENCE, body: PATIENCE };
    let phone = Setup { timeouts, ..Setup::steady() }.phone();
    phone.register("office", &router.url());
    let session = phone.complete_padded("office", 20_000);
    phone.flush();
    Attempted { phone, receiver, router, session }
}

fn check(breaks: Break) -> bool {
    let Attempted { phone, receiver, router, session } = attempt(Some(breaks));
    let first = phone.delivery(session);
    let came = receiver.requests().len();
    match first.state {
        DeliveryState::Sent => assert!(came > 0, "{breaks:?}: sent, and the receiver has nothing"),
        DeliveryState::Pending => {
            assert!(came == 0 || first.may_have_been_delivered, "{breaks:?}: the receiver has it, and nothing says so")
        }
        state => panic!("{breaks:?}: {state:?}"),
    }
    // The connection works again.
    router.state(|state| state.breaks = None);
    for _ in 0..10 {
        if phone.action(session).status == ActionStatus::Sent {
            break;
        }
        phone.advance_to_next(session);
        phone.flush();
    }
    let delivery = phone.delivery(session);
    assert_eq!(delivery.state, DeliveryState::Sent, "{breaks:?}: {:?}", delivery.reason);
    let copies = receiver.requests();
    let unknown = delivery.last_attempts.iter().filter(|attempt| attempt.may_have_been_delivered).count();
    assert!(copies.len() <= 1 + unknown, "{breaks:?}: {} copies, {unknown} unknown outcomes", copies.len());
    for copy in &copies {
        assert_eq!((copy.header("webhook-id"), &copy.body), (Some(delivery.id.0.as_str()), &copies[0].body), "{breaks:?}");
        check_signature("a copy", copy, &[SECRET]);
    }
    first.state == DeliveryState::Pending
}

#[test]
fn a_connection_that_breaks_anywhere_loses_nothing_and_hides_nothing() {
    let points = std::env::var("POINTS").map_or(8, |points| points.parse().expect("a number"));
    let whole = attempt(None);
    let (to_receiver, to_phone) = whole.router.state(|state| (state.to_receiver, state.to_phone));
    assert_eq!(whole.phone.action(whole.session).status, ActionStatus::Sent);
    let mut cases = Vec::new();
    for (direction, bytes) in [(Direction::ToReceiver, to_receiver), (Direction::ToPhone, to_phone)] {
        for point in 0..points {
            cases.extend([How::Closes, How::Resets, How::Falls].map(|how| Break { direction, after: point * bytes / points, how }));
        }
    }
    let (count, cases, failed) = (cases.len(), Mutex::new(cases), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(breaks) = { cases.lock().expect("not poisoned").pop() } {
                    if check(breaks) {
                        *failed.lock().expect("not poisoned") += 1;
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("not poisoned");
    assert!(failed > count / 2, "{failed} of {count} attempts failed: the connections do not break");
}
