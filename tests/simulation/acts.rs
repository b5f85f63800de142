//! What technicians, apps and the world around them do. An act is a few numbers that mean something in the world as it stands, so that a
//! list of acts still means something when some are left out.

use std::collections::BTreeSet;

use super::random::Rng;
use super::receiver::{Dates, Mode, RetryAfter};

/// One act. `at` chooses a process, `which` one of what there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act {
    // A technician.
    Complete {
        at: u64,
        answer: u64,
    },
    CompleteTooLarge {
        at: u64,
    },
    EndSession {
        at: u64,
    },
    Edit {
        at: u64,
        which: u64,
    },
    SendNotFired {
        at: u64,
        which: u64,
    },
    SendFailed {
        at: u64,
        which: u64,
    },
    SendPending {
        at: u64,
        which: u64,
    },
    SendCorrected {
        at: u64,
        which: u64,
    },
    Replay {
        at: u64,
        which: u64,
    },
    SendFailedAgain {
        at: u64,
    },
    Abandon {
        at: u64,
        which: u64,
    },
    Redact {
        at: u64,
        which: u64,
    },
    Repeat {
        at: u64,
        which: u64,
    },
    Purge {
        at: u64,
        days: u64,
    },
    Delete {
        at: u64,
        which: u64,
    },
    // An app.
    Foreground {
        at: u64,
    },
    Background {
        at: u64,
    },
    TakeHold {
        at: u64,
    },
    DropHold {
        at: u64,
    },
    Quiesce {
        at: u64,
    },
    StartDelivery {
        at: u64,
    },
    StopDelivery {
        at: u64,
    },
    Flush {
        at: u64,
        seconds: u64,
    },
    FlushUrgent {
        at: u64,
        seconds: u64,
    },
    CancelFlush {
        at: u64,
    },
    Offline {
        at: u64,
    },
    Online {
        at: u64,
        network: u64,
        validated: u64,
        metered: bool,
    },
    Unknown {
        at: u64,
    },
    Flap {
        at: u64,
        times: u64,
    },
    PutSame {
        at: u64,
        which: u64,
    },
    Move {
        at: u64,
        which: u64,
    },
    ChangePolicy {
        at: u64,
        which: u64,
    },
    Register {
        at: u64,
    },
    Disable {
        at: u64,
        which: u64,
    },
    Enable {
        at: u64,
        which: u64,
    },
    Archive {
        at: u64,
        which: u64,
    },
    IntegrationOff {
        at: u64,
    },
    IntegrationOn {
        at: u64,
    },
    SecretsChanged {
        at: u64,
    },
    Refresh {
        at: u64,
    },
    NextDue {
        at: u64,
    },
    Look {
        at: u64,
    },
    Check {
        at: u64,
    },
    Close {
        at: u64,
    },
    // The world.
    Kill {
        at: u64,
    },
    Stop {
        at: u64,
        seconds: u64,
    },
    Link {
        up: u64,
        app_hears: u64,
    },
    Receiver {
        which: u64,
        mode: Mode,
    },
    Dates {
        which: u64,
        dates: Dates,
        checks_time: bool,
    },
    SecretRight {
        which: u64,
    },
    SecretWrong {
        which: u64,
    },
    SecretMissing {
        which: u64,
    },
    SecretUnavailable {
        which: u64,
    },
    SecretHangs {
        which: u64,
    },
    SecretRotates {
        which: u64,
    },
    Refreshes {
        yes: bool,
    },
    ClockSkew {
        seconds: i64,
    },
    ClockJump {
        years: i64,
    },
    Clock1970,
    ClockRight,
    Deaf {
        yes: bool,
    },
    NoThreads {
        at: u64,
        yes: bool,
    },
    CorruptEntry {
        which: u64,
    },
    CorruptBody {
        which: u64,
    },
    CorruptEndpoint {
        which: u64,
    },
    RepairEndpoint {
        at: u64,
        which: u64,
    },
    Unstorable {
        which: u64,
    },
    Storable,
    FileTaken {
        ms: u64,
    },
    /// A receiver fails for three weeks.
    Weeks {
        which: u64,
    },
    /// The clock is known to be two hours off, and a certificate seems to have expired.
    Expired {
        at: u64,
    },
    // Time.
    Steps {
        count: u64,
    },
    Pass {
        ms: u64,
    },
}

impl Act {
    /// Its kind, for counts.
    pub fn kind(&self) -> String {
        let text = format!("{self:?}");
        text.split([' ', '{']).next().unwrap_or_default().to_owned()
    }
}

