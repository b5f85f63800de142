//! Connecting to a host that has several addresses, as RFC 8305 asks: the address that answers first is used.
//!
//! A host often has addresses of both families, and in many networks one family does not work. Tried one after another, such an
//! address costs seconds on every connection.

use std::collections::VecDeque;
use std::io::{self, PipeReader};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType};

use crate::port::FailureKind;

use super::attempt::IoFailure;
use super::failure::io_failure;

/// How long to wait for an address before the next one is tried in parallel: the "Connection Attempt Delay" of RFC 8305.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The order in which addresses are tried: the families take turns, that of the first address begins. `worked` comes before all others.
pub(super) fn in_order(addresses: &[SocketAddr], worked: Option<IpAddr>) -> Vec<SocketAddr> {
    let of_first_family = |address: &SocketAddr| addresses.first().is_some_and(|first| first.is_ipv4() == address.is_ipv4());
    let (mut turn, mut other): (VecDeque<SocketAddr>, _) = addresses.iter().partition(|address| of_first_family(address));
    let mut ordered = Vec::with_capacity(addresses.len());
    while let Some(address) = turn.pop_front() {
        ordered.push(address);
        if !other.is_empty() {
            std::mem::swap(&mut turn, &mut other);
        }
    }
    if let Some(at) = ordered.iter().position(|address| worked == Some(address.ip())) {
        ordered[..=at].rotate_right(1);
    }
    ordered
}

/// Connects to the first of these addresses that answers, and closes the other sockets before it returns. The next address is tried when
/// none has answered for a quarter of a second, or at once when one has failed. Ends at `until`, or when the other end of `stop` is closed.
pub(super) fn connect_first(addresses: &[SocketAddr], until: Instant, stop: &PipeReader) -> Result<TcpStream, IoFailure> {
    let mut untried = addresses.iter();
    let mut connecting: Vec<TcpStream> = Vec::new();
    let mut failure: Option<IoFailure> = None;
    let mut next_at = Instant::now();
    loop {
        let now = Instant::now();
        if now >= until {
            return Err(more_informative(failure, IoFailure::timeout()));
        }
        if now >= next_at
            && let Some(address) = untried.next()
        {
            match begin(address) {
                Ok(socket) => {
                    connecting.push(socket);
                    next_at = now + ATTEMPT_DELAY;
                }
                Err(error) => failure = Some(more_informative(failure, io_failure("connect", &error))),
            }
            continue;
        }
        if connecting.is_empty() {
            return Err(failure.unwrap_or_else(|| IoFailure::new(FailureKind::Dns, "the host has no address")));
        }
        let wake_at = if untried.len() == 0 { until } else { until.min(next_at) };
        let mut ready = wait(&connecting, stop, wake_at.saturating_duration_since(now)).map_err(|error| io_failure("connect", &error))?;
        if ready.stopped {
            return Err(IoFailure::new(FailureKind::Cancelled, "cancelled"));
        }
        for socket in std::mem::take(&mut connecting) {
            if ready.sockets.pop_front() != Some(true) {
                connecting.push(socket);
                continue;
            }
            match finish(socket) {
                Ok(socket) => return Ok(socket),
                Err(error) => {
                    failure = Some(more_informative(failure, io_failure("connect", &error)));
                    next_at = now;
                }
            }
        }
    }
}

/// The result of a wait.
struct Ready {
    stopped: bool,
    /// Which sockets have connected or failed.
    sockets: VecDeque<bool>,
}

fn wait(connecting: &[TcpStream], stop: &PipeReader, time: Duration) -> io::Result<Ready> {
    let mut polled = vec![PollFd::new(stop, PollFlags::IN)];
    polled.extend(connecting.iter().map(|socket| PollFd::new(socket, PollFlags::OUT)));
    // A time beyond the range of the system's clock means for ever.
    match poll(&mut polled, Timespec::try_from(time).ok().as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut ready: VecDeque<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
    Ok(Ready { stopped: ready.pop_front() == Some(true), sockets: ready })
}

/// Begins to connect, and does not wait.
fn begin(address: &SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::from(new_socket(if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 })?);
    socket.set_nonblocking(true)?;
    match rustix::net::connect(&socket, address) {
        // A signal does not end a connect that has begun.
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

/// The result of a connect that has ended.
fn finish(socket: TcpStream) -> io::Result<TcpStream> {
    match socket.take_error()? {
        Some(error) => Err(error),
        None => socket.set_nonblocking(false).map(|()| socket),
    }
}

#[cfg(not(target_vendor = "apple"))]
fn new_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(family, SocketType::STREAM, rustix::net::SocketFlags::CLOEXEC, None)?)
}

/// As the standard library does it: no flags there, and a write to a closed socket must not end the process.
#[cfg(target_vendor = "apple")]
fn new_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::net::sockopt::set_socket_nosigpipe(&socket, true)?;
    Ok(socket)
}

