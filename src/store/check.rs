//! The check for damage: what SQLite finds, and all readable rows. An unreadable row is a finding, and does not hide others.

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params};

use super::carried::CarriedState;
use super::endpoint::{self, StoredEndpoint};
use super::lost::IsId;
use super::row::{from_ms, lossy, sha256};
use super::schema::{self, Others};
use super::{Connection, Result, StoreError, derived, pages, search};
use crate::crypto::Sha256;
use crate::model::{SessionKey, echoed};
use crate::outbox::reason;
use crate::sorted::{SortedSet, sort};

/// What SQLite itself finds wrong with the file and its references. SQLite evaluates computed columns, so rows of unknown tables are checked
/// without that where possible, and otherwise not at all.
pub(crate) fn integrity(connection: &Connection, faults: &mut Vec<String>) -> Result<()> {
    match schema::others(connection)? {
        Others::None => add_faults(connection, "integrity_check(20)", MANY, faults)?,
        others => {
            for table in schema::tables(connection)? {
                add_faults(connection, &format!("integrity_check('{table}')"), MANY, faults)?;
            }
            if others == Others::Compute {
                return references(connection, faults);
            }
            // Only a check of the whole file finds a page that is used twice.
            connection.pragma_update(None, "ignore_check_constraints", true)?;
            let looked = add_faults(connection, "quick_check(20)", MANY, faults);
            connection.pragma_update(None, "ignore_check_constraints", false)?;
            match looked {
                // For instance a collation that only another program has.
                Err(StoreError::Internal(what)) => log::info!("the file is not checked as a whole: {what}"),
                looked => looked?,
            }
            sort(faults, PartialOrd::lt);
            faults.dedup();
        }
    }
    references(connection, faults)
}

/// The most messages of SQLite that are listed.
const MANY: usize = 20;

fn add_faults(connection: &Connection, pragma: &str, most: usize, faults: &mut Vec<String>) -> Result<()> {
    let before = faults.len();
    add_said(connection, pragma, most, faults)?;
    // That is said of a page for which there was no memory, too. One that cannot be got again is damaged.
    if faults[before..].iter().any(|fault| fault.contains("failed to get page ")) {
        faults.truncate(before);
        add_said(connection, pragma, most, faults)?;
    }
    Ok(())
}

/// Adds what SQLite's own check says, also before it ends with an error.
fn add_said(connection: &Connection, pragma: &str, most: usize, faults: &mut Vec<String>) -> Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA {pragma}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()?.filter(|_| faults.len() < most) {
        let found: String = row.get(0)?;
        // It goes on without memory, and says that of a page.
        if found.lines().any(|line| line.ends_with("error code=7") || line.ends_with("error code=3082")) {
            return Err(StoreError::OutOfMemory);
        }
        // It names tables and indexes, also unknown ones with names of any length.
        faults.extend(found.lines().filter(|line| *line != "ok").map(echoed));
    }
    Ok(())
}

/// What a look at the trees of the file found.
#[derive(Default)]
pub(super) struct TreeCheck {
    /// What can be derived and has a page that cannot be read, by the name of its table or index. `search` stands for all tables of the search
    /// index. When a write transaction reads such a page, SQLite refuses all its further writes.
    pub(super) lost: Vec<String>,
    /// The same where only the map of pages says something else than the tree.
    pub(super) unlike_map: Vec<String>,
    /// The map of pages is not right about what cannot be derived.
    pub(super) map: bool,
    /// The list of free pages is damaged.
    pub(super) free: bool,
    /// There may be more: SQLite lists only so much.
    pub(super) cut: bool,
}

/// The most that SQLite finds wrong with one table and its indexes.
const MOST: usize = 100;

