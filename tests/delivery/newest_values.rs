//! The receiver ends with the newest values, whatever is corrected, repeated, lost on the way, and put back from a backup.

use std::collections::BTreeMap;
use std::path::PathBuf;

use compass_core::{DiscardUndelivered, RestoreOptions};

use super::*;

/// Lists of acts that are tried; the variable `SEEDS` may ask for more.
const SEEDS: u64 = 36;
/// How long each is.
const ACTS: usize = 60;

/// What a receiver keeps, by the rule for receivers: of each number, which groups the revisions of an action, the values of the highest revision,
/// and of two equal ones those that came later for the first time.
#[derive(Debug, Default)]
struct Kept {
    ids: BTreeSet<String>,
    by_number: BTreeMap<String, Newest>,
}

#[derive(Debug, Default, Clone)]
struct Newest {
    session: String,
    revision: u32,
    value: String,
}

impl Kept {
    fn take(&mut self, request: &TransportRequest) {
        if !self.ids.insert(header(request, "webhook-id")) {
            return;
        }
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let revision: u32 = header(request, "compass-revision").parse().unwrap();
        let value = body["fields"].as_array().unwrap().first().map_or_else(String::new, |field| text(&field["value"]));
        let kept = self.by_number.entry(header(request, "compass-sequence")).or_default();
        if revision >= kept.revision {
            *kept = Newest { session: text(&body["key"]), revision, value };
        }
    }
}

/// Random numbers of a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

struct Phone {
    field: Field,
    receivers: Receivers,
    kept: Arc<Mutex<Kept>>,
    /// The numbers of the copies that are of the history of the present database: a restore forgets what its copy does not know.
    backups: Vec<usize>,
    copies: usize,
    values: usize,
    acts: Vec<String>,
}

impl Phone {
    fn new() -> Self {
        let (field, receivers) = phone(|_| Ok(answer(202)));
        let phone = Self { field, receivers, kept: Arc::default(), backups: Vec::new(), copies: 0, values: 0, acts: Vec::new() };
        phone.receiver(0);
        phone
    }

