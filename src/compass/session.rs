//! Running sessions.

use super::command::{CommandLookup, Ids, LoadedSession, command_hash, look_up};
use super::compare::changes_messages;
use super::recent::WithDrafts;
use super::{Changed, Compass, Inner, Result};
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::{
    Act, Applied, Change, Command, CommandOutcome, EVENT_VERSION, Event, FieldChange, FieldValue, NoteChange, RecordOutcome, SessionKey,
    SessionState, SessionView, Start, Timestamp, Workflow, echoed,
};
use crate::sorted::SortedMap;
use crate::store::command::Outcome;
use crate::store::{self, Connection, Transaction};

/// The longest half-typed text that is kept, in bytes: more than three times the largest field (20,000 characters of four bytes), so that a
/// text that is too long for the field is kept, to be shortened.
const MAX_DRAFT: usize = 256 * 1024;

impl Compass {
    /// Starts a session on the current version of a workflow, or on a given version.
    ///
    /// # Errors
    /// `UnknownWorkflow`, `NotStartable` with what is missing, `Refused` with every problem of the prefill, `CommandIdReused`,
    /// `DeletedSession` when it is repeated after the session that it started was deleted or purged.
    pub fn start(&self, start: &Start) -> Result<CommandOutcome> {
        let inner = &self.inner;
        let context = inner.act_context(start.actor.as_deref())?;
        let hash = command_hash(None, start)?;
        let key = inner.new_key(context.at);
        inner.write(|tx| {
            if let CommandLookup::Repeated(key) = look_up(tx, None, &start.command_id, hash)? {
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
                at: context.at,
                wall_at: None,
                utc_offset: context.utc_offset,
                actor: start.actor.clone(),
                command_id: Some(start.command_id.clone()),
                act: engine::start(workflow, &row.hash, start)?,
            };
            let state = engine::begin(key, workflow, &event)
                .ok_or_else(|| Error::Internal { detail: "a session does not begin with its first event".to_owned() })?;
            let mut loaded = LoadedSession::new(0, document, row.hash, state);
            loaded.id = store::session::insert(tx, row.id, &loaded.state, loaded.section_name(), &event, Some(hash))?;
            let view = loaded.view_with(&Default::default());
            Ok((CommandOutcome { applied: Applied::Yes, view }, Changed::session(key)))
        })
    }

    /// Carries out several commands in one call, all or none, at the cost of one fsync. When one of them is stale, the outcome is stale and
    /// none is carried out, except that new notes are kept.
    ///
    /// With a `command_id` for the whole call, a repeated call changes nothing, no matter what the commands are. Without one, commands that have
    /// no id of their own are carried out again.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `Refused` with every problem at once, `CommandIdReused`. Nothing is changed then.
    pub fn run(&self, session: SessionKey, actor: Option<&str>, commands: &[Command], command_id: Option<&str>) -> Result<CommandOutcome> {
        self.run_and_show(session, actor, commands, command_id, |_, _, outcome| Ok(outcome))
    }

    fn do_one(&self, session: SessionKey, command: Command) -> Result<CommandOutcome> {
        self.run(session, None, &[command], None)
    }

    /// The same; `show` turns the outcome into the result of the call, in the same transaction.
    fn run_and_show<T>(
        &self,
        session: SessionKey,
        actor: Option<&str>,
        commands: &[Command],
        command_id: Option<&str>,
        show: impl Fn(&Transaction<'_>, Timestamp, CommandOutcome) -> Result<T>,
    ) -> Result<T> {
        let inner = &self.inner;
        let context = inner.act_context(actor)?;
        let carry_out = |tx: &Transaction<'_>| -> Result<(T, Changed)> {
            let WithDrafts { mut loaded, mut drafts } = inner.session_to_change(tx, session)?;
            let (was_finished, was_running) = (loaded.state.state.is_finished(), loaded.state.state == SessionState::InProgress);
            let Some(mut ids) = Ids::of(tx, session, commands, command_id)? else {
                let outcome = CommandOutcome { applied: Applied::Repeated, view: loaded.view_with(&drafts) };
                return Ok((show(tx, context.at, outcome)?, Changed::nothing()));
            };
            let plan = engine::plan(loaded.workflow(), &loaded.state, commands, &context, &ids.repeated)?;
            let (mut changed, mut edited) = (Changed::nothing(), false);
            // Each event is written with the state right after it: completing sends the values of that moment.
            for event in plan.events {
                engine::apply(&mut loaded.state, &event);
                loaded.append(tx, &event, ids.take(&event))?;
                changed.sessions = vec![session];
                edited |= changes_messages(&event.act);
                if matches!(event.act, Act::Completed { .. } | Act::Ended { .. }) {
                    changed.outbox |= inner.enqueue_actions(tx, &loaded, context.at)?;
                }
            }
            let outcome = match plan.applied {
                Applied::Stale => Outcome::Stale,
                _ if changed.is_nothing() => Outcome::Unchanged,
                _ => Outcome::Done,
            };
            ids.remember(tx, loaded.id, outcome)?;
            if loaded.state.state != SessionState::InProgress && was_running {
                // They go with the session's end, also if it is discarded.
                drafts = SortedMap::new();
            }
            for field in plan.drafts {
                if drafts.remove(field).is_some() {
                    store::session::save_draft(tx, loaded.id, field, "")?;
                }
            }
            if edited {
                changed.outbox |= inner.send_edits(tx, &loaded, context.at)?;
            }
            if was_finished && !changed.is_nothing() {
                store::search::look_again(tx, loaded.id)?;
            }
            let outcome = CommandOutcome { applied: plan.applied, view: loaded.view_with(&drafts) };
            let shown = show(tx, context.at, outcome)?;
            inner.recent.keep(WithDrafts { loaded, drafts });
            Ok((shown, changed))
        };
        inner.write(carry_out)
    }