/// The list of acts that a seed stands for.
pub fn acts(seed: u64, count: usize) -> Vec<Act> {
    let mut rng = Rng::new(seed ^ 0xac75);
    // Each seed has its own liking, so that some do a few things much more often.
    let likings: Vec<u64> = (0..6).map(|_| rng.below(KINDS)).collect();
    // Most worlds are in the foreground from the beginning.
    let mut acts = Vec::with_capacity(count);
    if rng.chance(80) {
        acts.push(Act::Online { at: 0, network: 1, validated: rng.below(3), metered: false });
    }
    if rng.chance(70) {
        acts.push(Act::Foreground { at: 0 });
    }
    for _ in 0..rng.range(1, 4) {
        acts.push(Act::Complete { at: 0, answer: rng.next() });
    }
    while acts.len() < count {
        let kind = if rng.chance(30) { rng.pick(&likings) } else { rng.below(KINDS) };
        acts.push(act(kind, &mut rng));
    }
    acts
}

/// A list of acts of which four in five are these.
#[cfg(feature = "seeded-faults")]
pub fn leaning(seed: u64, count: usize, likes: &[Act]) -> Vec<Act> {
    let mut rng = Rng::new(seed ^ 0x1ea4);
    let mut acts = vec![Act::Online { at: 0, network: 1, validated: 1, metered: false }, Act::Complete { at: 0, answer: 1 }];
    while acts.len() < count {
        let kind = rng.below(KINDS);
        acts.push(if rng.chance(80) { rng.pick(likes) } else { act(kind, &mut rng) });
    }
    acts
}

/// A list of acts of which most are corrections and what may come between them, in two processes that deliver.
pub fn corrections(seed: u64, count: usize) -> Vec<Act> {
    let mut rng = Rng::new(seed ^ 0xc0de);
    let online = |at| Act::Online { at, network: 1, validated: 1, metered: false };
    let mut acts = vec![online(0), online(1), Act::Foreground { at: 0 }, Act::Foreground { at: 1 }];
    acts.extend([Act::Receiver { which: 0, mode: Mode::Slow }, Act::Complete { at: 0, answer: 1 }]);
    while acts.len() < count {
        let (at, which) = (rng.below(2), rng.next());
        acts.push(match rng.below(20) {
            0..=3 => Act::SendCorrected { at, which },
            4 => Act::Replay { at, which },
            5 => Act::Stop { at, seconds: rng.pick(&[20, 70, 90]) },
            6 => Act::Kill { at },
            7 => Act::Receiver { which, mode: rng.pick(&[Mode::Slow, Mode::Silent, Mode::Works, Mode::Closes, Mode::Status(500)]) },
            8 => Act::Complete { at, answer: which },
            9 | 10 => Act::Pass { ms: rng.pick(&[400, 3_000, 12_000, 33_000, 61_000]) },
            11 => Act::Foreground { at },
            12 => Act::SendFailed { at, which },
            13 => Act::Steps { count: rng.range(1, 5) },
            _ => act(rng.below(KINDS), &mut rng),
        });
    }
    acts
}

/// Numbers of kinds; some acts stand for several.
const KINDS: u64 = 100;

