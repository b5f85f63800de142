//! How the database goes about every statement of the store: no tap and no look reads what it does not need.
//!
//! The statements are read from the source, so that a new one is looked at without being named here.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/source.rs"]
#[allow(dead_code, reason = "this suite needs a part of it")]
mod source;

use std::path::Path;

use compass_core::{Compass, Options};
use rusqlite::config::DbConfig;
use source::Source;

/// What stands in a statement for a part of it: file, placeholder, and each text that the code puts there.
const PARTS: &[(&str, &str, &[&str])] = &[
    (
        "list.rs",
        "{}",
        &[
            "s.state <> 'discarded'",
            "s.state <> 'discarded' AND s.id < ?1",
            "s.state <> 'discarded' AND s.started_at >= ?1 AND s.started_at < ?2",
            "(s.state = 'in_progress')",
            "(s.state = 'completed' OR s.state = 'ended')",
            "s.state <> 'discarded' AND s.workflow_id IN (SELECT id FROM workflow WHERE key = ?1)",
            "s.state <> 'discarded' AND s.won = ?1 AND s.actor = ?2",
            "s.state <> 'discarded' AND s.id IN (3, 4)",
            "s.state <> 'discarded' AND s.actions_pending > 0",
            "s.state <> 'discarded' AND s.actions_failed > 0",
        ],
    ),
    (
        "outbox/list.rs",
        "{states}",
        &["NOT IN ('sent', 'failed', 'superseded')", "NOT IN ('sent', 'superseded')", "NOT IN ()", "IN ('failed')", "IN ('sent')"],
    ),
    ("outbox/list.rs", "{unsent}", &["AND (o.state <> 'sent' AND o.state <> 'superseded')", ""]),
    (
        "outbox/list.rs",
        "{by_index}",
        &["INDEXED BY outbox_session WHERE", "INDEXED BY outbox_unsent WHERE (o.state <> 'sent' AND o.state <> 'superseded') AND"],
    ),
    ("outbox/together.rs", "{ids}", &["?, ?"]),
    ("outbox/together.rs", "{rows}", &["(?, ?, ?), (?, ?, ?)"]),
    ("outbox/queue.rs", "{without}", &["", "AND id NOT IN (3, 4)"]),
    (
        "outbox/queue.rs",
        "{which}",
        &["AND (replay > 0) = 0", "AND (replay > 0) = 1", "AND counted = 0 AND slow_counted = 0 AND replay = 0"],
    ),
    (
        "outbox/replay.rs",
        "{which}",
        &[
            "o.action_id = ?1 AND o.replay > 0 ORDER BY o.revision DESC, o.replay DESC",
            "o.action_id = ?1 AND o.replay > 0 AND o.state <> 'sent' AND o.reason IS NOT 'abandoned'",
            "o.action_id = ?1 AND o.state = 'sent' AND o.replay = 0 AND NOT EXISTS (SELECT 1 FROM outbox newer WHERE newer.action_id = o.action_id AND newer.revision > o.revision AND newer.replay = 0 AND newer.state = 'sent')",
        ],
    ),
    (
        "outbox/replay.rs",
        "{}",
        &[
            "o.id > ?1 AND o.endpoint = ?2 AND (?3 IS NULL OR o.sent_at >= ?3) AND (?4 IS NULL OR o.sent_at < ?4) AND o.state = 'sent' AND o.replay = 0 AND NOT EXISTS (SELECT 1 FROM outbox newer WHERE newer.action_id = o.action_id AND newer.revision > o.revision AND newer.replay = 0 AND newer.state = 'sent')",
        ],
    ),
    ("outbox/revive.rs", "{fresh}", &["counted = 0, slow_counted = 0, failing_ms = 0, last_failure_at = NULL"]),
    ("outbox/list.rs", "{which}", &["id NOT IN ()", "id NOT IN (3, 4)", "id IN (3, 4)"]),
    ("outbox/in_flight.rs", "{}", &["3, 4"]),
    ("lost.rs", "{UNDELIVERED}", &["NOT (o.state IN ('sent', 'superseded') OR (o.state = 'failed' AND o.reason IS 'abandoned'))"]),
    (
        "lost.rs",
        "{ABANDONED}",
        &[
            "state = 'failed', reason = 'abandoned', lease_owner = NULL, lease_until = NULL, in_flight_until = coalesce(lease_until, in_flight_until), body_kept = iif(replay = 0, body_kept, 0)",
        ],
    ),
    (
        "carried.rs",
        "{ABANDONED}",
        &[
            "state = 'failed', reason = 'abandoned', lease_owner = NULL, lease_until = NULL, in_flight_until = coalesce(lease_until, in_flight_until), body_kept = iif(replay = 0, body_kept, 0)",
        ],
    ),
    ("carried.rs", "{UNDELIVERED}", &["NOT (o.state IN ('sent', 'superseded') OR (o.state = 'failed' AND o.reason IS 'abandoned'))"]),
    ("carried.rs", "{configuration}", &["configuration", "0"]),
    ("carried.rs", "{column}", &["configuration", "age"]),
    ("carried.rs", "{LAST_NUMBER}", &["4611686018427387904"]),
    ("carried.rs", "{LAST_AGE}", &["4398046511104"]),
    (
        "known.rs",
        "{ABANDONED}",
        &[
            "state = 'failed', reason = 'abandoned', lease_owner = NULL, lease_until = NULL, in_flight_until = coalesce(lease_until, in_flight_until), body_kept = iif(replay = 0, body_kept, 0)",
        ],
    ),
    ("known.rs", "{UNDELIVERED}", &["NOT (o.state IN ('sent', 'superseded') OR (o.state = 'failed' AND o.reason IS 'abandoned'))"]),
    ("known.rs", "{LAST_REVISION}", &["1073741824"]),
    ("known.rs", "{of_action}", &["", "a.session_id = ?1 AND", "a.id = ?1 AND"]),
    ("known.rs", "{of_message}", &["", "o.session_id = ?1 AND", "o.id = ?1 AND"]),
    ("known.rs", "{of_which}", &["", "session_key = (SELECT key FROM session WHERE id = ?1) AND", "session_key = ?1 AND key = ?2 AND"]),
    ("known.rs", "{revision}", &["max(a.revision, a.revisions_before)", "a.revision"]),
    ("known.rs", "{number}", &["NULL, NULL", "a.series, a.sequence"]),
    ("known.rs", "{keys_of}", &["s.key, a.key", "zeroblob(16), ''"]),
    ("known.rs", "{joined}", &["JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id"]),
    ("known.rs", "{is_own}", &["o.replay = 0"]),
    ("known.rs", "{restored}", &["FALSE", "o.reason IS 'abandoned' AND o.detail IS 'restored'"]),
    ("known.rs", "{abandoned}", &["o.reason IS 'abandoned' AND o.detail IS NOT 'restored' AND o.detail IS NOT 'redacted'"]),
    ("known.rs", "{redacted}", &["(o.holds_redacted IS NOT NULL OR o.reason IS 'abandoned' AND o.detail IS 'redacted')", "FALSE"]),
    ("known.rs", "{until}", &["coalesce(o.lease_until, o.in_flight_until)", "NULL"]),
    ("known.rs", "{last}", &["NULL", "(SELECT max(t.at) FROM attempt t WHERE t.outbox_id = o.id)"]),
    ("lost.rs", "{replay}", &["o.replay > 0", "0"]),
    ("redaction.rs", "{UNDELIVERED}", &["NOT (o.state IN ('sent', 'superseded') OR (o.state = 'failed' AND o.reason IS 'abandoned'))"]),
    ("redaction.rs", "{OWN_ATTEMPT}", &["(o.in_flight_until IS NOT NULL)"]),
    ("purge.rs", "{NO_SESSION}", &["NOT EXISTS (SELECT 1 FROM session s WHERE s.key = k.session_key)"]),
    ("purge.rs", "{UNDELIVERED}", &["NOT (o.state IN ('sent', 'superseded') OR (o.state = 'failed' AND o.reason IS 'abandoned'))"]),
    (
        "referred.rs",
        "{BODIES}",
        &["UNION ALL SELECT CAST(b.bytes AS TEXT) FROM outbox o JOIN body b ON b.sha256 = o.body_sha256
            WHERE o.body_kept = 1 AND o.holds_redacted IS NOT NULL"],
    ),
    ("referred.rs", "{UNDELIVERED}", &["NOT (o.state IN ('sent', 'superseded') OR (o.state = 'failed' AND o.reason IS 'abandoned'))"]),
    ("outbox/queue.rs", "{wakes}", &["min(cut_short)", "0"]),
    ("salvage.rs", "{first}", &["rowid"]),
    ("salvage.rs", "{last}", &["rowid"]),
    ("salvage.rs", "{columns}", &["o.key"]),
    ("salvage.rs", "{condition}", &["1"]),
    ("salvage.rs", "{}", &["session"]),
    ("salvage.rs", "{trusted}", &["NOT INDEXED"]),
    ("salvage.rs", "{table}", &["session", "action"]),
    ("purge.rs", "{table}", &["outbox", "action", "draft", "note", "value", "visit", "command", "event"]),
];

/// Parts of statements that may read a whole table or sort what they found, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("FROM meta", "has one row"),
    ("FROM last_number", "has a row per endpoint"),
    ("UPDATE meta SET series", "likewise, and a series ends with a restore or on another device"),
    ("FROM sqlite_schema", "opening reads it anyway"),
    ("UPDATE sqlite_sequence", "has two rows"),
    ("FROM sqlite_sequence", "likewise"),
    ("FROM pragma_foreign_key_check", "a migration looks at everything once"),
    (
        "SELECT EXISTS (SELECT 1 FROM action WHERE endpoint = ?1)",
        "only where nothing else has the key of an endpoint: it is mistyped, or its row is lost",
    ),
    ("SELECT EXISTS (SELECT 1 FROM outbox WHERE endpoint = ?1)", "likewise"),
    ("FROM endpoint ORDER BY key", "all of them are asked for, and they are few"),
    ("FROM workflow WHERE ?1 IS NULL", "likewise"),
    ("FROM workflow WHERE instr(findings", "opening looks at them, and they are few"),
    ("FROM action WHERE session_id = ?1 ORDER BY id", "a session has a hundred at most"),
    ("SELECT key FROM session ORDER BY id", "a check looks at all of them"),
    ("SELECT o.delivery_id, o.body_sha256, s.key", "likewise"),
    ("SELECT s.key, a.key, ", "a restore looks at all of them"),
    ("SELECT zeroblob(16), '', ", "likewise"),
    ("FROM known_action a", "likewise"),
    ("INDEXED BY sqlite_autoindex_action_1", "likewise"),
    ("INDEXED BY sqlite_autoindex_session_1", "likewise"),
    ("INDEXED BY known_action_oldest", "likewise"),
    ("INDEXED BY outbox_session", "likewise"),
    ("FROM body b", "likewise"),
    ("SELECT delivery_id FROM outbox o WHERE state = 's", "likewise"),
    ("SELECT a.key FROM action a JOIN session", "likewise"),
    ("SELECT o.delivery_id FROM outbox o JOIN action a", "likewise"),
    ("SELECT delivery_id FROM outbox WHERE holds_redacted", "likewise"),
    ("SELECT key FROM action WHERE sequence IS NOT NULL", "likewise"),
    ("SELECT key FROM action a WHERE failed_sends", "likewise"),
    ("t.number NOT BETWEEN 1 AND o.attempts", "likewise"),
    ("SELECT 'session' AS name, finished_age", "likewise"),
    ("FROM attempt a JOIN outbox o", "likewise"),
    ("WITH counted AS", "likewise"),
    ("SELECT o.id, o.delivery_id, o.body_sha256, o.replay > 0 FROM outbox", "a restore likewise"),
    ("SELECT o.id, o.delivery_id, o.body_sha256, 0 FROM outbox", "likewise"),
    ("SELECT o.id, o.replay > 0, s.key FROM outbox", "likewise"),
    ("SELECT key FROM tombstone", "likewise"),
    ("SELECT id FROM workflow ORDER BY id", "likewise"),
    ("FROM session_totals t", "has a row per workflow version and actor"),
    ("s.workflow_id IN (SELECT id FROM workflow", "sessions of several versions are listed together"),
    ("ORDER BY s.id DESC LIMIT", "rows stand in the order of the list, which ends with the page"),
    ("DELETE FROM indexed_text", "an index that is damaged is rebuilt"),
    ("FROM event NOT INDEXED", "an index that lacks rows is rebuilt"),
    ("FROM action NOT INDEXED", "likewise"),
    ("FROM outbox NOT INDEXED", "likewise"),
    ("FROM body b NOT INDEXED", "likewise"),
    ("FROM session NOT INDEXED", "totals that are lost are counted again"),
    ("FROM open_text", "few sessions are in progress"),
    ("GROUP BY endpoint", "of what is unsent alone"),
    ("FROM pragma_table_", "salvaging looks at what there is"),
    ("FROM \"session\" o NOT INDEXED", "salvaging reads all there is"),
    ("FROM event WHERE instr(json", "files of all sessions are asked for, after maintenance"),
    ("INSERT INTO meta", "once in a file; what is redacted meanwhile is one session"),
    ("WITH RECURSIVE waiting", "reads what it has put there itself"),
];