    /// Sets, clears or marks fields of sections on the path.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn set_fields(&self, session: SessionKey, changes: Vec<FieldChange>) -> Result<CommandOutcome> {
        self.do_one(session, Command::SetFields { changes })
    }

    /// Sets one field.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn set_field(&self, session: SessionKey, field: &str, value: FieldValue) -> Result<CommandOutcome> {
        self.set_fields(session, vec![FieldChange { field: field.to_owned(), change: Change::Set(value) }])
    }

    /// Saves half-typed raw text of a field, so that nothing typed is lost when the app ends; also for a finished session that is edited, see
    /// [`RecordField::draft`](crate::model::RecordField::draft). Never validated, sent or counted; deleted when the field is set or cleared, and
    /// when the session is over. An empty text deletes it. Observers are not notified.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `Refused` for an unknown field or a discarded session, `InvalidArgument` for a text over 256 KiB.
    pub fn save_draft(&self, session: SessionKey, field: &str, text: &str) -> Result<()> {
        self.keep_draft(session, field, text, |workflow| match workflow.field(field) {
            Some(_) => Ok(()),
            None => Err(engine::Refusal::UnknownFields { fields: vec![echoed(field)] }.into()),
        })
    }

    /// Saves the half-typed text of a note, as [`save_draft`](Self::save_draft) does for a field; deleted when a note is added, and when the
    /// session is over.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `Refused` for a discarded session, `InvalidArgument` for a text over 256 KiB.
    pub fn save_note_draft(&self, session: SessionKey, text: &str) -> Result<()> {
        self.keep_draft(session, engine::NOTE, text, |_| Ok(()))
    }

    fn keep_draft(&self, session: SessionKey, of: &str, text: &str, allowed: impl Fn(&Workflow) -> Result<()>) -> Result<()> {
        if text.len() > MAX_DRAFT {
            return Err(Error::InvalidArgument { place: "text", problem: "a draft may have at most 256 KiB" });
        }
        self.inner.write(|tx| {
            let WithDrafts { loaded, mut drafts } = self.inner.session_to_change(tx, session)?;
            if loaded.state.state == SessionState::Discarded {
                return Err(engine::Refusal::Discarded.into());
            }
            allowed(loaded.workflow())?;
            store::session::save_draft(tx, loaded.id, of, text)?;
            if text.is_empty() {
                drafts.remove(of);
            } else {
                drafts.insert(of.to_owned(), text.to_owned());
            }
            self.inner.recent.keep(WithDrafts { loaded, drafts });
            Ok(((), Changed::nothing()))
        })
    }

    /// Chooses an answer in this visit and moves on.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn answer(&self, session: SessionKey, visit: u32, answer: &str) -> Result<CommandOutcome> {
        self.do_one(session, Command::Answer { visit, answer: answer.to_owned() })
    }

    /// Goes back from this visit to an earlier one of the path.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn back(&self, session: SessionKey, visit: u32, to_visit: u32) -> Result<CommandOutcome> {
        self.do_one(session, Command::Back { visit, to_visit })
    }

    /// Records that a response was used.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn use_response(&self, session: SessionKey, response: &str, command_id: &str) -> Result<CommandOutcome> {
        self.do_one(session, Command::UseResponse { command_id: command_id.to_owned(), response: response.to_owned() })
    }

    /// Adds a note.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn note(&self, session: SessionKey, text: &str, command_id: &str) -> Result<CommandOutcome> {
        self.do_one(session, Command::Note { command_id: command_id.to_owned(), text: text.to_owned() })
    }

    /// Completes the session on the end section of this visit. In the same transaction the webhook of every action on the path is frozen
    /// into the outbox.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn complete(&self, session: SessionKey, visit: u32) -> Result<CommandOutcome> {
        self.do_one(session, Command::Complete { visit })
    }

    /// Ends the session at once. Nothing fires.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn end(&self, session: SessionKey, reason: &str, command_id: &str) -> Result<CommandOutcome> {
        self.do_one(session, Command::End { command_id: command_id.to_owned(), reason: reason.to_owned() })
    }

    /// Throws a session in progress away.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn discard(&self, session: SessionKey) -> Result<CommandOutcome> {
        self.do_one(session, Command::Discard)
    }

    /// Edits fields and notes of a completed or ended session. Messages that are frozen do not change; where the document says `"on_edit": "send"`
    /// of an action, its correction is sent at once. If everything is there already, nothing is recorded, not even the reason.
    ///
    /// # Errors
    /// As [`Compass::run`].
    pub fn edit(
        &self,
        session: SessionKey,
        actor: Option<&str>,
        reason: Option<&str>,
        fields: Vec<FieldChange>,
        notes: Vec<NoteChange>,
        command_id: &str,
    ) -> Result<RecordOutcome> {
        let edit = Command::Edit { command_id: command_id.to_owned(), fields, notes, reason: reason.map(str::to_owned) };
        self.run_and_show(session, actor, &[edit], None, |tx, now, outcome| {
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
        self.load_session(connection, key)?.view(connection)
    }

    /// A UUIDv7: ordered by time, the rest is random.
    fn new_key(&self, now: Timestamp) -> SessionKey {
        let ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        let bytes = self.random.bytes();
        let mut random = [0; 10];
        random.copy_from_slice(&bytes[..10]);
        SessionKey(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid())
    }
}