/// Looks at all trees of the core. `stay`: these are not rebuilt. `is_whole`: also for pages that belong to nothing.
pub(super) fn look(connection: &Connection, stay: &[String], is_whole: bool) -> Result<TreeCheck> {
    let count: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    // A page that is lost says that any page is the next one, also one that is none.
    let is_of_map = |fault: &str| match fault.split_once("ptrmap key=") {
        Some((_, key)) => key.split(' ').next().and_then(|key| key.parse().ok()).is_none_or(|key| (1..=count).contains(&key)),
        None => fault.contains("ptr"),
    };
    let version = schema::version(connection)?;
    let mut tree = connection.prepare("SELECT name, type = 'index' FROM sqlite_schema WHERE rootpage = ?1")?;
    let mut found = TreeCheck::default();
    for table in schema::tables(connection)?.into_iter().filter(|table| *table != search::TABLE).chain(["sqlite_schema"]) {
        let mut faults = Vec::new();
        match add_faults(connection, &format!("quick_check('{table}')"), MOST, &mut faults) {
            Err(StoreError::Corrupt(what)) => faults.push(what),
            looked => looked?,
        }
        let is_cut = faults.len() >= MOST;
        found.cut |= is_cut;
        for fault in faults {
            if fault.starts_with("Freelist: ") {
                found.free = true;
                continue;
            }
            // The first page of the tree, or a page of it.
            let root = match root_in(&fault) {
                Some(root) => Some(root),
                None => match fault.rsplit_once(" page ").and_then(|(_, page)| page.parse().ok()) {
                    Some(page) => pages::root_of(connection, page)?,
                    None => None,
                },
            };
            let of_tree = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?));
            let named = root.map(|root: u32| tree.query_row([root], of_tree).optional()).transpose()?.flatten();
            let name = named.and_then(|(name, is_index)| derivable(version, name, is_index)).filter(|name| !stay.contains(name));
            match (name, is_of_map(&fault)) {
                (Some(name), false) => found.lost.push(name),
                (Some(name), true) => found.unlike_map.push(name),
                (None, is_of_map) => found.map |= is_of_map,
            }
        }
    }
    if is_whole && !found.free && schema::others(connection)? == Others::None {
        let mut faults = Vec::new();
        match add_faults(connection, &format!("quick_check({MOST})"), MOST, &mut faults) {
            Err(StoreError::Corrupt(_)) => {}
            looked => looked?,
        }
        found.free = faults.iter().any(|fault| fault.starts_with("Page ") && fault.ends_with(": never used"));
        // Of the first page of a tree.
        found.map |= faults.iter().any(|fault| !fault.starts_with("Tree ") && is_of_map(fault));
    }
    sort(&mut found.lost, PartialOrd::lt);
    found.lost.dedup();
    Ok(found)
}

/// The first page of the tree that SQLite finds wrong.
fn root_in(fault: &str) -> Option<u32> {
    fault.strip_prefix("Tree ")?.split(' ').next()?.parse().ok()
}

/// Whether the tree of this table or of an index of it is damaged, of those of this type. SQLite would free all pages that such a tree names,
/// also those of another one.
pub(super) fn has_damaged_tree(connection: &Connection, table: &str, of_type: &str) -> Result<bool> {
    let mut faults = Vec::new();
    match add_faults(connection, &format!("quick_check('{table}')"), MOST, &mut faults) {
        // Of a row: the trees were looked at before.
        Err(StoreError::Corrupt(_)) => {}
        looked => looked?,
    }
    let mut is_such = connection.prepare("SELECT 1 FROM sqlite_schema WHERE rootpage = ?1 AND type = ?2")?;
    for root in faults.iter().filter_map(|fault| root_in(fault)) {
        if is_such.exists(params![root, of_type])? {
            return Ok(true);
        }
    }
    Ok(faults.len() >= MOST)
}

/// The name under which a tree is rebuilt, if it can be.
pub(super) fn derivable(version: u32, name: String, is_index: bool) -> Option<String> {
    if search::TABLES.iter().any(|(of_search, _)| *of_search == name) {
        return Some(search::TABLE.to_owned());
    }
    // An index that is not ours may compute something.
    let is_ours = is_index && schema::hash(version, &format!("index {name}")).is_some();
    (is_ours || derived::TABLES.iter().any(|(table, _)| *table == name)).then_some(name)
}

/// Rows that refer to a missing row.
fn references(connection: &Connection, faults: &mut Vec<String>) -> Result<()> {
    for table in schema::tables(connection)? {
        let mut statement = connection.prepare(&format!("PRAGMA foreign_key_check('{table}')"))?;
        let count = statement.query_map([], |_| Ok(()))?.count();
        faults.extend(std::iter::repeat_n(format!("a row of {table} refers to a missing row"), count));
    }
    Ok(())
}

/// The keys of all sessions, as far as they can be read.
pub(crate) fn sessions(connection: &Connection, keys: &mut Vec<SessionKey>, faults: &mut Vec<String>) -> Result<()> {
    let mut statement = connection.prepare("SELECT key FROM session ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match row.get::<_, Vec<u8>>(0).map_err(StoreError::from).and_then(|key| super::row::session_key(&key)) {
            Ok(key) => keys.push(key),
            Err(error) => faults.push(error.to_string()),
        }
    }
    Ok(())
}