/// A statement, and where it stands.
struct Statement {
    place: String,
    text: String,
}

/// Every literal outside tests that begins as a statement on tables does, with all that may stand in its places.
fn statements(source: &Source, sources: &[Source]) -> Vec<Statement> {
    let mut found = Vec::new();
    for (at, text) in literals(source) {
        if ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|word| text.starts_with(word)) && !source.is_test(at) {
            let line = source.text[..at].iter().filter(|c| **c == '\n').count() + 1;
            let place = format!("src/store/{}:{line}", source.path);
            let filled = filled(source, sources, &place, text);
            found.extend(filled.into_iter().map(|text| Statement { place: place.clone(), text }));
        }
    }
    found
}

/// The literals of a file: where each begins, and what stands in it.
fn literals(source: &Source) -> Vec<(usize, String)> {
    let quotes: Vec<usize> = (0..source.code.len()).filter(|at| source.code[*at] == '"').collect();
    let literal = |pair: &[usize]| (pair[0], source.text[pair[0] + 1..pair[1]].iter().collect::<String>().replace("\\\"", "\""));
    quotes.chunks_exact(2).map(literal).collect()
}

fn filled(source: &Source, sources: &[Source], place: &str, text: String) -> Vec<String> {
    // A number of a parameter.
    let text = text.replace("?{}", "?9");
    let Some(open) = text.find('{') else { return vec![text] };
    let part = &text[open..=open + text[open..].find('}').expect("a placeholder ends")];
    let known = PARTS.iter().find(|(file, placeholder, _)| *file == source.path && *placeholder == part);
    let texts = match known {
        Some((_, _, texts)) => texts.iter().map(|text| (*text).to_owned()).collect(),
        None => vec![constant(source, sources, &part[1..part.len() - 1]).unwrap_or_else(|| panic!("{place}: say in PARTS what {part} is"))],
    };
    texts.iter().flat_map(|with| filled(source, sources, place, text.replacen(part, with, 1))).collect()
}

