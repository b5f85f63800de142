//! The check of the whole database for damage.

use super::enqueue::Payloads;
use super::{Compass, Inner, Result};
use crate::engine::session as engine;
use crate::engine::words;
use crate::error::Error;
use crate::model::{Act, ActionPreview, CheckReport, SessionKey};
use crate::store::action::ActionRow;
use crate::store::{self, Connection, check};
use crate::webhook;

impl Compass {
    /// Checks the whole database for damage. It checks:
    ///
    /// - the file, its schema, and the row numbers and ages in it,
    /// - that every workflow document is the one that was imported,
    /// - that every session, its counts and its search text are those that its events give, and that the totals match the sessions,
    /// - that every action is one of its document, and shows the status of its newest message and whether that differs from the session,
    /// - that every frozen body and id is there, is unchanged, and is needed,
    /// - that sent messages got a 2xx answer, that counts of attempts and failed sends are right, and that every outcome is known.
    ///
    /// Unreadable data is reported, and the check continues. A session whose document only a newer release can read is skipped. Reads
    /// everything; for a support screen, not for every start. Changes nothing, except that a damaged index is reported and made anew.
    ///
    /// # Errors
    /// `Closed`, `Locked`, `CannotOpen`: never because of what is wrong with the file.
    pub fn check(&self) -> Result<CheckReport> {
        let _call = self.inner.calls.enter()?;
        let report = self.inner.store.read_damaged(|connection| {
            let mut faults = Vec::new();
            let faults = &mut faults;
            let checked = check::integrity(connection, faults);
            report_damage("the file", checked, faults)?;
            match store::schema::faults(connection) {
                Ok(found) => faults.extend(found),
                Err(error) => report_damage("the schema", Err(error), faults)?,
            }
            match self.inner.document_faults(connection) {
                Ok(found) => faults.extend(found),
                Err(Error::Corrupt { detail } | Error::Internal { detail } | Error::Io { detail }) => {
                    faults.push(format!("the workflow documents cannot be read completely: {detail}"));
                }
                Err(error) => return Err(error),
            }
            let mut keys = Vec::new();
            let checked = check::sessions(connection, &mut keys, faults);
            report_damage("the list of sessions", checked, faults)?;
            for key in &keys {
                match self.inner.session_faults(connection, *key) {
                    Ok(found) => faults.extend(found.into_iter().map(|fault| format!("session {key}: {fault}"))),
                    // Unreadable data is what this check looks for.
                    Err(Error::Corrupt { detail } | Error::Internal { detail } | Error::Io { detail }) => {
                        faults.push(format!("session {key}: {detail}"));
                    }
                    // Its document is unchanged, and names itself what this release does not know.
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
                Err(error) => report_damage("the totals", Err(error), faults)?,
            }
            let checked = check::messages(connection, webhook::is_delivery_id, faults);
            report_damage("the outbox", checked, faults)?;
            let checked = check::counters(connection);
            report_damage("the counters", checked, faults)?;
            let checked = check::attempts(connection, faults);
            report_damage("the attempts", checked, faults)?;
            let checked = check::endpoints(connection, faults);
            report_damage("the endpoints", checked, faults)?;
            for rule in check::RULES {
                let checked = check::broken(connection, rule, faults);
                report_damage("a table", checked, faults)?;
            }
            Ok(CheckReport { sessions: keys.len() as u64, faults: std::mem::take(faults) })
        })?;
        if !report.faults.is_empty() {
            self.inner.store.make_anew();
        }
        Ok(report)
    }
}

/// Damage is a finding; any other error ends the check.
fn report_damage(what: &str, checked: store::Result<()>, faults: &mut Vec<String>) -> Result<()> {
    match checked {
        Err(error) if error.is_finding() => faults.push(format!("{what} cannot be read completely: {error}")),
        checked => checked?,
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
            faults.push("its first event names another document than its row".to_owned());
        }
        match engine::replay(key, loaded.workflow(), &events) {
            None => faults.push("its first event is not a start".to_owned()),
            Some(replayed) if replayed != loaded.state => faults.push("its stored state is not the one that its events give".to_owned()),
            Some(_) => {}
        }
        if check::types(connection, loaded.id)? != events.iter().map(|event| event.act.type_name()).collect::<Vec<_>>() {
            faults.push("the listed types of its events are not those of the events".to_owned());
        }
        let is_finished = loaded.state.state.is_finished();
        if is_finished {
            let expected = engine::encountered(loaded.workflow(), &loaded.state);
            let there: Vec<ActionPreview> = store::action::of_session(connection, loaded.id)?.into_iter().map(preview).collect();
            if expected != there {
                faults.push("its actions are not those of its path".to_owned());
            }
        }
        let unknown = |field: &String| field != engine::NOTE && loaded.workflow().field(field).is_none();
        let drafts = store::session::drafts(connection, loaded.id)?;
        faults.extend(drafts.keys().any(unknown).then(|| "it has a half-typed text of an unknown field".to_owned()));
        faults.extend(check::projections(connection, loaded.id, loaded.section_name())?.into_iter().map(str::to_owned));
        let statuses = check::statuses(connection, loaded.id)?;
        faults.extend(statuses.into_iter().map(|action| format!("action `{action}` shows another status than its message has")));
        let text = words::plain(&engine::search_text(loaded.workflow(), &loaded.state));
        if !check::is_found(connection, loaded.id, &text)? {
            faults.push("the search index holds other words than the session".to_owned());
        }
        // What this release cannot read completely it cannot compare.
        if loaded.document.unknown.is_empty() {
            let mut payloads = Payloads::of(&loaded);
            for row in store::action::of_session(connection, loaded.id)? {
                match payloads.differ_from(&row) {
                    Ok(differs) if row.differs.unwrap_or(differs) == differs => {}
                    Ok(_) => faults.push(format!("action `{}` says wrongly whether its message differs from the session", row.key)),
                    Err(_) => faults.push(format!("action `{}` cannot be compared with its message", row.key)),
                }
            }
        }
        Ok(faults)
    }
}

fn preview(row: ActionRow) -> ActionPreview {
    ActionPreview { key: row.key, name: row.name, section: row.section, endpoint: row.endpoint, size: None, too_large: false }
}
