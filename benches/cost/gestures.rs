//! What is measured: gestures of a technician and the steps of delivery, each by the core and, where there is a counterpart, by bare SQLite.

use std::path::Path;

use compass_core::Compass;

use super::bare::Bare;
use super::phone::{FIELDS, Phone};

/// The number of messages that are claimed and settled together.
pub(crate) const GROUP: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Core,
    Bare,
}

/// Does it so many times.
pub(crate) type Work = Box<dyn FnMut(usize)>;

/// Prepares a database in a folder for so many times.
type Prepare = fn(&Path, usize, Side) -> Work;

fn each(mut once: impl FnMut() + 'static) -> Work {
    Box::new(move |times| (0..times).for_each(|_| once()))
}

pub(crate) struct Gesture {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// How many of what is counted are in one repetition.
    pub(crate) per: usize,
    pub(crate) has_bare: bool,
    pub(crate) prepare: Prepare,
}

pub(crate) const GESTURES: [Gesture; 10] = [
    Gesture { name: "value", about: "set one of 30 fields", per: 1, has_bare: true, prepare: value },
    Gesture { name: "value_10", about: "set a field, path of 10 visits", per: 1, has_bare: true, prepare: |f, n, s| value_on(f, n, s, 10) },
    Gesture {
        name: "value_300",
        about: "set a field, path of 300 visits",
        per: 1,
        has_bare: true,
        prepare: |f, n, s| value_on(f, n, s, 300),
    },
    Gesture { name: "answer_10", about: "answer, path of 10 visits", per: 1, has_bare: true, prepare: |f, n, s| answer_on(f, n, s, 10) },
    Gesture { name: "answer_300", about: "answer, path of 300 visits", per: 1, has_bare: true, prepare: |f, n, s| answer_on(f, n, s, 300) },
    Gesture { name: "start", about: "start a session", per: 1, has_bare: false, prepare: start },
    Gesture { name: "complete", about: "complete 30 fields, 2 messages", per: 1, has_bare: true, prepare: complete },
    Gesture { name: "drain", about: "claim and settle a message", per: GROUP, has_bare: true, prepare: drain },
    Gesture { name: "open", about: "close and open", per: 1, has_bare: true, prepare: open },
    Gesture { name: "quiesced", about: "a query while quiesced", per: 1, has_bare: true, prepare: quiesced },
];

pub(crate) fn gesture(name: &str) -> &'static Gesture {
    GESTURES.iter().find(|gesture| gesture.name == name).unwrap_or_else(|| panic!("no gesture {name}"))
}

fn phone(folder: &Path) -> Phone {
    Phone::open(&folder.join("compass.db"))
}

/// The phone with an empty WAL, as bare SQLite gets it: otherwise what came before decides whether a checkpoint is counted.
fn again(phone: Phone) -> Phone {
    phone.compass.close().unwrap();
    Phone { compass: Compass::open(phone.options.clone()).unwrap(), options: phone.options }
}

/// The file of a phone, without the core.
fn bare(phone: Phone) -> Bare {
    phone.compass.close().unwrap();
    Bare::open(&phone.options.path)
}

fn value(folder: &Path, _: usize, side: Side) -> Work {
    let phone = phone(folder);
    let key = phone.filled_in("long").key;
    let mut number = 0;
    let mut next = move || {
        number += 1;
        (format!("field_{}", number % FIELDS), format!("17.5 bar at valve {}", number % 7))
    };
    match side {
        Side::Core => {
            let phone = again(phone);
            each(move || {
                let (field, text) = next();
                phone.set(key, &field, &text);
            })
        }
        Side::Bare => {
            let mut bare = bare(phone);
            let mut session = bare.session(key);
            each(move || {
                let (field, text) = next();
                bare.value(&mut session, &field, &text);
            })
        }
    }
}