/// What `const NAME: &str` is in this file, or in the one of its module.
fn constant(source: &Source, sources: &[Source], name: &str) -> Option<String> {
    let module = source.path.rsplit_once('/').map_or("mod.rs".to_owned(), |(folder, _)| format!("{folder}/mod.rs"));
    let beginning: Vec<char> = format!("const {name}: &str =").chars().collect();
    [Some(source), sources.iter().find(|other| other.path == module)].into_iter().flatten().find_map(|source| {
        let start = source.code.windows(beginning.len()).position(|window| window == beginning)?;
        literals(source).into_iter().find(|(at, _)| *at > start).map(|(_, text)| text)
    })
}

/// How SQLite would go about it, triggers included: one step a line.
fn plan(connection: &rusqlite::Connection, statement: &Statement) -> Vec<String> {
    let prepared = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text));
    let mut prepared = prepared.unwrap_or_else(|error| panic!("{}: {error}", statement.place));
    let mut rows = prepared.raw_query();
    let mut plan = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        // A step of a trigger that is no look at a table has no text.
        plan.extend(row.get::<_, Option<String>>(3).unwrap());
    }
    plan
}

/// The steps that read a whole table, or a whole index of one, or sort.
fn faults(connection: &rusqlite::Connection, statement: &Statement) -> Vec<String> {
    let steps = plan(connection, statement);
    let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
    let stops_early = !sorts && statement.text.contains(" LIMIT ");
    let is_fine = |step: &String| {
        let index = step.split_once(" INDEX ").map(|(_, index)| index);
        // An index of some of the rows costs what they are; virtual tables have plans of their own.
        step == "SCAN CONSTANT ROW"
            || step.contains("VIRTUAL TABLE")
            || index.is_some_and(|index| stops_early || is_partial(connection, index))
    };
    steps.into_iter().filter(|step| step.contains("TEMP B-TREE") || (step.starts_with("SCAN") && !is_fine(step))).collect()
}

