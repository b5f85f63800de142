//! Changes that the schema would refuse.

/// Changes a file as failing flash or a stranger does: past every rule of its schema, which stands afterwards as before.
pub fn past_every_rule<T>(file: &rusqlite::Connection, change: impl FnOnce(&rusqlite::Connection) -> T) -> T {
    file.pragma_update(None, "foreign_keys", false).expect("a pragma");
    file.pragma_update(None, "ignore_check_constraints", true).expect("a pragma");
    let mut triggers = file.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").expect("a schema");
    let triggers = triggers.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let triggers: Vec<(String, String)> = triggers.collect::<Result<_, _>>().expect("texts");
    triggers.iter().for_each(|(name, _)| file.execute_batch(&format!("DROP TRIGGER {name}")).expect("a trigger"));
    let result = change(file);
    triggers.iter().for_each(|(_, rule)| file.execute_batch(rule).expect("a trigger"));
    result
}
