//! Updating a file to the newest schema, one numbered file of SQL at a time.

use rusqlite::{Connection, TransactionBehavior};

use super::{Result, StoreError, schema};

/// The files of `sql/`, one per schema version, as `build.rs` packs them. A released file is never edited again.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/migrations"));

/// "Cmps": distinguishes a Compass database from any other SQLite file.
const APPLICATION_ID: i32 = 0x436d_7073;

/// Checks an opened file in one snapshot: that it is a Compass database, its version, and that its schema is the one of that version. Writes
/// nothing.
pub(super) fn look(connection: &Connection) -> Result<()> {
    let snapshot = connection.unchecked_transaction()?;
    check_identity(&snapshot)?;
    schema::check(&snapshot, schema::version(&snapshot)?)
}

/// Refuses a file of another program or with a newer schema, without writing to it.
pub(super) fn check_identity(connection: &Connection) -> Result<()> {
    let id = application_id(connection)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let version = schema::version(connection)?;
    // First the application id: other programs number their schemas, too.
    if id != APPLICATION_ID && (id != 0 || tables > 0 || version > 0) {
        return Err(StoreError::Foreign);
    }
    check_version(version)
}

/// Whether the file says that it is ours.
pub(super) fn is_ours(connection: &Connection) -> Result<bool> {
    Ok(application_id(connection)? == APPLICATION_ID)
}

fn application_id(connection: &Connection) -> Result<i32> {
    Ok(connection.query_row("PRAGMA application_id", [], |row| row.get(0))?)
}

/// Refuses a schema that this release does not know.
pub(super) fn check_version(found: u32) -> Result<()> {
    let known = newest();
    if found > known { Err(StoreError::NewerSchema { found, known }) } else { Ok(()) }
}

/// Applies the missing steps, each in its own transaction; after a crash between two steps the next open continues.
pub(super) fn migrate(connection: &mut Connection, install_id: &dyn Fn() -> String) -> Result<()> {
    migrate_to(connection, install_id, newest() as usize)
}

/// A table that others refer to can only be rebuilt while foreign keys are off, which cannot be set inside a transaction. CHECK constraints are
/// also off meanwhile: a damaged value is copied as it is, and stops only its own row.
fn migrate_to(connection: &mut Connection, install_id: &dyn Fn() -> String, target: usize) -> Result<()> {
    if schema::version(connection)? as usize >= target {
        return Ok(());
    }
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")?;
    let migrated = apply(connection, install_id, &migrations(), target);
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA ignore_check_constraints = OFF")?;
    migrated.map_err(|error| match error {
        // Rows that break a rule.
        StoreError::Internal(what) => StoreError::Corrupt(what),
        error => error,
    })
}

