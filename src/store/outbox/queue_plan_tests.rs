use super::super::super::{Store, StoreError};

/// How SQLite would run a query.
fn plan(store: &Store, sql: &str) -> String {
    store
        .read::<_, StoreError>(|connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let rows = statement.query_map([], |row| row.get::<_, String>(3))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.join("\n"))
        })
        .unwrap()
}

#[test]
fn reading_the_queue_costs_only_waiting_entries() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ..) = Store::open(&folder.path().join("compass.db"), &|| "install".to_owned()).unwrap();
    for (index, sql) in [
        ("outbox_due", "SELECT min(endpoint) FROM outbox WHERE state = 'queued' AND endpoint > 'a'"),
        ("outbox_due", "SELECT max(due_at) FROM outbox WHERE state = 'queued' AND endpoint = 'a'"),
        ("outbox_leased", "SELECT id FROM outbox WHERE state = 'leased' AND (lease_until <= 1 OR lease_until > 2 OR lease_until IS NULL)"),
        ("outbox_leased", "SELECT lease_until FROM outbox WHERE state = 'leased' ORDER BY lease_until LIMIT 1"),
        (
            "outbox_in_flight",
            "SELECT id, endpoint, in_flight_until FROM outbox WHERE state = 'queued' AND in_flight_until IS NOT NULL AND in_flight_until > 1 AND in_flight_until <= 2",
        ),
        ("outbox_unsent", "SELECT count(*) FROM outbox WHERE (state <> 'sent' AND state <> 'superseded') AND state <> 'failed'"),
        (
            "outbox_offline",
            "SELECT endpoint, min(cut_short) < 3 FROM outbox WHERE state = 'queued' AND offline_attempts > 0 GROUP BY endpoint",
        ),
        ("outbox_due", "SELECT id FROM outbox WHERE state = 'queued' AND (replay > 0) = 0 AND endpoint = 'a' AND due_at BETWEEN 1 AND 2 ORDER BY due_at, id LIMIT 32"),
        ("outbox_due", "SELECT id FROM outbox WHERE state = 'queued' AND (replay > 0) = 1 AND endpoint = 'a' AND due_at BETWEEN 1 AND 2 ORDER BY due_at, id LIMIT 32"),
        (
            "outbox_fresh",
            "SELECT id FROM outbox WHERE state = 'queued' AND counted = 0 AND slow_counted = 0 AND replay = 0 AND endpoint = 'a' AND due_at BETWEEN 1 AND 2
              ORDER BY due_at, id LIMIT 32",
        ),
        ("outbox_failed", "SELECT id FROM outbox WHERE state = 'failed' AND endpoint = 'a' ORDER BY id"),
    ] {
        let plan = plan(&store, sql);
        assert!(plan.contains(index), "{sql}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}