fn is_partial(connection: &rusqlite::Connection, index: &str) -> bool {
    let sql = "SELECT sql LIKE '% WHERE %' FROM sqlite_schema WHERE type = 'index' AND name = ?1";
    connection.query_row(sql, [index], |row| row.get::<_, Option<bool>>(0)).is_ok_and(|partial| partial == Some(true))
}

/// A database as this release makes it, planned as the core's connections plan.
fn database() -> (tempfile::TempDir, rusqlite::Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    Compass::open(Options::new(&path)).unwrap().close().unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRIGGER_EQP, true).unwrap();
    // A copy of a damaged file gets the definitions of its tables one by one.
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    (folder, connection)
}

#[test]
fn no_statement_reads_a_whole_table_or_sorts_what_an_index_has_in_order() {
    let (_folder, connection) = database();
    let sources = Source::below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"));
    let statements: Vec<_> = sources.iter().flat_map(|source| statements(source, &sources)).collect();
    assert!(statements.len() > 80, "the look is not blind: {} statements", statements.len());
    let mut found = Vec::new();
    for statement in &statements {
        let faults = faults(&connection, statement);
        if !faults.is_empty() && !ALLOWED.iter().any(|(part, _)| statement.text.contains(part)) {
            found.push(format!("{}: {}\n    {}", statement.place, statement.text, faults.join("\n    ")));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n\n"));
    for (part, _) in ALLOWED {
        let used = statements.iter().any(|statement| statement.text.contains(part) && !faults(&connection, statement).is_empty());
        assert!(used, "no statement needs to be allowed any more: {part}");
    }
}

#[test]
fn a_statement_that_reads_too_much_is_found() {
    let (_folder, connection) = database();
    let faults = |text: &str| {
        let planted = format!("fn f() {{ c.prepare_cached(\"{text}\") }}");
        let found = statements(&Source::new("planted.rs", &planted), &[]);
        assert_eq!(found.len(), 1, "{text}");
        faults(&connection, &found[0]).len()
    };
    for bad in [
        "SELECT key FROM session WHERE actor = ?1",
        "SELECT count(*) FROM event",
        "SELECT text FROM note WHERE session_id = ?1 ORDER BY at",
        "SELECT id FROM outbox ORDER BY endpoint LIMIT 5",
        "UPDATE outbox SET reason = NULL WHERE state = 'sent'",
        "DELETE FROM attempt WHERE status = 500",
    ] {
        assert!(faults(bad) > 0, "{bad}");
    }
    for fine in [
        "SELECT seq FROM event ORDER BY session_id, seq LIMIT ?1",
        "SELECT id FROM outbox WHERE state = 'leased'",
        "SELECT text FROM note WHERE session_id = ?1 ORDER BY seq",
        "UPDATE outbox SET reason = NULL WHERE id = ?1",
    ] {
        assert_eq!(faults(fine), 0, "{fine}");
    }
}

#[test]
fn a_list_of_what_waits_or_failed_reads_those_sessions_alone() {
    let (_folder, connection) = database();
    let sources = Source::below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"));
    let lists: Vec<_> = sources.iter().filter(|source| source.path == "list.rs").flat_map(|source| statements(source, &sources)).collect();
    for (condition, index) in [
        ("(s.state = 'in_progress')", "session_in_progress"),
        ("s.actions_pending > 0", "session_pending"),
        ("s.actions_failed > 0", "session_failed"),
    ] {
        let list = lists.iter().find(|list| list.text.contains(condition)).expect("such a list");
        assert!(plan(&connection, list).iter().any(|step| step.contains(index)), "{condition}: {:?}", plan(&connection, list));
    }
}
