//! Bringing a file up to the newest schema, one numbered file of SQL at a time.

use rusqlite::{Connection, TransactionBehavior};

use super::{Result, StoreError};

/// One per schema version, in order. A file that has shipped is never edited again.
const MIGRATIONS: &[&str] = &[include_str!("sql/0001_initial.sql")];

/// "Cmps": tells a Compass database from any other SQLite file.
const APPLICATION_ID: i32 = 0x436d_7073;

/// Refuses a file that is not ours or is from the future, without writing to it.
pub(super) fn check_identity(connection: &Connection) -> Result<()> {
    let version = version(connection)?;
    if version > MIGRATIONS.len() as u32 {
        return Err(StoreError::NewerSchema { found: version, known: MIGRATIONS.len() as u32 });
    }
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && id != APPLICATION_ID {
        return Err(StoreError::Foreign);
    }
    Ok(())
}

/// Applies what is missing, each step in a transaction of its own; a crash between two steps is caught up at the next open.
pub(super) fn migrate(connection: &mut Connection, install_id: &dyn Fn() -> String) -> Result<()> {
    migrate_to(connection, install_id, MIGRATIONS.len())
}

fn migrate_to(connection: &mut Connection, install_id: &dyn Fn() -> String, target: usize) -> Result<()> {
    while (version(connection)? as usize) < target {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Asked again inside: another process may have been faster.
        let from = version(&transaction)? as usize;
        if let Some(sql) = MIGRATIONS.get(from).filter(|_| from < target) {
            transaction.execute_batch(sql)?;
            if from == 0 {
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.execute("INSERT INTO meta (id, install_id) VALUES (1, ?1)", [install_id()])?;
            }
            transaction.pragma_update(None, "user_version", from as u32 + 1)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<u32> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema of every version, as it was shipped: copies, so that editing a migration that has shipped is noticed. Add one with each
    /// release that changes the schema.
    const SHIPPED: &[&str] = &[include_str!("../../tests/schema/0001.sql")];

    fn schema(connection: &Connection) -> Vec<(String, String, Option<String>)> {
        let mut rows = connection.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(|row| row.unwrap()).collect()
    }

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn upgraded_equals_fresh_from_every_shipped_version() {
        let mut fresh = memory();
        migrate(&mut fresh, &|| "fresh".to_owned()).unwrap();
        for (index, sql) in SHIPPED.iter().enumerate() {
            let mut old = memory();
            old.execute_batch(sql).unwrap();
            old.execute("INSERT INTO meta (id, install_id) VALUES (1, 'kept')", []).unwrap();
            old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            old.pragma_update(None, "user_version", index as u32 + 1).unwrap();
            check_identity(&old).unwrap();
            migrate(&mut old, &|| "never used".to_owned()).unwrap();
            assert_eq!(schema(&old), schema(&fresh), "upgraded from schema {}", index + 1);
            let id: String = old.query_row("SELECT install_id FROM meta", [], |row| row.get(0)).unwrap();
            assert_eq!(id, "kept");
        }
    }

    #[test]
    fn every_shipped_version_is_in_the_harness() {
        assert_eq!(SHIPPED.len(), MIGRATIONS.len());
    }

    #[test]
    fn a_file_from_the_future_is_refused_untouched() {
        let connection = memory();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(check_identity(&connection), Err(StoreError::NewerSchema { found: 99, known: 1 })));
    }

    #[test]
    fn a_database_of_something_else_is_refused() {
        let connection = memory();
        connection.execute_batch("CREATE TABLE contacts (name TEXT)").unwrap();
        assert!(matches!(check_identity(&connection), Err(StoreError::Foreign)));
    }
}
