//! The look for damage in the whole database.

use super::{Compass, Inner, Result};
use crate::engine::session as engine;
use crate::engine::words;
use crate::error::Error;
use crate::model::{Act, ActionPreview, CheckReport, SessionKey};
use crate::store::action::ActionRow;
use crate::store::{self, Connection, check};
use crate::webhook;

impl Compass {
    /// Looks at the whole database: whether the file is sound and its schema ours, whether every workflow document is the one that was
    /// imported, whether every session, its counts and its search text are what its events say, whether totals are those of the sessions,
    /// whether every action is the one of its document and shows what its newest message says, whether every frozen body and id is there, is the
    /// one that was frozen, and is needed, whether what is sent was answered so, whether attempts and failed sends are as many as are counted
    /// and attempts end in an outcome that this release knows, whether ages are possible, and whether what counts has come to its end. What cannot be read is told, and the look goes on; a session whose document only a newer release can read is passed over.
    /// Reads everything; for a support screen, not for every start. Changes nothing, but that an index of words that is damaged is told and made
    /// anew.
    ///
    /// # Errors
    /// `Closed`, `Locked`, `CannotOpen`: never because of what is wrong with the file.
    pub fn check(&self) -> Result<CheckReport> {
        let report = self.inner.read_long(|connection| {
            let mut faults = Vec::new();
            let faults = &mut faults;
            let looked = check::integrity(connection, faults);
            told("the file", looked, faults)?;
            match store::schema::faults(connection) {
                Ok(found) => faults.extend(found),
                Err(error) => told("the schema", Err(error), faults)?,
            }
            match self.inner.document_faults(connection) {
                Ok(found) => faults.extend(found),
                Err(Error::Corrupt { detail } | Error::Internal { detail } | Error::Io { detail }) => {
                    faults.push(format!("the workflow documents cannot be read whole: {detail}"));
                }
                Err(error) => return Err(error),
            }
            let mut keys = Vec::new();
            let looked = check::sessions(connection, &mut keys, faults);
            told("the list of sessions", looked, faults)?;
            for key in &keys {
                match self.inner.session_faults(connection, *key) {
                    Ok(found) => faults.extend(found.into_iter().map(|fault| format!("session {key}: {fault}"))),
                    // What does not read back is what is being looked for.
                    Err(Error::Corrupt { detail } | Error::Internal { detail } | Error::Io { detail }) => {
                        faults.push(format!("session {key}: {detail}"));
                    }
                    // Its document is what it was, and says itself that this release cannot read it.
                    Err(Error::RequiresNewerCore { .. }) => {}
                    Err(error @ (Error::NotADatabase | Error::UnknownSession { .. } | Error::DeletedSession { .. })) => {
                        faults.push(format!("session {key}: {error}"));
                    }
                    Err(error) => return Err(error),
                }
            }
            match store::totals::are_true(connection) {
                Ok(true) => {}
                Ok(false) => faults.push("the totals are not those of the sessions".to_owned()),
                Err(error) => told("the totals", Err(error), faults)?,
            }
            let looked = check::messages(connection, webhook::delivery_id, faults);
            told("the outbox", looked, faults)?;
            let looked = check::counters(connection);
            told("the counters", looked, faults)?;
            let looked = check::attempts(connection, faults);
            told("the attempts", looked, faults)?;
            let looked = check::endpoints(connection, faults);
            told("the endpoints", looked, faults)?;
            for promise in check::PROMISES {
                let looked = check::broken(connection, promise, faults);
                told("a table", looked, faults)?;
            }
            Ok(CheckReport { sessions: keys.len() as u64, faults: std::mem::take(faults) })
        })?;
        if !report.faults.is_empty() {
            self.inner.repairs_index();
        }
        Ok(report)
    }
}

/// Damage is a finding; anything else ends the look.
fn told(what: &str, looked: store::Result<()>, faults: &mut Vec<String>) -> Result<()> {
    match looked {
        Err(error) if error.is_finding() => faults.push(format!("{what} cannot be read whole: {error}")),
        looked => looked?,
    }
    Ok(())
}

impl Inner {
    fn session_faults(&self, connection: &Connection, key: SessionKey) -> Result<Vec<String>> {
        let loaded = self.load_session(connection, key)?;
        let events = store::session::events(connection, loaded.id)?;
        let mut faults = Vec::new();
        let pinned = loaded.hash.to_string();
        if matches!(events.first().map(|event| &event.act), Some(Act::Started { workflow_hash, .. }) if *workflow_hash != pinned) {
            faults.push("it began on another document than it stands on".to_owned());
        }
        match engine::replay(key, loaded.workflow(), &events) {
            None => faults.push("its events do not begin with a start".to_owned()),
            Some(replayed) if replayed != loaded.state => faults.push("its events say otherwise than its state".to_owned()),
            Some(_) => {}
        }
        if check::types(connection, loaded.id)? != events.iter().map(|event| event.act.type_name()).collect::<Vec<_>>() {
            faults.push("its events are listed as others than they are".to_owned());
        }
        let is_finished = loaded.state.state.is_finished();
        if is_finished {
            let expected = engine::encountered(loaded.workflow(), &loaded.state);
            let there: Vec<ActionPreview> = store::action::of_session(connection, loaded.id)?.into_iter().map(preview).collect();
            if expected != there {
                faults.push("its actions are not those it met".to_owned());
            }
        }
        let unknown = |field: &String| field != engine::NOTE && loaded.workflow().field(field).is_none();
        let drafts = store::session::drafts(connection, loaded.id)?;
        faults.extend(drafts.keys().any(unknown).then(|| "it has a half-typed text of no field".to_owned()));
        faults.extend(check::projections(connection, loaded.id, loaded.section_name())?.into_iter().map(str::to_owned));
        let statuses = check::statuses(connection, loaded.id)?;
        faults.extend(statuses.into_iter().map(|action| format!("action `{action}` shows another status than its message has")));
        let text = words::plain(&engine::search_text(loaded.workflow(), &loaded.state));
        if !check::is_found(connection, loaded.id, &text)? {
            faults.push("search finds it by other words than it says".to_owned());
        }
        Ok(faults)
    }
}

fn preview(row: ActionRow) -> ActionPreview {
    ActionPreview { key: row.key, name: row.name, section: row.section, endpoint: row.endpoint }
}
