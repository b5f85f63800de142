//! Damage inside a file that opens: told as damage, and all that can be found is told.

use super::*;
use crate::support::app::{App, code};

/// Changes rows as failing flash does, past every rule.
fn damage(app: &App, change: &str) {
    let sql = app.sql();
    sql.pragma_update(None, "foreign_keys", false).unwrap();
    sql.pragma_update(None, "ignore_check_constraints", true).unwrap();
    let mut triggers = sql.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let triggers: Vec<(String, String)> =
        triggers.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    triggers.iter().for_each(|(name, _)| sql.execute_batch(&format!("DROP TRIGGER {name}")).unwrap());
    sql.execute_batch(change).unwrap();
    assert!(sql.changes() > 0, "{change}");
    triggers.iter().for_each(|(_, rule)| sql.execute_batch(rule).unwrap());
}

#[test]
fn a_row_that_does_not_read_back_is_damage_and_no_fault_of_ours() {
    for change in [
        "UPDATE session SET actor = CAST(x'ff' AS TEXT)",
        "UPDATE session SET started_at = 9000000000000000000",
        "UPDATE value SET json = '{'",
        "UPDATE value SET json = CAST(x'7bff' AS TEXT)",
        "UPDATE note SET text = CAST(x'ff' AS TEXT)",
        "UPDATE visit SET section = CAST(x'ff' AS TEXT)",
        "UPDATE event SET json = '{}' WHERE type = 'noted'",
    ] {
        let app = App::new();
        let session = app.at_the_end().key;
        app.compass.note(session, "loud", "a-note").unwrap();
        damage(&app, change);
        let codes = [code(app.compass.session(session)), code(app.compass.record(session))];
        assert!(codes.contains(&"corrupt") && !codes.contains(&"internal"), "{change}: {codes:?}");
        assert!(!app.faults().is_empty(), "{change}");
    }
}
