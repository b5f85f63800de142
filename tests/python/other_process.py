"""What a test does in a process of its own: python3 other_process.py WHAT PATH. Says what came of it in one line of JSON."""

import json
import os
import sqlite3
import sys

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import Keystore, Wire, answered


def opened(path):
    wire = Wire(answered(202))
    return ffi.Core.open(ffi.OpenOptions(path=path, secrets=Keystore(), transport=wire)), wire


def flush(path):
    """Delivers what is due."""
    core, wire = opened(path)
    report = core.flush(20_000, ffi.Cancel())
    ids = [header.value for request in wire.requests for header in request.headers if header.name == "webhook-id"]
    core.shut_down()
    say(sent=report.sent, pending=report.pending, ids=ids, bodies=[request.body.decode() for request in wire.requests])


def hold(path):
    """Holds the write lock until the other process has nothing more to say."""
    database = sqlite3.connect(path)
    database.execute("BEGIN IMMEDIATE")
    say(held=True)
    sys.stdin.read()


def fill(folder):
    """Writes until the small disk at this folder is full, and once more."""
    core, _ = opened(os.path.join(folder, "compass.db"))
    with open(os.path.join(folder, "filler"), "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass
    try:
        for _ in range(1000):
            core.set_integration_enabled(True)
            core.set_integration_enabled(False)
        say(code=None)
    except model.CoreError.Failed as error:
        say(code=error.code, retryable=error.retryable)


def say(**what):
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    {"flush": flush, "hold": hold, "fill": fill}[sys.argv[1]](sys.argv[2])