/// Wrong copies of data in a session's list row: the counts of its actions, and its current section.
pub(crate) fn projections(connection: &Connection, id: i64, section: &str) -> Result<Vec<&'static str>> {
    let mut statement = connection.prepare_cached(
        "SELECT (s.actions_not_fired, s.actions_pending, s.actions_sent, s.actions_failed) IS (
                    SELECT count(*) FILTER (WHERE status = 'not_fired'), count(*) FILTER (WHERE status = 'pending'),
                           count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'failed')
                      FROM action WHERE session_id = s.id)
                AND (s.actions_differing IS NULL OR s.actions_differing = (SELECT count(*) FROM action WHERE session_id = s.id AND differs = 1)),
                s.section_name = ?2
           FROM session s WHERE s.id = ?1",
    )?;
    let (counts, name): (bool, bool) = statement.query_row(rusqlite::params![id, section], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut faults = Vec::new();
    if !counts {
        faults.push("its counts are not those of its actions");
    }
    if !name {
        faults.push("its list shows another section than its current one");
    }
    Ok(faults)
}

/// The actions of a session that show another status than their newest entry has.
pub(crate) fn statuses(connection: &Connection, id: i64) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT a.key FROM action a
          WHERE a.session_id = ?1
            AND CASE a.revision
                WHEN 0 THEN EXISTS (SELECT 1 FROM outbox o WHERE o.action_id = a.id)
                ELSE NOT EXISTS (
                    SELECT 1 FROM outbox o
                     WHERE o.action_id = a.id AND o.revision = a.revision AND o.replay = 0 AND o.reason IS a.reason
                       AND a.status = CASE o.state WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'pending' WHEN 'superseded' THEN 'failed'
                                                   ELSE o.state END)
                  OR EXISTS (SELECT 1 FROM outbox o WHERE o.action_id = a.id AND o.revision > a.revision) END",
    )?;
    let keys = statement.query_map([id], |row| row.get(0))?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

/// Whether search finds a session by this plain text, or has not indexed it yet.
pub(crate) fn is_found(connection: &Connection, id: i64, text: &str) -> Result<bool> {
    Ok(search::is_due(connection, id)? || search::text(connection, id)?.as_deref() == Some(text))
}

/// Whether the pieces by which search finds a session are those of the text that it keeps of it.
pub(crate) fn has_its_pieces(connection: &Connection, id: i64) -> Result<bool> {
    search::has_its_pieces(connection, id)
}

/// The kinds of a session's events as their rows list them, in order.
pub(crate) fn types(connection: &Connection, id: i64) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT type FROM event WHERE session_id = ?1 ORDER BY seq")?;
    let types = statement.query_map([id], |row| row.get(0))?;
    Ok(types.collect::<rusqlite::Result<_>>()?)
}