/// The more informative of two failures: first a refusal, then no answer, then no route. A missing route for one family does not matter when
/// the other family reached a host.
fn more_informative(before: Option<IoFailure>, now: IoFailure) -> IoFailure {
    let says = |failure: &IoFailure| match failure.kind {
        FailureKind::NoNetwork => 0,
        FailureKind::Timeout => 1,
        _ => 2,
    };
    before.filter(|before| says(before) >= says(&now)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;
    use std::sync::mpsc;
    use std::thread;

    use socket2::{Domain, Socket, Type};

    use super::*;

    const WAIT_LIMIT: Duration = Duration::from_secs(30);

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 443)).collect()
    }

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    fn refusing() -> SocketAddr {
        listener().1
    }

    /// An address of this machine that does not answer, while the sockets live.
    fn silent() -> (SocketAddr, Vec<Socket>) {
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let full = socket();
        full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
        full.listen(0).expect("a queue");
        let address = full.local_addr().expect("an address");
        let mut sockets = vec![full];
        for _ in 0..4 {
            let filler = socket();
            filler.set_nonblocking(true).expect("no waiting");
            let _ = filler.connect(&address);
            sockets.push(filler);
        }
        (address.as_socket().expect("an IP address"), sockets)
    }

    /// Sockets of this machine that wait for this address to answer.
    #[cfg(target_os = "linux")]
    fn connecting_to(address: SocketAddr) -> usize {
        let target = format!(":{:04X} 02", address.port());
        let table = std::fs::read_to_string("/proc/self/net/tcp").expect("the list of sockets");
        table.lines().filter(|row| row.contains(&target)).count()
    }

    #[test]
    fn families_take_turns_and_what_worked_goes_first() {
        let answer = addresses(&["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"]);
        let turns = addresses(&["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"]);
        assert_eq!(in_order(&answer, None), turns);
        let known = addresses(&["192.0.2.2", "2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"]);
        assert_eq!(in_order(&answer, Some(known[0].ip())), known);
        // An address that the host no longer has is not tried.
        assert_eq!(in_order(&answer, Some(IpAddr::from([192, 0, 2, 9]))), turns);
        let one_family = addresses(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
        assert_eq!(in_order(&one_family, None), one_family);
        assert_eq!(in_order(&[], None), []);
    }

    #[test]
    fn an_address_that_never_answers_delays_no_other_for_long() {
        let (hole, _sockets) = silent();
        let (listener, address) = listener();
        let (stop, _running) = io::pipe().expect("a pipe");
        #[cfg(target_os = "linux")]
        let before = connecting_to(hole);
        // Each delays the next, and with a second each there would be no time left for the last.
        let all = [hole, hole, hole, hole, address];
        let socket = connect_first(&all, Instant::now() + Duration::from_secs(4), &stop).expect("a connection");
        assert_eq!(socket.peer_addr().expect("a peer"), address);
        #[cfg(target_os = "linux")]
        assert!(connecting_to(hole) <= before, "the other ones are closed");
        // The socket waits again, as others expect of it.
        drop(listener.accept().expect("it came"));
        assert_eq!((&socket).read(&mut [0]).expect("the end"), 0);
    }

    #[test]
    fn after_an_address_that_fails_the_next_is_tried_at_once() {
        let (_listener, address) = listener();
        let (stop, _running) = io::pipe().expect("a pipe");
        // One after another with a delay between them, they would take longer than there is time.
        let mut many = vec![refusing(); 200];
        many.push(address);
        let socket = connect_first(&many, Instant::now() + WAIT_LIMIT, &stop).expect("a connection");
        assert_eq!(socket.peer_addr().expect("a peer"), address);
    }

    #[test]
    fn of_several_failures_the_most_informative_counts() {
        let (hole, _sockets) = silent();
        let (stop, _running) = io::pipe().expect("a pipe");
        // By then all that can fail have failed.
        let time = ATTEMPT_DELAY + Duration::from_secs(1);
        let kind = |addresses: &[SocketAddr]| connect_first(addresses, Instant::now() + time, &stop).expect_err("a failure").kind;
        assert_eq!(kind(&[]), FailureKind::Dns);
        assert_eq!(kind(&[hole]), FailureKind::Timeout);
        for order in [[hole, refusing()], [refusing(), hole]] {
            assert_eq!(kind(&order), FailureKind::Refused);
        }
        if cfg!(not(target_os = "linux")) {
            return;
        }
        // An attempt that cannot even begin: the broadcast address.
        let nowhere = SocketAddr::from(([255, 255, 255, 255], 9));
        assert_eq!(kind(&[nowhere]), FailureKind::NoNetwork);
        for order in [[nowhere, refusing()], [refusing(), nowhere]] {
            assert_eq!(kind(&order), FailureKind::Refused);
        }
    }

    #[test]
    fn closing_the_other_end_stops_it_at_once() {
        let (hole, _sockets) = silent();
        let (stop, running) = io::pipe().expect("a pipe");
        let (done, outcome) = mpsc::channel();
        #[cfg(target_os = "linux")]
        let before = connecting_to(hole);
        let began = Instant::now();
        thread::spawn(move || done.send(connect_first(&[hole], began + 3 * WAIT_LIMIT, &stop).map(drop)));
        #[cfg(target_os = "linux")]
        while connecting_to(hole) <= before && began.elapsed() < WAIT_LIMIT {
            thread::yield_now();
        }
        drop(running);
        assert_eq!(outcome.recv_timeout(WAIT_LIMIT).expect("it ends at once").expect_err("a failure").kind, FailureKind::Cancelled);
    }
}
