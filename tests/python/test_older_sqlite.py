"""Files that older versions of SQLite made: their schema is the one that the core compares with, however they write it down.

OLDER_SQLITE names the folders, each with an `apsw` of another version; tests/run installs them.
"""

import os
import pathlib
import subprocess
import sys
import unittest

from support import Case

MIGRATIONS = sorted((pathlib.Path(__file__).resolve().parents[2] / "src/store/sql").glob("*.sql"))
MAKER = pathlib.Path(__file__).with_name("older_sqlite.py")
FOLDERS = [folder for folder in os.environ.get("OLDER_SQLITE", "").split(os.pathsep) if folder]


class OlderSqlite(Case):
    @unittest.skipUnless(FOLDERS, "no older SQLite is installed")
    def test_its_files_open_and_are_whole(self):
        versions = set()
        for number, folder in enumerate(FOLDERS):
            for newest in range(1, len(MIGRATIONS) + 1):
                self.path = os.path.join(self.folder, f"{number}-{newest}.db")
                command = [sys.executable, str(MAKER), self.path, *map(str, MIGRATIONS[:newest])]
                made = subprocess.run(command, env=os.environ | {"PYTHONPATH": folder}, capture_output=True, text=True, check=True)
                versions.add(made.stdout.strip())
                core = self.open()
                self.assertEqual(core.check().faults, [], f"{made.stdout.strip()}, schema {newest}")
                core.shut_down()
        self.assertEqual(len(versions), len(FOLDERS), versions)
