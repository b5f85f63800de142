//! Running sessions.

use std::collections::BTreeSet;

use super::act::{Known, Subject, command_hash, look_up};
use super::{Changed, Compass, Inner, Result};
use crate::engine::session::{self as engine, Decision};
use crate::error::Error;
use crate::model::{
    Act, Applied, Change, Command, CommandOutcome, EVENT_VERSION, Event, FieldChange, FieldValue, NoteChange, RecordOutcome, SessionKey,
    SessionState, SessionView, Start, Timestamp, Workflow, echoed,
};
use crate::store::{self, Connection, Transaction};

/// The longest half-typed text that is kept: more than any field takes, so that nothing typed is cut.
const MAX_DRAFT: usize = 64 * 1024;

impl Compass {
    /// Starts a session on the current version of a workflow, or on the one that is named.
    ///
    /// # Errors
    /// `UnknownWorkflow`, `NotStartable` with what is missing, `Refused` with every problem of the prefill, `CommandIdReused`.
    pub fn start(&self, start: &Start) -> Result<CommandOutcome> {
        let inner = &self.inner;
        let stamp = inner.stamp(start.actor.as_deref())?;
        let hash = command_hash(None, start)?;
        let key = inner.new_key(stamp.at);
        inner.write(|tx| {
            if let Known::Repeated(key) = look_up(tx, &start.command_id, hash)? {
                let view = inner.view(tx, key)?;
                return Ok((CommandOutcome { applied: Applied::Repeated, view }, Changed::nothing()));
            }
            let row = inner.version(tx, &start.workflow, start.version)?;
            if !row.startable {
                return Err(Error::NotStartable { workflow: row.workflow, findings: row.findings });
            }
            let document = inner.document_of(tx, row.id, row.hash)?;
            let workflow = &document.workflow;
            let event = Event {
                seq: 1,
                v: EVENT_VERSION,
                at: stamp.at,
                utc_offset: stamp.utc_offset,
                actor: start.actor.clone(),
                command_id: Some(start.command_id.clone()),
                act: engine::start(workflow, &row.hash, start)?,
            };
            let state = engine::begin(key, workflow, &event)
                .ok_or_else(|| Error::Internal { detail: "a session does not begin with its first event".to_owned() })?;
            let mut subject = Subject { id: 0, document, hash: row.hash, state };
            subject.id = store::session::insert(tx, row.id, &subject.state, subject.section_name(), &event, Some(hash))?;
            let view = engine::view(subject.workflow(), &subject.state, &Default::default());
            Ok((CommandOutcome { applied: Applied::Yes, view }, Changed::session(key)))
        })
    }

    /// Carries out several commands in one call, all or none, at the cost of one fsync. When one of them is stale, none is carried out and
    /// the outcome is stale.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `Refused` with every problem at once, `CommandIdReused`. Nothing is changed then.
    pub fn run(&self, session: SessionKey, actor: Option<&str>, commands: &[Command]) -> Result<CommandOutcome> {
        self.run_and_show(session, actor, commands, |_, _, outcome| Ok(outcome))
    }

    /// The same; `show` makes of the outcome what the call gives, in the same transaction.
    fn run_and_show<T>(
        &self,
        session: SessionKey,
        actor: Option<&str>,
        commands: &[Command],
        show: impl FnOnce(&Transaction<'_>, Timestamp, CommandOutcome) -> Result<T>,
    ) -> Result<T> {
        let inner = &self.inner;
        let stamp = inner.stamp(actor)?;
        inner.write(|tx| {
            let mut subject = inner.subject_to_change(tx, session)?;
            let was_finished = subject.state.state.is_finished();
            let mut ahead = subject.clone();
            let (mut events, mut ids) = (Vec::new(), BTreeSet::new());
            let mut drafts_to_forget = Vec::new();
            let mut repeated = !commands.is_empty();
            // First everything is decided, then everything is written: a stale or refused command leaves no trace of those before it.
            for command in commands {
                let mut hash = None;
                if let Some(id) = command.command_id() {
                    let content = command_hash(Some(session), command)?;
                    if !ids.insert(id) {
                        return Err(Error::CommandIdReused);
                    }
                    if let Known::Repeated(_) = look_up(tx, id, content)? {
                        continue;
                    }
                    hash = Some(content);
                }
                repeated = false;
                match engine::decide(ahead.workflow(), &ahead.state, command)? {
                    Decision::Stale => {
                        let view = inner.view(tx, session)?;
                        return Ok((show(tx, stamp.at, CommandOutcome { applied: Applied::Stale, view })?, Changed::nothing()));
                    }
                    Decision::Act(act) => {
                        let event = ahead.advance(act, command.command_id(), &stamp);
                        events.push((event, hash));
                    }
                    Decision::Unchanged => {}
                }
                match command {
                    Command::SetFields { changes } => drafts_to_forget.extend(changes.iter().map(|change| change.field.as_str())),
                    Command::Note { .. } => drafts_to_forget.push(engine::NOTE),
                    _ => {}
                }
            }
            let mut changed = Changed::nothing();
            // Each event is written with the state right after it: what completing fires is what the session held then.
            for (event, hash) in &events {
                engine::apply(&mut subject.state, event);
                subject.append(tx, event, *hash)?;
                changed.sessions = vec![session];
                if matches!(event.act, Act::Completed { .. } | Act::Ended { .. }) {
                    changed.outbox |= inner.fire(tx, &subject, stamp.at)?;
                }
            }
            for field in drafts_to_forget {
                store::session::save_draft(tx, subject.id, field, "")?;
            }
            if was_finished && !events.is_empty() {
                store::search::look_again(tx, subject.id)?;
            }
            let view = engine::view(subject.workflow(), &subject.state, &store::session::drafts(tx, subject.id)?);
            let applied = if repeated { Applied::Repeated } else { Applied::Yes };
            Ok((show(tx, stamp.at, CommandOutcome { applied, view })?, changed))
        })
    }

    /// Sets, clears or marks fields of sections on the path.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn set_fields(&self, session: SessionKey, changes: Vec<FieldChange>) -> Result<CommandOutcome> {
        self.run(session, None, &[Command::SetFields { changes }])
    }

