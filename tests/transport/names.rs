//! Names that the network resolves wrongly, slowly or not at all. The names come from a server of the test, in namespaces of its own, where it is
//! the only one: the test starts itself there again. Where the system lets nobody make namespaces, nothing is tested, and the test says so.

use std::net::UdpSocket;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::*;

const INSIDE: &str = "COMPASS_TEST_NAMES_INSIDE";

/// What the server of names says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    /// A name that no question can be answered for now.
    ServerFailed,
    NoSuchName,
    Refused,
    Nothing,
    /// Not even a message.
    Garbage,
    /// Every name is this machine, as a portal says of itself.
    ThisMachine,
}

/// Answers each question of this socket as the test says.
fn serve(socket: &UdpSocket, says: &Mutex<Says>) {
    let mut packet = [0; 512];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut packet) else { return };
        let says = *says.lock().unwrap_or_else(PoisonError::into_inner);
        let question_ends = packet[12..length].iter().position(|byte| *byte == 0).map_or(length, |end| (12 + end + 5).min(length));
        let is_ipv4 = packet[..question_ends].ends_with(&[0, 1, 0, 1]);
        let has_address = says == Says::ThisMachine && is_ipv4;
        let code = match says {
            Says::ServerFailed => 2,
            Says::NoSuchName => 3,
            Says::Refused => 5,
            Says::ThisMachine => 0,
            Says::Nothing => continue,
            Says::Garbage => {
                let _ = socket.send_to(b"no", from);
                continue;
            }
        };
        let mut answer = packet[..2].to_vec();
        answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
        answer.extend(&packet[12..question_ends]);
        if has_address {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        }
        let _ = socket.send_to(&answer, from);
    }
}

/// Runs this test again as the only program of a network, where this machine is all there is.
fn in_namespaces(test: &str, folder: &Path) -> bool {
    std::fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").expect("a file");
    std::fs::write(folder.join("nsswitch.conf"), "hosts: files dns\n").expect("a file");
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "--mount", "sh", "-ec", script, "sh"]);
        command.arg(std::env::current_exe().expect("this program")).arg(test).arg(folder).env(INSIDE, "1").status()
    };
    let setup = r#"ip link set lo up; for name in resolv.conf nsswitch.conf; do mount --bind "$3/$name" "$(readlink -f /etc/$name)"; done"#;
    if !unshare(setup).is_ok_and(|status| status.success()) {
        println!("not tested: this system makes no namespaces");
        return false;
    }
    let status = unshare(&format!("{setup}; exec \"$1\" --exact \"$2\" --nocapture")).expect("it was there before");
    assert!(status.success(), "inside: {status}");
    true
}

#[test]
fn names_that_are_not_resolved_or_lead_to_a_stranger_get_nothing() {
    if std::env::var_os(INSIDE).is_none() {
        let folder = tempfile::tempdir().unwrap();
        in_namespaces("names::names_that_are_not_resolved_or_lead_to_a_stranger_get_nothing", folder.path());
        return;
    }
    let says = Arc::new(Mutex::new(Says::Nothing));
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    let shared = Arc::clone(&says);
    thread::spawn(move || serve(&socket, &shared));
    let ca = TestCa::new();
    let transport = transport(&ca);
    let attempt = |what: Says, port: u16| {
        *says.lock().unwrap() = what;
        transport.send(post(format!("https://office.example:{port}/hook"), "x"))
    };
    let portal = TestServer::builder().tls(&Identity::self_signed()).start();
    let strangers = TestServer::builder().tls(&ca.leaf_for("elsewhere.example")).start();
    let page = TestServer::builder().tls(&ca.leaf()).on_connect(|_| Greeting::PlainText).start();
    for what in [Says::ServerFailed, Says::NoSuchName, Says::Refused, Says::Nothing, Says::Garbage] {
        fails(attempt(what, portal.port()), FailureKind::Dns, Phase::Resolve, RequestSent::No);
    }
    for server in [&portal, &strangers] {
        fails(attempt(Says::ThisMachine, server.port()), CERTIFICATE, Phase::Connect, RequestSent::No);
    }
    fails(attempt(Says::ThisMachine, page.port()), FailureKind::Tls, Phase::Connect, RequestSent::No);
    assert!([portal, strangers, page].iter().all(|server| server.requests().is_empty()));
    // The name leads to the receiver again.
    let receiver = TestServer::builder().tls(&ca.leaf_for("office.example")).start();
    assert_eq!(attempt(Says::ThisMachine, receiver.port()).unwrap().status, 200);
}
