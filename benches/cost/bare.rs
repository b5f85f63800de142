//! The same rows without the core: what an app would have to write by itself to keep an acknowledged change on flash, and to send it.
//!
//! It works on a file that the core made, with the same tables, indexes and bytes, but without triggers, checks and foreign keys, and without
//! validation, views and rules.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

/// One connection, set as the core sets its own, with statements prepared once.
pub(crate) struct Bare {
    connection: Connection,
    owner: String,
}

/// A session that bare SQLite continues.
pub(crate) struct Session {
    id: i64,
    key: Vec<u8>,
    seq: i64,
    visit: i64,
}

impl Bare {
    /// Opens a file that the core has closed.
    pub(crate) fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 450; PRAGMA foreign_keys = OFF;
                 PRAGMA ignore_check_constraints = ON;",
            )
            .unwrap();
        let triggers: Vec<String> = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for trigger in triggers {
            connection.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        connection.set_prepared_statement_cache_capacity(64);
        Self { connection, owner: "6f9619ff8b86d011".into() }
    }

    /// Opens a file without triggers, reads one row, and closes it: SQLite reads the schema for it.
    pub(crate) fn read_once(path: &Path) {
        let connection = Connection::open(path).unwrap();
        let revision: i64 = connection.query_row("SELECT revision FROM meta WHERE id = 1", [], |row| row.get(0)).unwrap();
        assert!(revision > 0);
    }

    pub(crate) fn session(&self, key: compass_core::model::SessionKey) -> Session {
        let read = "SELECT id, key, last_seq, last_visit FROM session WHERE key = ?1";
        let session = |row: &rusqlite::Row<'_>| Ok(Session { id: row.get(0)?, key: row.get(1)?, seq: row.get(2)?, visit: row.get(3)? });
        self.connection.query_row(read, [key.0.as_bytes()], session).unwrap()
    }

    fn write(&mut self, work: impl FnOnce(&Transaction<'_>)) {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        work(&transaction);
        run(&transaction, "UPDATE meta SET revision = revision + 1 WHERE id = 1", params![]);
        transaction.commit().unwrap();
    }

    /// An event, the answer of one visit, the next visit, the session.
    pub(crate) fn answer(&mut self, session: &mut Session) {
        session.seq += 1;
        session.visit += 1;
        let Session { id, seq, visit, .. } = *session;
        self.write(|tx| {
            let json = format!(r#"{{"act":"answered","visit":{},"answer":"go","next_visit":{visit},"next_section":"here"}}"#, visit - 1);
            event(tx, id, seq, "answered", &json);
            run(tx, "UPDATE visit SET answer = 'go' WHERE session_id = ?1 AND number = ?2", params![id, visit - 1]);
            run(tx, "INSERT INTO visit (session_id, number, section, at) VALUES (?1, ?2, 'here', ?3)", params![id, visit, NOW]);
            run(tx, "UPDATE session SET section_name = 'here', last_visit = ?2, last_seq = ?3 WHERE id = ?1", params![id, visit, seq]);
        });
    }

    /// An event, the value, the session.
    pub(crate) fn value(&mut self, session: &mut Session, field: &str, text: &str) {
        session.seq += 1;
        let Session { id, seq, .. } = *session;
        self.write(|tx| {
            let state = format!(r#"{{"state":"provided","value":{{"type":"text","value":"{text}"}}}}"#);
            let json = format!(r#"{{"act":"fields_set","values":[{{"field":"{field}","to":{state},"source":{{"kind":"technician"}}}}]}}"#);
            event(tx, id, seq, "fields_set", &json);
            run(
                tx,
                "INSERT INTO value (session_id, field, json, completed_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET json = excluded.json, completed_at = excluded.completed_at",
                params![id, field, state, NOW],
            );
            run(tx, "UPDATE session SET last_seq = ?2 WHERE id = ?1", params![id, seq]);
        });
    }

    /// An event, the session, totals; the values, which are read for the message; its bytes and their hash; an action, a number, an id and an
    /// entry for each message.
    pub(crate) fn complete(&mut self, session: &mut Session, messages: i64) {
        session.seq += 1;
        let Session { id, seq, .. } = *session;
        self.write(|tx| {
            event(tx, id, seq, "completed", r#"{"act":"completed","visit":1,"won":true}"#);
            run(
                tx,
                "UPDATE session SET state = 'completed', won = 1, finished_at = ?2, last_seq = ?3, finished_age = 0, actions_pending = ?4 WHERE id = ?1",
                params![id, NOW, seq, messages],
            );
            run(
                tx,
                "UPDATE session_totals SET in_progress = in_progress - 1, completed = completed + 1, won = won + 1,
                        actions_pending = actions_pending + ?1 WHERE workflow_id = (SELECT workflow_id FROM session WHERE id = ?2) AND actor = ''",
                params![messages, id],
            );
            let body = body(tx, id, &session.key);
            let hash = sha256(body.as_bytes());
            run(tx, "INSERT INTO body (sha256, bytes) VALUES (?1, ?2)", params![hash, body.as_bytes()]);
            for number in 0..messages {
                let key = format!("tell_{number}");
                run(tx, "UPDATE last_number SET number = number + 1, action_id = ?1 WHERE endpoint = 'office'", params![id]);
                run(
                    tx,
                    "INSERT INTO action (session_id, key, name, section, endpoint, status, revision, series, sequence)
                     VALUES (?1, ?2, 'Tell', 'done', 'office', 'pending', 1, 'abcdefgh', (SELECT number FROM last_number WHERE endpoint = 'office'))",
                    params![id, key],
                );
                let delivery = format!("msg_{}", hex(&sha256(format!("install\n{}\n{key}\n{}", hex(&session.key), hex(&hash)).as_bytes())));
                run(
                    tx,
                    "INSERT INTO outbox (action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version,
                            session_state, frozen_at, due_at)
                     VALUES (?1, ?2, 1, ?3, 'office', ?4, ?5, '1', 'completed', ?6, ?6 - 4941600000000000)",
                    params![tx.last_insert_rowid(), id, &delivery[..30], hash, body.len() as i64, NOW],
                );
            }
        });
    }

    /// Claims groups, reads their bodies, and writes the outcomes: two transactions for each group, as at-least-once needs.
    pub(crate) fn drain(&mut self, messages: usize, group: usize) {
        for _ in 0..messages / group {
            let mut claimed: Vec<(i64, i64, Vec<u8>)> = Vec::new();
            let owner = self.owner.clone();
            self.write(|tx| {
                let mut due = tx
                    .prepare_cached("SELECT id FROM outbox WHERE state = 'queued' AND endpoint = 'office' AND (replay > 0) = 0 ORDER BY due_at, id LIMIT ?1")
                    .unwrap();
                let due: Vec<i64> = due.query_map([group as i64], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
                let mut read = tx
                    .prepare_cached("SELECT o.id, o.session_id, b.bytes FROM outbox o JOIN body b ON b.sha256 = o.body_sha256 WHERE o.id = ?1")
                    .unwrap();
                for id in due {
                    claimed.push(read.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap());
                    run(
                        tx,
                        "UPDATE outbox SET state = 'leased', lease_owner = ?2, lease_epoch = 1, lease_until = ?3, attempts = 1, unknown_outcomes = 1 WHERE id = ?1",
                        params![id, owner, NOW],
                    );
                }
            });
            self.write(|tx| {
                for (id, session, _) in &claimed {
                    run(
                        tx,
                        "INSERT INTO attempt (outbox_id, number, at, duration_ms, status, outcome, counted, unknown) VALUES (?1, 1, ?2, 5, 202, 'sent', 0, 0)",
                        params![id, NOW],
                    );
                    run(
                        tx,
                        "UPDATE outbox SET state = 'sent', sent_at = ?2, sent_age = 0, last_status = 202, unknown_outcomes = 0, lease_owner = NULL, lease_until = NULL
                          WHERE id = ?1",
                        params![id, NOW],
                    );
                    run(
                        tx,
                        "UPDATE action SET status = 'sent' WHERE id = (SELECT action_id FROM outbox WHERE id = ?1)",
                        params![id],
                    );
                    run(tx, "UPDATE session SET actions_pending = actions_pending - 1, actions_sent = actions_sent + 1 WHERE id = ?1", params![session]);
                }
                run(
                    tx,
                    "UPDATE session_totals SET actions_pending = actions_pending - ?1, actions_sent = actions_sent + ?1
                      WHERE workflow_id = (SELECT workflow_id FROM session WHERE id = ?2) AND actor = ''",
                    params![claimed.len() as i64, claimed[0].1],
                );
            });
        }
    }
}

/// The tables of a file, each with the number of its rows and of the bytes in them.
pub(crate) fn rows_of(path: &Path) -> Vec<(String, i64, i64)> {
    let connection = Connection::open(path).unwrap();
    let names = |sql: &str, of: &[&dyn rusqlite::ToSql]| -> Vec<String> {
        connection.prepare(sql).unwrap().query_map(of, |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'search%' AND name NOT LIKE 'sqlite%' ORDER BY name";
    let count = |table: String| {
        let columns = names("SELECT name FROM pragma_table_info(?1)", &[&table]);
        let lengths: Vec<_> = columns.iter().map(|column| format!("ifnull(length({column}), 0)")).collect();
        let sql = format!("SELECT count(*), ifnull(sum({}), 0) FROM {table}", lengths.join(" + "));
        let (rows, bytes) = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        (table, rows, bytes)
    };
    names(tables, &[]).into_iter().map(count).collect()
}

/// A moment, in milliseconds.
const NOW: i64 = 1_790_000_000_000;

fn event(tx: &Transaction<'_>, session: i64, seq: i64, kind: &str, json: &str) {
    run(
        tx,
        "INSERT INTO event (session_id, seq, type, v, at, utc_offset, json) VALUES (?1, ?2, ?3, 1, ?4, 0, ?5)",
        params![session, seq, kind, NOW, json],
    );
}

/// The message of a session, from its values.
fn body(tx: &Transaction<'_>, id: i64, key: &[u8]) -> String {
    let mut body = format!(
        r#"{{"key":"{}","started_at":"2026-11-23T18:31:40.000Z","completed_at":"2026-11-23T18:31:40.000Z","workflow":{{"key":"long","name":"A visit"}},"fields":["#,
        uuid(key)
    );
    let mut values = tx.prepare_cached("SELECT field, json FROM value WHERE session_id = ?1").unwrap();
    let mut rows = values.query([id]).unwrap();
    let mut is_first = true;
    while let Some(row) = rows.next().unwrap() {
        let (field, json): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let text = &value["value"]["value"];
        if !std::mem::take(&mut is_first) {
            body.push(',');
        }
        body.push_str(&format!(
            r#"{{"key":"{field}","name":"{field}","type":"text","value":{text},"completed_at":"2026-11-23T18:31:40.000Z"}}"#
        ));
    }
    body.push_str("]}");
    body
}

fn uuid(key: &[u8]) -> String {
    let hex = hex(key);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec()
}

fn run(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) {
    connection.prepare_cached(sql).unwrap().execute(values).unwrap();
}