    /// Sets one field.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn set_field(&self, session: SessionKey, field: &str, value: FieldValue) -> Result<CommandOutcome> {
        self.set_fields(session, vec![FieldChange { field: field.to_owned(), change: Change::Set(value) }])
    }

    /// Keeps half-typed raw text of a field, so that nothing typed is lost when the phone dies. Never validated, sent or counted; gone when
    /// the field is set or cleared. An empty text forgets it. Observers are not told.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `Refused` for an unknown field or a session that is not in progress, `InvalidArgument` for a text
    /// over 64 KiB.
    pub fn save_draft(&self, session: SessionKey, field: &str, text: &str) -> Result<()> {
        self.keep_draft(session, field, text, |workflow| match workflow.field(field) {
            Some(_) => Ok(()),
            None => Err(engine::Refusal::UnknownFields { fields: vec![echoed(field)] }.into()),
        })
    }

    /// Keeps the half-typed text of a note, as [`save_draft`](Self::save_draft) does that of a field; gone when a note is added.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `Refused` for a session that is not in progress, `InvalidArgument` for a text over 64 KiB.
    pub fn save_note_draft(&self, session: SessionKey, text: &str) -> Result<()> {
        self.keep_draft(session, engine::NOTE, text, |_| Ok(()))
    }

    fn keep_draft(&self, session: SessionKey, of: &str, text: &str, allowed: impl FnOnce(&Workflow) -> Result<()>) -> Result<()> {
        if text.len() > MAX_DRAFT {
            return Err(Error::InvalidArgument { place: "text", problem: "at most 64 KiB are kept of a draft" });
        }
        self.inner.write(|tx| {
            let subject = self.inner.subject_to_change(tx, session)?;
            if subject.state.state != SessionState::InProgress {
                return Err(engine::Refusal::NotInProgress { state: subject.state.state }.into());
            }
            allowed(subject.workflow())?;
            store::session::save_draft(tx, subject.id, of, text)?;
            Ok(((), Changed::nothing()))
        })
    }

    /// Chooses an answer in this visit and moves on.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn answer(&self, session: SessionKey, visit: u32, answer: &str) -> Result<CommandOutcome> {
        self.run(session, None, &[Command::Answer { visit, answer: answer.to_owned() }])
    }

    /// Goes back from this visit to an earlier one of the path.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn back(&self, session: SessionKey, visit: u32, to_visit: u32) -> Result<CommandOutcome> {
        self.run(session, None, &[Command::Back { visit, to_visit }])
    }

    /// Notes that a response was used.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn use_response(&self, session: SessionKey, response: &str, command_id: &str) -> Result<CommandOutcome> {
        self.run(session, None, &[Command::UseResponse { command_id: command_id.to_owned(), response: response.to_owned() }])
    }

    /// Adds a note.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn note(&self, session: SessionKey, text: &str, command_id: &str) -> Result<CommandOutcome> {
        self.run(session, None, &[Command::Note { command_id: command_id.to_owned(), text: text.to_owned() }])
    }

    /// Completes the session on the end section of this visit. In the same transaction the webhook of every action on the path is frozen
    /// into the outbox.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn complete(&self, session: SessionKey, visit: u32) -> Result<CommandOutcome> {
        self.run(session, None, &[Command::Complete { visit }])
    }

    /// Ends the session at once. Nothing fires.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn end(&self, session: SessionKey, reason: &str, command_id: &str) -> Result<CommandOutcome> {
        self.run(session, None, &[Command::End { command_id: command_id.to_owned(), reason: reason.to_owned() }])
    }

    /// Throws a session in progress away.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn discard(&self, session: SessionKey) -> Result<CommandOutcome> {
        self.run(session, None, &[Command::Discard])
    }

    /// Edits fields and notes of a completed or ended session. Messages that are frozen do not change.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn edit(
        &self,
        session: SessionKey,
        actor: Option<&str>,
        fields: Vec<FieldChange>,
        notes: Vec<NoteChange>,
        command_id: &str,
    ) -> Result<RecordOutcome> {
        let edit = Command::Edit { command_id: command_id.to_owned(), fields, notes };
        self.run_and_show(session, actor, &[edit], |tx, now, outcome| {
            Ok(RecordOutcome { applied: outcome.applied, in_flight: false, record: self.inner.record(tx, session, now)? })
        })
    }

    /// The session as its screen shows it.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`.
    pub fn session(&self, session: SessionKey) -> Result<SessionView> {
        self.inner.read(|connection| self.inner.view(connection, session))
    }
}

impl Inner {
    pub(super) fn view(&self, connection: &Connection, key: SessionKey) -> Result<SessionView> {
        let subject = self.subject(connection, key)?;
        Ok(engine::view(subject.workflow(), &subject.state, &store::session::drafts(connection, subject.id)?))
    }

    /// A UUIDv7: ordered by time, random beyond it.
    fn new_key(&self, now: Timestamp) -> SessionKey {
        let ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        let bytes = self.random.bytes();
        let mut random = [0; 10];
        random.copy_from_slice(&bytes[..10]);
        SessionKey(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid())
    }
}
