"""Makes a file from migrations with the SQLite that this process is given: python3 older_sqlite.py PATH MIGRATION... Says its version."""

import sys

import apsw

APPLICATION_ID = 0x436D7073

path, migrations = sys.argv[1], sys.argv[2:]
database = apsw.Connection(path)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA foreign_keys = OFF")
for version, migration in enumerate(migrations, 1):
    database.execute("BEGIN IMMEDIATE")
    with open(migration, encoding="utf-8") as file:
        database.execute(file.read())
    if version == 1:
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("INSERT INTO meta (id, install_id) VALUES (1, 'older')")
    database.execute(f"PRAGMA user_version = {version}")
    database.execute("COMMIT")
database.close()
print(apsw.sqlitelibversion())