fn act(kind: u64, rng: &mut Rng) -> Act {
    let at = rng.below(2);
    let which = rng.next();
    match kind {
        0..=7 => Act::Complete { at, answer: which },
        8 if rng.chance(15) => Act::CompleteTooLarge { at },
        8 => Act::EndSession { at },
        9 if rng.chance(25) => Act::Redact { at, which },
        9 => Act::Edit { at, which },
        10 => Act::SendNotFired { at, which },
        11 => Act::SendFailed { at, which },
        12 => Act::SendPending { at, which },
        13 => Act::SendCorrected { at, which },
        14 => Act::SendFailedAgain { at },
        15 | 16 => Act::Abandon { at, which },
        17 => Act::Repeat { at, which },
        18 if rng.chance(50) => Act::Purge { at, days: rng.pick(&[0, 1, 30]) },
        18 => Act::Delete { at, which },
        19..=22 => Act::Foreground { at },
        23 => Act::Background { at },
        24 => Act::TakeHold { at },
        25 => Act::DropHold { at },
        26 => Act::Quiesce { at },
        27 => Act::StartDelivery { at },
        28 => Act::StopDelivery { at },
        29..=31 => Act::Flush { at, seconds: rng.pick(&[2, 3, 5, 10, 20, 25, 30, 60]) },
        32 | 33 => Act::FlushUrgent { at, seconds: rng.pick(&[5, 20, 30, 60]) },
        34 => Act::CancelFlush { at },
        35 | 36 => Act::Offline { at },
        37..=40 => Act::Online { at, network: rng.range(1, 3), validated: rng.below(3), metered: rng.chance(20) },
        41 => Act::Unknown { at },
        42 => Act::Flap { at, times: rng.range(2, 8) },
        43 => Act::PutSame { at, which },
        44 => Act::Move { at, which },
        45 => Act::ChangePolicy { at, which },
        46 => Act::Register { at },
        47 => Act::Disable { at, which },
        48 | 49 => Act::Enable { at, which },
        50 => Act::Archive { at, which },
        51 => Act::IntegrationOff { at },
        52 | 53 => Act::IntegrationOn { at },
        54 | 55 => Act::SecretsChanged { at },
        56 => Act::Refresh { at },
        57 => Act::NextDue { at },
        58 => Act::Look { at },
        59 if rng.chance(30) => Act::Check { at },
        59 => Act::Close { at },
        60 => Act::Kill { at },
        61 => Act::Stop { at, seconds: rng.pick(&[1, 10, 70, 200]) },
        62..=65 => Act::Link { up: rng.below(5), app_hears: rng.below(4) },
        66..=74 => Act::Receiver { which, mode: mode(rng) },
        75 => {
            let dates = rng.pick(&[Dates::None, Dates::Off(0), Dates::Off(420), Dates::Off(-420), Dates::Off(-1_800_000_000)]);
            Act::Dates { which, dates, checks_time: rng.chance(60) }
        }
        76 | 77 => Act::SecretRight { which },
        78 => Act::SecretWrong { which },
        79 => Act::SecretMissing { which },
        80 if rng.chance(50) => Act::SecretUnavailable { which },
        80 => Act::SecretHangs { which },
        81 => Act::SecretRotates { which },
        82 => Act::Refreshes { yes: rng.chance(50) },
        83 => Act::ClockSkew { seconds: rng.pick(&[-600, -420, -30, 30, 150, 420, 7_200]) },
        84 if rng.chance(60) => Act::ClockJump { years: rng.pick(&[-10, 10]) },
        84 => Act::Clock1970,
        85 | 86 => Act::ClockRight,
        87 => Act::Deaf { yes: rng.chance(50) },
        88 if rng.chance(10) => Act::Weeks { which },
        88 if rng.chance(20) => Act::Expired { at },
        88 if rng.chance(30) => Act::NoThreads { at, yes: true },
        88 => Act::NoThreads { at, yes: false },
        89 if rng.chance(50) => Act::CorruptEntry { which },
        89 => Act::CorruptBody { which },
        90 if rng.chance(50) => Act::CorruptEndpoint { which },
        90 => Act::RepairEndpoint { at, which },
        91 if rng.chance(50) => Act::Unstorable { which },
        91 => Act::Storable,
        92 => Act::FileTaken { ms: rng.pick(&[20, 400, 3_000, 9_000]) },
        93..=95 => Act::Steps { count: rng.range(1, 12) },
        _ => Act::Pass { ms: pass(rng) },
    }
}

/// Every kind that there is.
pub fn kinds() -> BTreeSet<String> {
    let mut rng = Rng::new(1);
    (0..KINDS * 100).map(|number| act(number % KINDS, &mut rng).kind()).collect()
}

fn pass(rng: &mut Rng) -> u64 {
    match rng.below(10) {
        0..=3 => rng.range(1, 900),
        4 | 5 => rng.range(1_000, 20_000),
        6 | 7 => rng.range(20_000, 100_000),
        8 => rng.range(100_000, 2_000_000),
        _ => rng.range(2_000_000, 60_000_000),
    }
}

/// How a receiver behaves from now on.
pub fn mode(rng: &mut Rng) -> Mode {
    // With each a status that would come too rarely among all there are.
    let (after, rare) = rng.pick(&[
        (RetryAfter::Nothing, 302),
        (RetryAfter::Seconds(30), 400),
        (RetryAfter::Seconds(600), 404),
        (RetryAfter::Seconds(1_000_000_000_000), 405),
        (RetryAfter::Date(300), 408),
        (RetryAfter::Nonsense, 413),
        (RetryAfter::Seconds(0), 418),
    ]);
    match rng.below(34) {
        0..=5 => Mode::Works,
        6 => Mode::Early,
        8..=10 => Mode::Status(rng.pick(&[
            100, 199, 200, 204, 302, 307, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 411, 413, 415, 418, 422, 425, 429, 451, 500,
            501, 502, 503, 504, 505, 511, 520, 600, 999,
        ])),
        11 => Mode::Status(410),
        12 | 13 => Mode::Pause(rng.pick(&[429, 503, 500, 408]), after),
        14 | 15 => Mode::Poison,
        16 => Mode::ConflictOnRepeat,
        17 | 18 => Mode::Silent,
        19 => Mode::Closes,
        20 => Mode::Garbage,
        21 => Mode::Slow,
        22 => Mode::Endless,
        23 => Mode::Refuses,
        24 => Mode::NoName,
        25 => Mode::NoRoute,
        26 => Mode::BadCertificate(rng.chance(50)),
        27 => Mode::PlainText,
        7 => Mode::Cancels,
        28 | 29 => Mode::Status(rare),
        30..=32 => Mode::Pause(rng.pick(&[429, 503]), rng.pick(&[RetryAfter::Seconds(600), RetryAfter::Nothing, RetryAfter::Date(300)])),
        _ => Mode::Broken,
    }
}