fn apply(connection: &mut Connection, install_id: &dyn Fn() -> String, migrations: &[String], target: usize) -> Result<()> {
    while (schema::version(connection)? as usize) < target {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Read again inside: another process may have been faster.
        let from = schema::version(&transaction)? as usize;
        if let Some(sql) = migrations.get(from).filter(|_| from < target) {
            transaction.execute_batch(sql)?;
            if from == 0 {
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.execute("INSERT INTO meta (id, install_id) VALUES (1, ?1)", [install_id()])?;
            }
            transaction.pragma_update(None, "user_version", from as u32 + 1)?;
            check_references(&transaction)?;
            schema::check(&transaction, from as u32 + 1)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// Checks the foreign keys that were off.
fn check_references(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare("SELECT DISTINCT \"table\" FROM pragma_foreign_key_check ORDER BY 1")?;
    let tables = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    if tables.is_empty() { Ok(()) } else { Err(StoreError::Corrupt(format!("rows of {} refer to missing rows", tables.join(", ")))) }
}

/// The newest schema that this release knows.
pub(super) fn newest() -> u32 {
    schema::LISTS.len() as u32
}

/// One per schema version, in order.
fn migrations() -> Vec<String> {
    unpack(PACKED).split('\0').map(str::to_owned).collect()
}

/// What `build.rs` has packed.
fn unpack(packed: &[u8]) -> String {
    let (mut text, mut rest) = (String::new(), packed);
    while let [first, behind @ ..] = rest {
        rest = match (first.checked_sub(0x80), behind) {
            (Some(more), [low, high, behind @ ..]) => {
                let from = text.len() - usize::from(u16::from_le_bytes([*low, *high]));
                // What comes again may reach into itself.
                (from..from + 4 + usize::from(more)).for_each(|at| text.push(char::from(text.as_bytes()[at])));
                behind
            }
            _ => {
                text.push(char::from(*first));
                behind
            }
        };
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::store) const NEWEST: usize = schema::LISTS.len();

    /// The schema of every version, as it was released: copies, so that an edit of a released migration is noticed. Add one with each
    /// release that changes the schema.
    const SHIPPED: &[&str] = &[
        include_str!("../../tests/schema/0001.sql"),
        include_str!("../../tests/schema/0002.sql"),
        include_str!("../../tests/schema/0003.sql"),
    ];

    fn schema(connection: &Connection) -> Vec<(String, String, Option<String>)> {
        let mut rows = connection.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(|row| row.unwrap()).collect()
    }

    pub(in crate::store) fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    /// A new database of this version, made only by the migrations.
    pub(in crate::store) fn migrated_to(version: usize) -> Connection {
        let connection = memory();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        migrations()[..version].iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        connection.pragma_update(None, "user_version", version as u32).unwrap();
        connection
    }

    #[test]
    fn upgraded_equals_fresh_from_every_shipped_version() {
        let mut fresh = memory();
        migrate(&mut fresh, &|| "fresh".to_owned()).unwrap();
        for index in 0..SHIPPED.len() {
            let mut old = memory();
            old.pragma_update(None, "foreign_keys", false).unwrap();
            SHIPPED[..=index].iter().for_each(|sql| old.execute_batch(sql).unwrap());
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
    fn every_version_is_unpacked_as_it_was_shipped() {
        assert_eq!(migrations(), SHIPPED);
        assert_eq!(SHIPPED.len(), NEWEST);
    }

    #[test]
    fn a_file_with_a_newer_schema_is_refused_unchanged() {
        let connection = memory();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = check_identity(&connection);
        assert!(matches!(refused, Err(StoreError::NewerSchema { found: 99, known }) if known == newest()), "{refused:?}");
    }

    #[test]
    fn a_database_of_another_program_is_refused_with_any_version() {
        for (id, version, table) in [(0, 0, true), (0, 99, true), (7, 99, true), (7, 0, false), (0, 3, false)] {
            let connection = memory();
            connection.pragma_update(None, "application_id", id).unwrap();
            connection.pragma_update(None, "user_version", version).unwrap();
            if table {
                connection.execute_batch("CREATE TABLE contacts (name TEXT)").unwrap();
            }
            assert!(matches!(check_identity(&connection), Err(StoreError::Foreign)), "id {id}, version {version}");
        }
        check_identity(&memory()).unwrap();
    }

    #[test]
    fn a_migration_that_breaks_a_reference_changes_nothing() {
        let mut connection = memory();
        migrate(&mut connection, &|| "install".to_owned()).unwrap();
        let mut migrations = migrations();
        migrations.push(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT;
             CREATE TABLE child (parent INTEGER REFERENCES parent (id)) STRICT;
             INSERT INTO child VALUES (1);"
                .to_owned(),
        );
        let before = schema(&connection);
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        let refused = apply(&mut connection, &|| "install".to_owned(), &migrations, NEWEST + 1);
        assert!(matches!(&refused, Err(StoreError::Corrupt(what)) if what.contains("child")), "{refused:?}");
        assert_eq!(schema(&connection), before);
        assert_eq!(schema::version(&connection).unwrap(), newest());
    }

    #[test]
    fn foreign_keys_are_on_again_after_a_migration_whether_it_works_or_not() {
        let on = |connection: &Connection| connection.query_row("PRAGMA foreign_keys", [], |row| row.get::<_, bool>(0)).unwrap();
        let mut connection = memory();
        migrate(&mut connection, &|| "install".to_owned()).unwrap();
        assert!(on(&connection));
        let mut connection = memory();
        connection.execute_batch("CREATE TABLE meta (name TEXT)").unwrap();
        migrate(&mut connection, &|| "install".to_owned()).unwrap_err();
        assert!(on(&connection));
    }
}
