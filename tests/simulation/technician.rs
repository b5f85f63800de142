//! What technicians do, carried out on the core.

use compass_core::model::*;

use super::perform::{MOST_WAITING, fine, text};
use super::world::{Cause, Check, World};

impl World {
    pub fn complete(&mut self, at: u64, answer: u64) -> Check {
        if self.rows.unsent().count() >= MOST_WAITING {
            return Ok(());
        }
        let place = self.place(at);
        let compass = self.compass(place);
        let (answer, actions) = [("office", 1), ("all", 4), ("many", 5), ("lab", 1), ("depot", 1), ("none", 0)][(answer % 6) as usize];
        let id = self.command();
        let session = fine(compass.start(&Start::new("visit", id)), &[])?.expect("starts").view.key;
        let value = format!("Mill Lane {}", self.commands);
        let site = FieldChange { field: "site".into(), change: Change::Set(FieldValue::Text(value.clone())) };
        self.corrections.says(session, Some(value));
        let commands = [
            Command::SetFields { changes: vec![site] },
            Command::Answer { visit: 1, answer: answer.into() },
            Command::Complete { visit: 2 },
        ];
        fine(compass.run(session, None, &commands, None), &[])?;
        self.after(Cause::Act("complete"))?;
        let record = compass.record(session).map_err(text)?;
        let made = record.actions.iter().filter(|action| !action.deliveries.is_empty()).count();
        let expected = if self.rows.integration { actions } else { 0 };
        if record.actions.len() != actions || made != expected {
            return Err(format!("completing made {made} of {expected} entries"));
        }
        self.after(Cause::Act("look"))
    }

    pub fn complete_too_large(&mut self, at: u64) -> Check {
        let place = self.place(at);
        let compass = self.compass(place);
        let id = self.command();
        let session = fine(compass.start(&Start::new("visit", id)), &[])?.expect("starts").view.key;
        let page =
            |number: u32| FieldChange { field: format!("page{number}"), change: Change::Set(FieldValue::Text("\u{1f525}".repeat(20_000))) };
        let commands = [
            Command::Answer { visit: 1, answer: "large".into() },
            Command::SetFields { changes: (1..=4).map(page).collect() },
            Command::Complete { visit: 2 },
        ];
        fine(compass.run(session, None, &commands, None), &[])?;
        self.after(Cause::Act("complete"))
    }

    pub fn end_session(&mut self, at: u64) -> Check {
        let place = self.place(at);
        let compass = self.compass(place);
        let (first, second) = (self.command(), self.command());
        let session = fine(compass.start(&Start::new("visit", first)), &[])?.expect("starts").view.key;
        fine(compass.answer(session, 1, "office"), &[])?;
        fine(compass.end(session, "nobody home", &second), &[])?;
        if let Some(record) = fine(compass.record(session), &[])? {
            for reason in record.actions.iter().filter_map(|action| action.reason.clone()) {
                self.coverage.count("reason", reason);
            }
        }
        self.after(Cause::Act("end"))
    }

    pub fn edit(&mut self, at: u64, which: u64) -> Check {
        let Some(entry) = self.one(which, |_| true) else { return Ok(()) };
        self.edit_site(at, entry.session)
    }

    /// The session and the key of an action that has not fired.
    pub fn not_fired(&self, which: u64) -> Result<Option<(i64, String)>, String> {
        let mut statement =
            self.sql.prepare_cached("SELECT session_id, key FROM action WHERE status = 'not_fired' ORDER BY id").map_err(text)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(text)?;
        let found: Vec<(i64, String)> = rows.collect::<Result<_, _>>().map_err(text)?;
        Ok(if found.is_empty() { None } else { Some(found[which as usize % found.len()].clone()) })
    }

    pub fn send_not_fired(&mut self, at: u64, which: u64) -> Check {
        let Some((session, action)) = self.not_fired(which)? else { return Ok(()) };
        let (place, session, id) = (self.place(at), self.session_of(session), self.command());
        fine(self.compass(place).send(session, &action, Some("Ada"), &id), &["payload_too_large"])?;
        self.after(Cause::Act("send"))
    }