    /// How the receiver, and the way to it, are from now on. Whatever the phone is told, the receiver has what it has taken.
    fn receiver(&self, how: usize) {
        let kept = Arc::clone(&self.kept);
        self.receivers.now(move |request| {
            if how < 3 {
                kept.lock().unwrap().take(request);
            }
            match how {
                0 | 1 => Ok(answer(202)),
                // It took the message, and the answer is lost.
                2 => Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)),
                3 => Err(failure(FailureKind::Timeout, Phase::Connect, RequestSent::No)),
                _ => Ok(answer(500)),
            }
        });
    }

    /// The sessions that are completed, or those in progress.
    fn sessions(&self, state: SessionState) -> Vec<SessionKey> {
        let listed = self.field.compass.sessions(&SessionFilter::default(), None, 100).unwrap().sessions;
        listed.into_iter().filter(|session| session.state == state).map(|session| session.key).collect()
    }

    fn start(&mut self) -> SessionKey {
        self.values += 1;
        let view = self.field.compass.start(&Start::new("visit", id())).unwrap().view;
        self.field.compass.set_field(view.key, "reading", FieldValue::Text(format!("value {}", self.values))).unwrap();
        view.key
    }

    fn finish(&self, session: SessionKey) {
        let visit = self.field.compass.session(session).unwrap().visit;
        self.field.compass.complete(session, visit).unwrap();
    }

    /// What the session says.
    fn value(&self, session: SessionKey) -> String {
        match &self.field.compass.record(session).unwrap().fields[0].state {
            FieldState::Provided(FieldValue::Text(value)) => value.clone(),
            other => panic!("{session} says {other:?}"),
        }
    }

    fn edit(&mut self, session: SessionKey) -> String {
        self.values += 1;
        let value = format!("value {}", self.values);
        let change = support::app::set("reading", FieldValue::Text(value.clone()));
        self.field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
        value
    }

    /// A person cannot always do this: what is not allowed changes nothing.
    fn send(&self, session: SessionKey) {
        let action = self.field.action(session);
        if action.can_send_corrected {
            self.field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
        } else if action.can_send {
            self.field.compass.send(session, "tell-0", Some("anna"), &id()).unwrap();
        }
    }

    fn backup_path(&self, number: usize) -> PathBuf {
        self.field.folder.path().join(format!("backup-{number}.db"))
    }

    fn back_up(&mut self) {
        self.acts.push(format!("backup {}", self.copies));
        self.field.compass.backup(&self.backup_path(self.copies)).unwrap();
        self.backups.push(self.copies);
        self.copies += 1;
    }

    fn restore(&mut self, number: usize) {
        let discard = DiscardUndelivered { actor: "anna".into(), reason: "the phone was lost".into() };
        let options = RestoreOptions::new(self.field.path()).discard_undelivered(discard);
        self.field.compass.close().unwrap();
        Compass::restore(self.backup_path(number), &options).unwrap();
        self.field.compass = Compass::open(self.field.options.clone()).unwrap();
    }

    fn act(&mut self, random: &mut Random) {
        let (sessions, open) = (self.sessions(SessionState::Completed), self.sessions(SessionState::InProgress));
        let session = sessions.get(random.below(sessions.len().max(1))).copied();
        match (random.below(18), session) {
            (0, _) => {
                let session = self.start();
                self.acts.push(format!("start {session}"));
                if random.below(2) == 0 {
                    self.back_up();
                }
            }
            (1 | 2, _) if !open.is_empty() => {
                let session = open[random.below(open.len())];
                self.acts.push(format!("complete {session}"));
                self.finish(session);
            }
            (_, None) => {
                let session = self.start();
                self.acts.push(format!("complete {session} at once"));
                self.finish(session);
            }
            (3, Some(session)) => {
                self.acts.push(format!("edit {session}"));
                self.edit(session);
            }
            (4..=6, Some(session)) => {
                self.acts.push(format!("correct {session}"));
                self.edit(session);
                self.send(session);
            }
            (7, Some(session)) => {
                self.acts.push(format!("send {session}"));
                self.send(session);
            }
            (8, Some(session)) => {
                self.acts.push(format!("replay {session}"));
                self.field.compass.replay_session(session, Some("anna"), &id()).unwrap();
            }
            (9, Some(session)) if self.field.action(session).can_abandon => {
                self.acts.push(format!("abandon {session}"));
                self.field.compass.abandon(session, "tell-0", "anna", "told by telephone", &id()).unwrap();
            }
            (10, _) => {
                self.back_up();
            }
            (11 | 12, _) if !self.backups.is_empty() => {
                let place = random.below(self.backups.len());
                self.acts.push(format!("restore {}", self.backups[place]));
                self.restore(self.backups[place]);
                self.backups.truncate(place + 1);
            }
            (14, Some(session)) => {
                // Not while a message of it waits. A restore may bring it back.
                let deleted = self.field.compass.delete(session).map_err(|error| error.code());
                self.acts.push(format!("delete {session}: {:?}", deleted.map(|report| report.erased)));
            }
            (13, _) => {
                let how = random.below(5);
                self.acts.push(format!("receiver {how}"));
                self.receiver(how);
            }
            _ => {
                self.acts.push("flush".into());
                self.field.clock.advance(HOUR);
                self.field.flush();
            }
        }
    }
}

#[test]
fn the_receiver_ends_with_the_newest_values_whatever_happened_before() {
    let seeds = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    for seed in 1..=seeds {
        let (mut phone, mut random) = (Phone::new(), Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        for _ in 0..ACTS {
            phone.act(&mut random);
        }
        // At the end the receiver works, and whoever wants his values there sends them.
        phone.receiver(0);
        for session in phone.sessions(SessionState::InProgress) {
            phone.finish(session);
        }
        let sessions = phone.sessions(SessionState::Completed);
        // Some of them without an edit.
        let mut wanted = |session| (session, if random.below(3) == 0 { phone.value(session) } else { phone.edit(session) });
        let last: Vec<(SessionKey, String)> = sessions.into_iter().map(&mut wanted).collect();
        for (session, _) in &last {
            phone.send(*session);
        }
        for _ in 0..6 {
            phone.field.clock.advance(HOUR);
            phone.field.flush();
        }
        for (session, value) in last {
            let action = phone.field.action(session);
            let all = phone.kept.lock().unwrap();
            let kept: Vec<_> = all.by_number.iter().filter(|(_, kept)| kept.session == session.to_string()).collect();
            assert_eq!(
                (action.status, action.differs_from_sent, kept.iter().map(|(_, kept)| &kept.value).collect::<Vec<_>>()),
                (ActionStatus::Sent, false, vec![&value]),
                "seed {seed}, session {session}, kept {kept:?}, revisions {:?}:\n{}",
                action.deliveries.iter().map(|delivery| (delivery.revision, delivery.state)).collect::<Vec<_>>(),
                phone.acts.join("\n")
            );
        }
        assert_eq!(phone.field.compass.check().unwrap().faults, [""; 0], "seed {seed}");
    }
}
