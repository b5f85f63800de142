//! The same rows without the core: an app must write them to keep acknowledged changes on flash.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

/// One connection, as the core sets its own: WAL, `synchronous=FULL`, small checkpoints. No triggers, no checks, statements prepared once.
pub(crate) struct Bare(std::cell::RefCell<Connection>);

impl Bare {
    pub(crate) fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 200;
                 CREATE TABLE session (id INTEGER PRIMARY KEY, state TEXT NOT NULL, finished_at INTEGER, visit INTEGER NOT NULL) STRICT;
                 CREATE TABLE event (session_id INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL,
                     PRIMARY KEY (session_id, seq)) STRICT, WITHOUT ROWID;
                 CREATE TABLE visit (session_id INTEGER NOT NULL, number INTEGER NOT NULL, section TEXT NOT NULL, answer TEXT,
                     PRIMARY KEY (session_id, number)) STRICT, WITHOUT ROWID;
                 CREATE TABLE value (session_id INTEGER NOT NULL, field TEXT NOT NULL, json TEXT NOT NULL,
                     PRIMARY KEY (session_id, field)) STRICT, WITHOUT ROWID;
                 CREATE TABLE action (id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL, key TEXT NOT NULL, status TEXT NOT NULL) STRICT;
                 CREATE TABLE outbox (id INTEGER PRIMARY KEY, action_id INTEGER NOT NULL, state TEXT NOT NULL, body BLOB NOT NULL,
                     sent_at INTEGER) STRICT;
                 CREATE INDEX outbox_due ON outbox (id) WHERE state = 'queued';
                 CREATE TABLE attempt (outbox_id INTEGER NOT NULL, number INTEGER NOT NULL, status INTEGER,
                     PRIMARY KEY (outbox_id, number)) STRICT, WITHOUT ROWID;
                 INSERT INTO session VALUES (1, 'in_progress', NULL, 1);",
            )
            .unwrap();
        connection.set_prepared_statement_cache_capacity(32);
        Self(connection.into())
    }

    fn write(&self, work: impl FnOnce(&Connection)) {
        let mut connection = self.0.borrow_mut();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        work(&transaction);
        transaction.commit().unwrap();
    }

    /// An event, the answer of one visit, the next visit, the session.
    pub(crate) fn answer(&self, seq: &mut i64) {
        *seq += 1;
        self.write(|tx| {
            run(tx, "INSERT INTO event VALUES (1, ?1, 0, ?2)", params![*seq, r#"{"answer":"go","visit":1,"next":"there"}"#]);
            run(tx, "UPDATE visit SET answer = 'go' WHERE session_id = 1 AND number = ?1 - 1", params![*seq]);
            run(tx, "INSERT INTO visit VALUES (1, ?1, 'there', NULL)", params![*seq]);
            run(tx, "UPDATE session SET visit = ?1 WHERE id = 1", params![*seq]);
        });
    }

    /// An event and the value.
    pub(crate) fn value(&self, seq: &mut i64) {
        *seq += 1;
        self.write(|tx| {
            let json = format!(r#"{{"text":"{seq}"}}"#);
            run(tx, "INSERT INTO event VALUES (1, ?1, 0, ?2)", params![*seq, json]);
            run(tx, "INSERT OR REPLACE INTO value VALUES (1, 'reading', ?1)", params![json]);
            run(tx, "UPDATE session SET visit = visit WHERE id = 1", params![]);
        });
    }

    /// An event, the session, and its values, which are read for the message; an action and a body of this size for each message.
    pub(crate) fn complete(&self, session: &mut i64, fields: usize, messages: &[usize]) {
        *session += 1;
        let key = *session + 1_000_000;
        self.write(|tx| {
            // The values were written before: here they are only read.
            run(tx, "INSERT INTO session VALUES (?1, 'completed', 0, 1)", params![key]);
            run(tx, "INSERT INTO event VALUES (?1, 1, 0, '{}')", params![key]);
            let read = "SELECT count(*) FROM (SELECT json FROM value LIMIT ?1)";
            tx.prepare_cached(read).unwrap().query_row([fields as i64], |row| row.get::<_, i64>(0)).unwrap();
            messages.iter().enumerate().for_each(|(number, size)| message(tx, key, number, *size));
        });
    }

    /// Messages of these sizes that wait.
    pub(crate) fn backlog(&self, messages: &[usize]) {
        self.write(|tx| messages.iter().enumerate().for_each(|(number, size)| message(tx, 1, number, *size)));
    }

    /// Claims a group, reads its bodies, and writes the outcomes: two transactions for each group, as at-least-once needs.
    pub(crate) fn drain(&self, messages: usize, group: usize) {
        for _ in 0..messages / group {
            let mut claimed = Vec::new();
            self.write(|tx| {
                let mut statement = tx.prepare_cached("SELECT id, body FROM outbox WHERE state = 'queued' ORDER BY id LIMIT ?1").unwrap();
                let rows = statement.query_map([group as i64], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
                claimed = rows.map(Result::unwrap).collect();
                for (id, _) in &claimed {
                    run(tx, "UPDATE outbox SET state = 'leased' WHERE id = ?1", params![id]);
                }
            });
            self.write(|tx| {
                for (id, _) in &claimed {
                    run(tx, "INSERT INTO attempt VALUES (?1, 1, 202)", params![id]);
                    run(tx, "UPDATE outbox SET state = 'sent', sent_at = 0 WHERE id = ?1", params![id]);
                    run(tx, "UPDATE action SET status = 'sent' WHERE id = (SELECT action_id FROM outbox WHERE id = ?1)", params![id]);
                }
            });
        }
    }
}

fn message(tx: &Connection, session: i64, number: usize, size: usize) {
    run(tx, "INSERT INTO action (session_id, key, status) VALUES (?1, ?2, 'pending')", params![session, format!("tell_{number}")]);
    run(tx, "INSERT INTO outbox (action_id, state, body) VALUES (last_insert_rowid(), 'queued', ?1)", params![vec![b'x'; size]]);
}

fn run(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) {
    connection.prepare_cached(sql).unwrap().execute(values).unwrap();
}
