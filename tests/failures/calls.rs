//! The calls during which something fails.

use std::fmt::Debug;
use std::time::Duration;

use compass_core::model::*;
use compass_core::{Compass, DiscardUndelivered, Error, RestoreOptions};

use super::phone::{Phone, USED};
use super::support::app::{endpoint, pump_check, set, text};

/// What a call promises where it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It has happened altogether or not at all.
    Whole,
    /// Each of its transactions has.
    InParts,
    /// The same as [`Kind::Whole`], by a call that wants the database closed.
    OfClosed,
}
use Kind::{InParts, OfClosed, Whole};

/// What a call tells.
pub type Told = Result<String, Error>;

fn told<T: Debug>(result: Result<T, Error>) -> Told {
    result.map(|told| format!("{told:?}"))
}

pub struct Call {
    pub name: &'static str,
    pub kind: Kind,
    pub call: fn(&mut Phone) -> Told,
}

const fn call(name: &'static str, kind: Kind, call: fn(&mut Phone) -> Told) -> Call {
    Call { name, kind, call }
}

fn all_states() -> SessionFilter {
    use SessionState::{Completed, Discarded, Ended, InProgress};
    SessionFilter { states: vec![InProgress, Completed, Ended, Discarded], ..SessionFilter::default() }
}

fn discard() -> DiscardUndelivered {
    DiscardUndelivered { actor: "anna".into(), reason: "a new phone".into() }
}

fn redacts(target: RedactionTarget) -> Redaction {
    Redaction {
        command_id: "redact".into(),
        target,
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Abandon,
        bodies: RedactBodies::Forget,
    }
}

pub const CALLS: &[Call] = &[
    call("open", OfClosed, |phone| told(phone.open())),
    call("import_workflow", Whole, |phone| told(phone.compass().import_workflow(&pump_check(2)))),
    call("put_endpoint", Whole, |phone| told(phone.compass().put_endpoint(&endpoint("depot")))),
    call("start", Whole, |phone| told(phone.compass().start(&Start::new("pump-check", "one")))),
    call("set_field", Whole, |phone| told(phone.compass().set_field(USED.begun, "site", text("Mill Lane")))),
    call("set_fields", Whole, |phone| {
        let values = vec![set("site", text("Mill Lane")), set("remark", text(&"long ".repeat(1_500)))];
        told(phone.compass().set_fields(USED.begun, values))
    }),
    call("save_draft", Whole, |phone| told(phone.compass().save_draft(USED.begun, "remark", "half a wo"))),
    call("note", Whole, |phone| told(phone.compass().note(USED.begun, "A dog", "note"))),
    call("answer", Whole, |phone| told(phone.compass().answer(USED.at_the_end, 2, "fine"))),
    call("back", Whole, |phone| told(phone.compass().back(USED.at_the_end, 3, 1))),
    call("complete", Whole, |phone| told(phone.compass().complete(USED.at_the_end, 3))),
    call("end", Whole, |phone| told(phone.compass().end(USED.begun, "nobody home", "end"))),
    call("discard", Whole, |phone| told(phone.compass().discard(USED.begun))),
    call("edit", Whole, |phone| {
        let values = vec![set("site", text("Mill Road"))];
        told(phone.compass().edit(USED.sent, Some("anna"), None, values, vec![], "edit 2"))
    }),
    call("send_corrected", Whole, |phone| told(phone.compass().send_corrected(USED.edited, "report", Some("anna"), "send"))),
    call("replay", Whole, |phone| told(phone.compass().replay(USED.sent, "report", Some("anna"), "replay"))),
    call("abandon", InParts, |phone| told(phone.compass().abandon(USED.waiting, "report", "anna", "not needed", "abandon"))),
    call("flush", InParts, |phone| told(phone.flush())),
    call("sessions", Whole, |phone| told(phone.compass().sessions(&all_states(), None, 50))),
    call("search", Whole, |phone| {
        let filter = SessionFilter { text: Some("mill".into()), ..all_states() };
        told(phone.compass().sessions(&filter, None, 50))
    }),
    call("session", Whole, |phone| told(phone.compass().session(USED.waiting))),
    call("session, quiesced", Whole, |phone| {
        // On a connection of its own.
        phone.compass().quiesce()?;
        told(phone.compass().session(USED.waiting))
    }),
    call("record", Whole, |phone| told(phone.compass().record(USED.edited))),
    call("totals", Whole, |phone| told(phone.compass().totals())),
    call("outbox", Whole, |phone| told(phone.compass().outbox(&OutboxFilter::default(), None, 50))),
    call("preview", Whole, |phone| told(phone.compass().preview(USED.waiting, "report"))),
    call("workflows", Whole, |phone| told(phone.compass().workflows())),
    call("check", Whole, |phone| told(phone.compass().check())),
    call("redact a field", InParts, |phone| {
        told(phone.compass().redact(USED.edited, &redacts(RedactionTarget::Field { key: "site".into() })))
    }),
    call("redact a note", InParts, |phone| told(phone.compass().redact(USED.sent, &redacts(RedactionTarget::Note { seq: USED.note })))),
    call("delete", InParts, |phone| told(phone.compass().delete(USED.sent))),
    call("purge", InParts, |phone| told(phone.compass().purge(Duration::ZERO))),
    call("purge_all_before", InParts, |phone| told(phone.compass().purge_all_before(phone.now(), "anna"))),
    call("backup", Whole, |phone| told(phone.compass().backup(&phone.folder.path().join("backup.db")))),
    call("restore", OfClosed, |phone| {
        told(Compass::restore(phone.copy(), &RestoreOptions::new(phone.path()).discard_undelivered(discard())))
    }),
    call("salvage", OfClosed, |phone| {
        let to = phone.folder.path().join("salvaged");
        let report = Compass::salvage(phone.path(), &to)?;
        told(Ok((report, std::fs::read_to_string(to).unwrap())))
    }),
    call("erase", OfClosed, |phone| told(Compass::erase(phone.path(), Some(&discard())))),
];