/// Rules that hold for all rows: what the rows are, what is wrong with a row that breaks the rule, and the query that finds such rows by name.
pub(crate) const RULES: [(&str, &str, &str); 16] = [
    (
        "message",
        "was sent, but no attempt got a 2xx answer",
        "SELECT delivery_id FROM outbox o WHERE state = 'sent'
            AND (attempts = 0 OR NOT EXISTS (SELECT 1 FROM attempt a WHERE a.outbox_id = o.id AND a.status BETWEEN 200 AND 299))",
    ),
    (
        "message",
        "has another endpoint, version or state than its action and session",
        "SELECT o.delivery_id FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id
           JOIN workflow w ON w.id = s.workflow_id
          WHERE o.endpoint IS NOT a.endpoint OR o.session_state IS NOT s.state
             OR o.workflow_version IS NOT w.version || iif(w.local_revision = 0, '', '.' || w.local_revision)",
    ),
    (
        "message",
        "has an unreadable list of the redacted fields that it holds",
        "SELECT delivery_id FROM outbox WHERE holds_redacted NOT GLOB '[[]\"*\"]'",
    ),
    (
        "action",
        "counts more failed sends than are possible",
        "SELECT key FROM action a WHERE failed_sends NOT BETWEEN 0 AND (SELECT total(o.revived + 1) FROM outbox o WHERE o.action_id = a.id)",
    ),
    (
        "action",
        "counts fewer failed sends than there are",
        // An entry that was created as failed was not a send.
        "SELECT key FROM action a WHERE failed_sends < (SELECT count(*) FROM outbox o WHERE o.action_id = a.id
            AND o.state = 'failed' AND o.reason <> 'abandoned' AND o.cycle_counts = 1 AND o.attempts > 0)",
    ),
    (
        "message",
        "has counts that do not match its attempts",
        // The newest ten are kept, and since schema 2 the first. An attempt that ran when its entry was abandoned, superseded or sent may have
        // no row; an entry with a later attempt was revived.
        "SELECT delivery_id FROM outbox o
          WHERE EXISTS (SELECT 1 FROM attempt t WHERE t.outbox_id = o.id AND t.number NOT BETWEEN 1 AND o.attempts)
             OR (SELECT count(*) FROM attempt t WHERE t.outbox_id = o.id AND t.number > o.attempts - 10) + o.revived
                + (o.state NOT IN ('queued', 'failed') OR o.reason IS 'abandoned' OR o.in_flight_until IS NOT NULL) < min(o.attempts, 10)",
    ),
    (
        "message",
        "is superseded, but there is no newer one",
        "SELECT delivery_id FROM outbox o WHERE state = 'superseded'
            AND NOT EXISTS (SELECT 1 FROM outbox newer WHERE newer.action_id = o.action_id AND newer.revision > o.revision)",
    ),
    (
        "action",
        "did not fire for a reason that does not match its session",
        "SELECT a.key FROM action a JOIN session s ON s.id = a.session_id
          WHERE a.status = 'not_fired' AND (a.reason IS 'session_ended') <> (s.state = 'ended')",
    ),
    (
        "action",
        "has a number that another one has, or that was not given yet",
        "SELECT key FROM action WHERE sequence IS NOT NULL GROUP BY series, endpoint, sequence HAVING count(*) > 1
         UNION ALL SELECT a.key FROM action a, meta m
          WHERE a.series = m.series AND a.sequence > ifnull((SELECT max(number) FROM last_number n WHERE n.endpoint = a.endpoint), 0)",
    ),
    (
        "the last number of endpoint",
        "is out of range",
        "SELECT endpoint FROM last_number WHERE number NOT BETWEEN 1 AND 1000000000000",
    ),
    (
        "a row of",
        "says that the integration was never on, but it is on",
        "SELECT 'meta' FROM meta WHERE integration_was_enabled < integration_enabled",
    ),
    (
        "the row numbers of",
        "are behind the newest row",
        "SELECT name FROM (SELECT 'session' AS name, max(id) AS newest FROM session UNION ALL SELECT 'outbox', max(id) FROM outbox) AS counted
          WHERE newest > ifnull((SELECT max(seq) FROM sqlite_sequence WHERE sqlite_sequence.name = counted.name), 0)",
    ),
    ("row", "of the search belongs to no session", "SELECT CAST(rowid AS TEXT) FROM search WHERE rowid NOT IN (SELECT id FROM session)"),
    ("the table", "keeps pieces of deleted texts", search::UNCLEAN),
    (
        "a row of",
        "is of an age that the database has not reached",
        "SELECT name FROM (SELECT 'session' AS name, finished_age AS age FROM session
                           UNION ALL SELECT 'outbox', sent_age FROM outbox UNION ALL SELECT 'hashed_command', hashed_age FROM hashed_command
                           UNION ALL SELECT 'tombstone', deleted_age FROM tombstone
                           UNION ALL SELECT 'known_action', known_age FROM known_action)
          WHERE age NOT BETWEEN 0 AND (SELECT max(age, 0) FROM meta)",
    ),
    ("session", "was deleted, but still exists", "SELECT lower(hex(key)) FROM tombstone WHERE key IN (SELECT key FROM session)"),
];

/// Reports each row that breaks a rule.
pub(crate) fn broken(connection: &Connection, (of, what, query): (&str, &str, &str), faults: &mut Vec<String>) -> Result<()> {
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        faults.push(format!("{of} {} {what}", lossy(row, 0)?));
    }
    Ok(())
}

/// Checks that the counters of the file are readable and can still rise.
pub(crate) fn counters(connection: &Connection) -> Result<()> {
    CarriedState::of(connection).map(drop)
}