    pub fn send(&mut self, at: u64, which: u64, state: &str) -> Check {
        let Some(entry) = self.one(which, |entry| entry.state == state) else { return Ok(()) };
        let (place, session, id) = (self.place(at), self.session_of(entry.session), self.command());
        fine(self.compass(place).send(session, &entry.action, Some("Ada"), &id), &["action_locked", "action_status", "payload_too_large"])?;
        self.after(Cause::Act("send"))
    }

    pub fn abandon(&mut self, at: u64, which: u64) -> Check {
        let Some(entry) = self.one(which, |entry| entry.state != "sent" && entry.reason != "abandoned") else { return Ok(()) };
        let (place, session, id) = (self.place(at), self.session_of(entry.session), self.command());
        let outcome = fine(self.compass(place).abandon(session, &entry.action, "Ada", "customer left", &id), &["action_status"])?;
        self.after(Cause::Act("abandon"))?;
        if outcome.is_some() {
            let now = &self.rows.entries[&entry.row];
            if now.reason != "abandoned" {
                return Err(format!("abandoned, and it is {} {}", now.state, now.reason));
            }
            self.coverage.count("reason", "abandoned");
        }
        Ok(())
    }

    /// The site of a session is redacted: its messages are abandoned or go on, and bodies that were delivered stay or go.
    pub fn redact(&mut self, at: u64, which: u64) -> Check {
        let Some(entry) = self.one(which, |_| true) else { return Ok(()) };
        let (place, session, command_id) = (self.place(at), self.session_of(entry.session), self.command());
        let redaction = Redaction {
            command_id,
            target: RedactionTarget::Field { key: "site".into() },
            actor: "Ada".into(),
            reason: "not ours to know".into(),
            pending: if which >> 40 & 1 == 0 { RedactPending::Abandon } else { RedactPending::Keep },
            bodies: if which >> 41 & 1 == 0 { RedactBodies::Forget } else { RedactBodies::Keep },
        };
        let outcome = fine(self.compass(place).redact(session, &redaction), &[])?;
        if self.corrections.says.get(&session).is_some_and(|says| says.0.is_some()) {
            self.corrections.says(session, None);
        }
        self.after(Cause::Act("redact"))?;
        let Some(outcome) = outcome else { return Ok(()) };
        if outcome.record.fields.iter().any(|field| field.definition.key == "site" && matches!(field.state, FieldState::Provided(_))) {
            return Err("redacted, and the record shows it".to_owned());
        }
        for delivery in outcome.record.actions.iter().flat_map(|action| &action.deliveries) {
            let is_named = outcome.bodies.contains(&delivery.id);
            if is_named && redaction.pending == RedactPending::Abandon && delivery.state == DeliveryState::Pending {
                return Err(format!("{} holds what was redacted, and waits", delivery.id));
            }
            if is_named && redaction.bodies == RedactBodies::Forget && delivery.state == DeliveryState::Sent {
                return Err(format!("{} holds what was redacted, and was to be forgotten", delivery.id));
            }
        }
        Ok(())
    }

    /// The same command once more, as an app repeats what may not have come through.
    pub fn repeat(&mut self, at: u64, which: u64) -> Check {
        let Some(entry) = self.one(which, |entry| entry.state == "failed" && entry.reason != "abandoned") else { return Ok(()) };
        let (place, session, id) = (self.place(at), self.session_of(entry.session), self.command());
        let compass = self.compass(place);
        fine(compass.abandon(session, &entry.action, "Ada", "twice", &id), &["action_status"])?;
        self.after(Cause::Act("abandon"))?;
        if let Some(outcome) = fine(compass.abandon(session, &entry.action, "Ada", "twice", &id), &["action_status"])?
            && outcome.applied != Applied::Repeated
        {
            return Err(format!("a repeated command was {:?}", outcome.applied));
        }
        self.after(Cause::Act("look"))
    }

    // An app.
}
