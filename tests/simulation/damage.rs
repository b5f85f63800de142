//! What is done to the file from outside, carried out on it.

use std::time::Duration;

use super::calls::Event;
use super::perform::text;
use super::world::{Cause, Check, World};

impl World {
    pub fn take_file(&mut self, ms: u64) -> Check {
        if self.events.values().any(|event| matches!(event, Event::FileIsFree)) {
            return Ok(());
        }
        self.sql.execute_batch("BEGIN IMMEDIATE").map_err(text)?;
        self.schedule(Duration::from_millis(ms), Event::FileIsFree);
        Ok(())
    }

    /// A change from outside, past a trigger.
    pub fn tamper(&mut self, trigger: &str, change: &str) -> Check {
        let made: String =
            self.sql.query_row("SELECT sql FROM sqlite_master WHERE name = ?1", [trigger], |row| row.get(0)).map_err(text)?;
        self.sql.execute_batch(&format!("BEGIN; DROP TRIGGER {trigger}; {change}; {made}; COMMIT;")).map_err(text)?;
        let before = std::mem::take(&mut self.rows);
        self.rows = super::rows::Rows::read(&self.sql);
        self.check_changes(&before, Cause::Act("tamper"))
    }

    pub fn corrupt_entry(&mut self, which: u64) -> Check {
        let Some(entry) = self.one(which, |entry| entry.state == "queued") else { return Ok(()) };
        self.tampered.insert(entry.row, "row");
        let change = match which % 3 {
            0 => "workflow_version = CAST(x'31ff' AS TEXT)".to_owned(),
            1 => "endpoint = endpoint, delivery_id = 'msg_' || substr('aaaaaaaaaaaaaaaaaaaaaaaaaa' || id, -26)".to_owned(),
            _ => "frozen_at = 9000000000000000000".to_owned(),
        };
        self.tamper("outbox_is_frozen", &format!("UPDATE outbox SET {change} WHERE id = {}", entry.row))
    }

    pub fn corrupt_body(&mut self, which: u64) -> Check {
        let Some(entry) = self.one(which, |entry| entry.state == "queued") else { return Ok(()) };
        // Of all messages that it is the body of.
        let same = self.rows.entries.values().filter(|other| other.body_sha256 == entry.body_sha256).map(|other| (other.row, "body"));
        self.tampered.extend(same.collect::<Vec<_>>());
        let change = format!("UPDATE body SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE sha256 = x'{}'", entry.body_sha256);
        self.tamper("body_is_frozen", &change)
    }

    pub fn corrupt_endpoint(&mut self, key: &str) -> Check {
        if !self.rows.endpoints.contains_key(key) {
            return Ok(());
        }
        self.tampered_endpoints.insert(key.to_owned(), ());
        self.sql
            .execute("UPDATE endpoint SET definition = replace(definition, '\"network\":\"', '\"network\":\"un') WHERE key = ?1", [key])
            .map_err(text)?;
        self.rows = super::rows::Rows::read(&self.sql);
        Ok(())
    }

    pub fn make_unstorable(&mut self, which: u64) -> Check {
        let Some(entry) = self.one(which, |entry| entry.state == "queued" || entry.state == "leased") else { return Ok(()) };
        self.tampered.insert(entry.row, "unstorable");
        let sql = format!(
            "CREATE TRIGGER IF NOT EXISTS unstorable BEFORE UPDATE OF sent_at ON outbox WHEN NEW.id = {} AND NEW.state = 'sent'
             BEGIN SELECT RAISE(ABORT, 'cannot be stored'); END",
            entry.row
        );
        self.sql.execute_batch(&sql).map_err(text)
    }

    pub fn make_storable(&mut self) -> Check {
        self.sql.execute_batch("DROP TRIGGER IF EXISTS unstorable").map_err(text)
    }
}