fn value_on(folder: &Path, _: usize, side: Side, visits: usize) -> Work {
    let phone = phone(folder);
    let key = phone.on_round(visits).key;
    let mut number = 0;
    let mut next = move || {
        number += 1;
        format!("17.5 bar at valve {}", number % 10)
    };
    match side {
        Side::Core => {
            let phone = again(phone);
            each(move || phone.set(key, "reading", &next()))
        }
        Side::Bare => {
            let mut bare = bare(phone);
            let mut session = bare.session(key);
            each(move || bare.value(&mut session, "reading", &next()))
        }
    }
}

/// Each in a session of its own, except on a long path, which does not become much longer.
fn answer_on(folder: &Path, repetitions: usize, side: Side, visits: usize) -> Work {
    let phone = phone(folder);
    let is_long = visits > 100;
    let sessions: Vec<_> = (0..if is_long { 1 } else { repetitions }).map(|_| phone.on_round(visits)).collect();
    let mut number = 0;
    let mut next = move || {
        number += 1;
        if is_long { 0 } else { number - 1 }
    };
    match side {
        Side::Core => {
            let phone = again(phone);
            let mut sessions: Vec<_> = sessions.into_iter().map(|view| (view.key, view.visit)).collect();
            each(move || {
                let (key, visit) = &mut sessions[next()];
                phone.answer(*key, visit);
            })
        }
        Side::Bare => {
            let mut bare = bare(phone);
            let mut sessions: Vec<_> = sessions.into_iter().map(|view| bare.session(view.key)).collect();
            each(move || bare.answer(&mut sessions[next()]))
        }
    }
}

fn start(folder: &Path, _: usize, _: Side) -> Work {
    let phone = phone(folder);
    each(move || {
        phone.start("rounds");
    })
}

fn complete(folder: &Path, repetitions: usize, side: Side) -> Work {
    let phone = phone(folder);
    // So that the endpoint has a last number.
    phone.complete("long");
    let sessions: Vec<_> = (0..repetitions).map(|_| phone.filled_in("long")).collect();
    let mut number = 0;
    let mut next = move || {
        number += 1;
        number - 1
    };
    match side {
        Side::Core => {
            let phone = again(phone);
            each(move || {
                let view = &sessions[next()];
                phone.compass.complete(view.key, view.visit).unwrap();
            })
        }
        Side::Bare => {
            let mut bare = bare(phone);
            let mut sessions: Vec<_> = sessions.into_iter().map(|view| bare.session(view.key)).collect();
            each(move || bare.complete(&mut sessions[next()], 2))
        }
    }
}

/// A flush sends all that waits: all of it, or nothing.
fn drain(folder: &Path, groups: usize, side: Side) -> Work {
    let phone = phone(folder);
    phone.backlog(groups * GROUP);
    match side {
        Side::Core => {
            let phone = again(phone);
            Box::new(move |times| {
                if times > 0 {
                    assert_eq!(times, groups, "a flush sends the whole backlog");
                    phone.flush(groups * GROUP);
                }
            })
        }
        Side::Bare => {
            let mut bare = bare(phone);
            each(move || bare.drain(GROUP, GROUP))
        }
    }
}

fn open(folder: &Path, _: usize, side: Side) -> Work {
    let phone = phone(folder);
    let Phone { compass, options } = match side {
        Side::Core => phone,
        Side::Bare => return each(bare_opener(phone, 1)),
    };
    compass.close().unwrap();
    each(move || Compass::open(options.clone()).unwrap().close().unwrap())
}

fn quiesced(folder: &Path, _: usize, side: Side) -> Work {
    let phone = phone(folder);
    if side == Side::Bare {
        return each(bare_opener(phone, 2));
    }
    phone.compass.quiesce().unwrap();
    each(move || phone.look())
}

/// Opens the same tables and indexes so many times, and reads one row each time.
fn bare_opener(phone: Phone, times: usize) -> impl FnMut() {
    let path = phone.options.path.clone();
    drop(bare(phone));
    move || (0..times).for_each(|_| Bare::read_once(&path))
}