/// Attempts that are unreadable or have no known outcome: an unknown word, or `sent` without a 2xx answer.
pub(crate) fn attempts(connection: &Connection, faults: &mut Vec<String>) -> Result<()> {
    let mut statement = connection.prepare(
        "SELECT o.delivery_id, a.outcome, a.at, a.status FROM attempt a JOIN outbox o ON o.id = a.outbox_id ORDER BY o.id, a.number",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let is_ok = matches!(row.get_ref(3)?, ValueRef::Integer(200..=299));
        match row.get_ref(1)?.as_str() {
            Ok(_) if from_ms(row.get(2)?).is_err() => faults.push(format!("an attempt of message {} cannot be read", lossy(row, 0)?)),
            Ok(reason::SENT) if is_ok => {}
            Ok(outcome) if reason::ALL.contains(&outcome) => {}
            Ok(_) => faults.push(format!("an attempt of message {} has no known outcome", lossy(row, 0)?)),
            Err(_) => faults.push(format!("an attempt of message {} cannot be read", lossy(row, 0)?)),
        }
    }
    Ok(())
}

/// Endpoints that cannot be read.
pub(crate) fn endpoints(connection: &Connection, faults: &mut Vec<String>) -> Result<()> {
    let corrupt = |endpoint| if let StoredEndpoint::Corrupt(key) = endpoint { Some(key) } else { None };
    let keys = endpoint::all(connection)?.into_iter().filter_map(corrupt);
    faults.extend(keys.map(|key| format!("the endpoint `{key}` cannot be read")));
    Ok(())
}

/// Bodies that are changed, missing, or belong to no message, and messages whose id is not the one of their install, session, action, hash
/// and revision.
pub(crate) fn messages(connection: &Connection, is_id: IsId, faults: &mut Vec<String>) -> Result<()> {
    let damaged = damaged_bodies(connection, faults)?;
    let install_id: String = connection.query_row("SELECT install_id FROM meta WHERE id = 1", [], |row| row.get(0))?;
    let mut statement = connection.prepare(
        "SELECT o.delivery_id, o.body_sha256, s.key, a.key, b.rowid, o.body_kept, o.body_size IS length(b.bytes), o.revision
           FROM outbox o LEFT JOIN body b ON b.sha256 = o.body_sha256
           LEFT JOIN action a ON a.id = o.action_id LEFT JOIN session s ON s.id = o.session_id ORDER BY o.id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = match row.get_ref(0)? {
            ValueRef::Text(id) => String::from_utf8_lossy(id).into_owned(),
            _ => String::new(),
        };
        let hash = row.get::<_, Vec<u8>>(1).ok().and_then(|hash| sha256(&hash).ok());
        if row.get(5).unwrap_or(true) {
            match row.get::<_, Option<i64>>(4)? {
                None => faults.push(format!("the body of message {id} is lost")),
                Some(body) if damaged.contains(&body) => {
                    faults.push(format!("the body of message {id} is not the one that was frozen"));
                }
                Some(_) if !row.get::<_, bool>(6)? => faults.push(format!("the body of message {id} has another size than recorded")),
                Some(_) => {}
            }
        }
        let session = row.get::<_, Vec<u8>>(2).ok().and_then(|key| super::row::session_key(&key).ok());
        let is_its = match (session, row.get::<_, String>(3), hash, row.get(7)) {
            (Some(session), Ok(action), Some(hash), Ok(revision)) => is_id(&id, &install_id, session, &action, &hash, revision),
            _ => false,
        };
        if !is_its {
            faults.push(format!("the id of message {id} does not match its content"));
        }
    }
    Ok(())
}

/// Rows of bodies whose bytes have another hash. Reports those that belong to no message.
fn damaged_bodies(connection: &Connection, faults: &mut Vec<String>) -> Result<SortedSet<i64>> {
    let mut statement = connection.prepare(
        "SELECT b.rowid, b.sha256, EXISTS (SELECT 1 FROM outbox o WHERE o.body_sha256 = b.sha256 AND o.body_kept = 1), b.bytes FROM body b",
    )?;
    let mut rows = statement.query([])?;
    let mut damaged = SortedSet::new();
    while let Some(row) = rows.next()? {
        let hash = row.get::<_, Vec<u8>>(1).ok().and_then(|hash| sha256(&hash).ok());
        let made = row.get_ref(3)?.as_blob().ok().map(Sha256::of);
        if hash.is_none() || made != hash {
            damaged.insert(row.get(0)?);
        }
        if !row.get::<_, bool>(2)? {
            faults.push("a body is kept that belongs to no message".to_owned());
        }
    }
    Ok(damaged)
}
