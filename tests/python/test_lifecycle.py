"""Holds, network, copies."""

import json
import os
import pathlib
import subprocess
import sys

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import Case, Keystore, Listener, Wire, answered


class Life(Case):
    def test_the_last_hold_quiesces_and_a_new_one_delivers_again(self):
        core = self.ready(secrets=Keystore(), transport=Wire(answered(200)))
        hold = core.resume()
        self.complete(core)
        hold.release()
        hold.release()
        self.assertEqual(self.flush(core).end, model.FlushEnd.QUIESCED)
        again = core.resume()
        self.assertEqual(self.flush(core).sent, 1)
        again.release()

    def test_a_cancelled_flush_sends_nothing(self):
        core = self.ready(secrets=Keystore(), transport=Wire(answered(200)))
        self.complete(core)
        cancel = ffi.Cancel()
        cancel.cancel()
        self.assertTrue(cancel.is_cancelled())
        self.assertEqual(core.flush(20_000, cancel).end, model.FlushEnd.CANCELLED)

    def test_without_a_network_nothing_is_tried(self):
        core = self.ready(secrets=Keystore(), transport=Wire(answered(200)))
        self.complete(core)
        core.set_connectivity(model.Connectivity.OFFLINE())
        self.assertEqual(self.flush(core).end, model.FlushEnd.OFFLINE)
        core.set_connectivity(model.Connectivity.ONLINE(None, False, 2**64 - 1))
        self.assertEqual(core.next_due().needs_person, False)

    def test_a_person_may_ask_for_a_flush(self):
        core = self.ready(secrets=Keystore(), transport=Wire(answered(200)))
        self.complete(core)
        self.assertEqual(core.flush(20_000, ffi.Cancel(), urgent=True).sent, 1)

    def test_a_copy_opens_as_the_same_database(self):
        core = self.ready()
        session = self.complete(core)
        copy = os.path.join(self.folder, "copy.db")
        core.backup(copy)
        core.shut_down()
        self.path = copy
        self.assertEqual(self.open().session(session).state, model.SessionState.COMPLETED)

    def test_a_copy_comes_back_and_the_database_goes(self):
        core = self.ready()
        copy = os.path.join(self.folder, "copy.db")
        core.backup(copy)
        session = self.complete(core)
        self.fails("already_open", ffi.restore, copy, ffi.RestoreOptions(path=self.path))
        core.shut_down()
        self.fails("undelivered", ffi.restore, copy, ffi.RestoreOptions(path=self.path))
        discard = ffi.DiscardUndelivered(actor="Mia", reason="on paper")
        ffi.restore(copy, ffi.RestoreOptions(path=self.path, discard_undelivered=discard))
        core = self.open()
        self.fails("unknown_session", core.session, session)
        core.shut_down()
        ffi.erase(self.path)
        self.assertFalse(os.path.exists(self.path))

    def test_what_can_be_read_is_saved_line_by_line(self):
        core = self.ready()
        session = self.complete(core)
        saved = os.path.join(self.folder, "saved.jsonl")
        report = ffi.salvage(self.path, saved)
        core.shut_down()
        with open(saved, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual((report.unsent, report.gaps, report.lines), (1, 0, len(lines)))
        self.assertEqual((lines[0]["unsent"]["session"], lines[0]["unsent"]["action"]), (session, "report"))
        body = next(line["body"] for line in lines if "body" in line)
        self.assertEqual(body["sha256"], lines[0]["unsent"]["body_sha256"])
        self.assertEqual(json.loads(body["bytes"])["key"], session)
        self.fails("invalid_argument", ffi.salvage, self.path, saved)

    def test_a_handle_opened_on_one_thread_works_on_another(self):
        core = self.within(30, self.ready)
        session = self.complete(core)
        self.assertEqual(self.within(30, lambda: core.session(session)).state, model.SessionState.COMPLETED)

    def test_what_another_process_did_is_seen_by_refresh(self):
        core = self.ready(secrets=Keystore(), transport=Wire(answered(200)))
        self.complete(core)
        notices = []
        subscription = core.observe(Listener(notices.append))
        self.assertFalse(core.refresh())
        elsewhere = pathlib.Path(__file__).with_name("other_process.py")
        subprocess.run([sys.executable, elsewhere, "flush", self.path], stdout=subprocess.DEVNULL, check=True, timeout=60)
        self.assertTrue(core.refresh())
        self.assertEqual([notice.everything for notice in notices], [True])
        self.assertFalse(core.refresh())
        subscription.cancel()
