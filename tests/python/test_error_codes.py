"""Every error code of the core, thrown once through the shared library."""

import hashlib
import json
import os
import pathlib
import re
import resource
import sqlite3
import subprocess
import sys
import unittest

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import WORKFLOW, Case, Keystore, Wire, answered

ROOT = pathlib.Path(__file__).resolve().parents[2]
ELSEWHERE = pathlib.Path(__file__).with_name("other_process.py")

ACTION = model.ActionDefinition(
    key="report",
    name="Report",
    integration=model.Integration.WEBHOOKS,
    kind=model.ActionKind.SEND_MESSAGE,
    endpoint="office",
)
DISCARD = model.Command.DISCARD()


def document(**changes):
    return json.dumps(WORKFLOW | changes).encode()


def unlinked():
    """The workflow with an answer that leads nowhere yet."""
    arrive, done = WORKFLOW["sections"]
    return document(sections=[arrive | {"answers": [{"key": "on", "name": "Go on"}]}, done])


def note(command_id="note-1", text="Gate is locked"):
    return model.Command.NOTE(command_id, text)


def end(reason="Called away"):
    return model.Command.END("end-1", reason)


def edit(fields=(), notes=()):
    return model.Command.EDIT("edit-1", list(fields), list(notes))


def text(field, value):
    return model.FieldChange(field=field, change=model.Change.SET(model.FieldValue.TEXT(value)))


def set_fields(*changes):
    return model.Command.SET_FIELDS(list(changes))


def note_change(note, text):
    return model.NoteChange(note=note, text=text)


class ErrorCodes(Case):
    def wired(self, status=202):
        return self.ready(secrets=Keystore(), transport=Wire(answered(status)))

    def refused(self, code, *commands, place=None):
        """These commands, in a session that has just begun."""
        core = self.ready()
        error = self.fails(code, core.run, self.start(core).key, None, list(commands))
        self.assertEqual((error.place, error.retryable), (place, False))

    def rejected(self):
        """A session whose one action failed."""
        core = self.wired(400)
        session = self.complete(core)
        self.assertEqual(self.flush(core).failed, 1)
        return core, session

    def tampered(self, old, new):
        """A session in progress whose stored document somebody has changed, past the core, with its hash: as if it had been imported so."""
        core = self.ready()
        session = self.start(core).key
        core.run(session, None, [set_fields(text("site", "Mill Lane"))])
        core.shut_down()
        database = sqlite3.connect(self.path)
        (rule,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'workflow_is_immutable'").fetchone()
        database.execute("DROP TRIGGER workflow_is_immutable")
        (before,) = database.execute("SELECT CAST(document AS TEXT) FROM workflow").fetchone()
        after = before.replace(old, new)
        self.assertNotEqual(before, after)
        canonical = json.dumps(json.loads(after), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        values = (after.encode(), hashlib.sha256(canonical.encode()).digest())
        database.execute("UPDATE workflow SET document = ?, hash = ?", values)
        database.execute(rule)
        database.commit()
        database.close()
        return self.open(), session

    # The handle

    def test_already_open(self):
        self.open()
        self.fails("already_open", self.open)

    def test_closed(self):
        core = self.open()
        core.shut_down()
        self.fails("closed", core.totals)

    def test_reentrant(self):
        codes = []

        def send(_):
            for call in (core.shut_down, core.quiesce, core.stop_delivery, lambda: core.flush(1, ffi.Cancel())):
                codes.append(self.fails("reentrant", call).code)
            return answered(202)

        core = self.ready(secrets=Keystore(), transport=Wire(send))
        self.complete(core)
        self.assertEqual(self.within(60, lambda: self.flush(core)).sent, 1)
        self.assertEqual(len(codes), 4)

    def test_invalid_option(self):
        policy = ffi.default_retry_policy()
        policy.jitter = 2.0
        self.assertEqual(self.fails("invalid_option", lambda: self.open(retry=policy)).place, "retry.jitter")

    # The file

    def test_cannot_open(self):
        self.path = os.path.join(self.folder, "no-folder", "compass.db")
        self.assertTrue(self.fails("cannot_open", self.open).retryable)

    def test_locked(self):
        core = self.open()
        command = [sys.executable, ELSEWHERE, "hold", self.path]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            self.assertEqual(json.loads(other.stdout.readline()), {"held": True})
            self.assertTrue(self.fails("locked", core.set_integration_enabled, True).retryable)
            other.communicate()
        core.set_integration_enabled(True)

    def test_disk_full(self):
        script = 'mount -t tmpfs -o size=2m none "$1" || exit 77; exec "$2" "$3" fill "$1"'
        command = ["unshare", "-rm", "sh", "-c", script, "sh", self.folder, sys.executable, ELSEWHERE]
        try:
            said = subprocess.run(command, capture_output=True, timeout=60).stdout
        except FileNotFoundError:
            said = b""
        if not said:
            self.skipTest("no small disk can be made here")
        self.assertEqual(json.loads(said), {"code": "disk_full", "retryable": True})

    @unittest.skipUnless(sys.platform == "linux", "memory can be limited on Linux alone")
    def test_out_of_memory(self):
        self.open().shut_down()
        database = sqlite3.connect(self.path)
        # Wants a gigabyte.
        wants = "CREATE TRIGGER wants AFTER INSERT ON workflow BEGIN SELECT RAISE(IGNORE) WHERE length(randomblob(1000000000)) < 0; END"
        database.execute(wants)
        database.close()
        core = self.open()
        with open("/proc/self/status", encoding="utf-8") as status:
            used = int(re.search(r"VmSize:\s+(\d+) kB", status.read())[1]) << 10
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 29), hard))
        try:
            error = self.fails("out_of_memory", core.import_workflow, document())
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        self.assertTrue(error.retryable)
        self.assertEqual(core.workflows(), [])

    def test_corrupt(self):
        self.ready().shut_down()
        database = sqlite3.connect(self.path)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        with open(self.path, "r+b") as file:
            file.seek(100)
            file.write(bytes((at * 7 + 3) % 256 for at in range(3996)))
        self.fails("corrupt", self.open)

    def test_not_a_database(self):
        with open(self.path, "wb") as file:
            file.write(b"Once upon a time there was a pump. " * 200)
        self.fails("not_a_database", self.open)

    def test_newer_schema(self):
        self.open().shut_down()
        database = sqlite3.connect(self.path)
        database.execute("PRAGMA user_version = 999")
        database.close()
        self.fails("newer_schema", self.open)

    def test_io(self):
        core = self.open()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
        try:
            error = self.fails("io", core.import_workflow, document())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        self.assertTrue(error.retryable)
        self.assertTrue(core.import_workflow(document()).imported)

    # Workflows

    def test_invalid_workflow(self):
        self.assertEqual(self.fails("invalid_workflow", self.open().import_workflow, document(start="nowhere")).place, "/start")

    def test_workflow_conflict(self):
        self.fails("workflow_conflict", self.ready().import_workflow, document(name="Another"))

    def test_unknown_workflow(self):
        self.assertEqual(self.fails("unknown_workflow", self.open().workflow, "pump-check", None).place, "pump-check")

    def test_not_startable(self):
        core = self.open()
        core.import_workflow(unlinked())
        error = self.fails("not_startable", self.start, core)
        self.assertIn(model.Severity.INCOMPLETE, [finding.severity for finding in error.findings])

    def test_authoring(self):
        self.fails("authoring", ffi.add_action, document(), "done", ACTION)
        self.fails("authoring", ffi.remove_action, document(), "done", "nothing")

    # Sessions

    def test_unknown_session(self):
        self.fails("unknown_session", self.open().session, "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11")

    def test_deleted_session(self):
        core = self.ready()
        session = self.start(core).key
        core.run(session, None, [end()])
        self.assertEqual((core.delete(session).unused_files, core.files()), ([], []))
        self.fails("deleted_session", core.session, session)

    def test_command_id_reused(self):
        core = self.ready()
        session = self.start(core).key
        core.run(session, None, [note()])
        self.fails("command_id_reused", core.run, session, None, [note(text="Gate is open")])

    def test_not_deletable(self):
        core = self.ready()
        self.fails("not_deletable", core.delete, self.start(core).key)

    def test_undelivered(self):
        core = self.ready()
        self.fails("undelivered", core.delete, self.complete(core))

    def test_not_in_progress(self):
        self.refused("not_in_progress", end(), set_fields(text("site", "Mill Lane")))

    def test_not_finished(self):
        self.refused("not_finished", edit([text("site", "Mill Lane")]))

    def test_already_finished(self):
        self.refused("already_finished", end(), DISCARD)

    def test_discarded(self):
        self.refused("discarded", DISCARD, note())

    def test_unknown_visit(self):
        self.refused("unknown_visit", model.Command.BACK(1, 9), place="9")

    def test_already_there(self):
        self.refused("already_there", model.Command.BACK(1, 1), place="1")

    def test_unknown_answer(self):
        self.refused("unknown_answer", model.Command.ANSWER(1, "off"), place="arrive.off")

    def test_unlinked_answer(self):
        core, session = self.tampered(', "next": "done"', "")
        error = self.fails("unlinked_answer", core.run, session, None, [model.Command.ANSWER(1, "on")])
        self.assertEqual(error.place, "arrive.on")

    def test_broken_workflow(self):
        core, session = self.tampered('"next": "done"', '"next": "gone"')
        error = self.fails("broken_workflow", core.run, session, None, [model.Command.ANSWER(1, "on")])
        self.assertEqual(error.place, "gone")

    def test_workflow_in_use(self):
        core = self.ready()
        self.start(core)
        self.fails("workflow_in_use", core.forget_workflow, "pump-check", model.WorkflowVersion(version=1, local_revision=0))

    def test_requires_newer_core(self):
        core, session = self.tampered('"format": 1', '"requires": ["something-new"], "format": 1')
        self.assertEqual(core.session(session).visit, 1)
        self.fails("requires_newer_core", core.run, session, None, [DISCARD])

    def test_unknown_response(self):
        self.refused("unknown_response", model.Command.USE_RESPONSE("response-1", "nothing"), place="nothing")

    def test_unknown_note(self):
        self.refused("unknown_note", end(), edit(notes=[note_change(9, "x")]), place="9")

    def test_duplicate_note(self):
        twice = [note_change(2, "one"), note_change(2, "two")]
        self.refused("duplicate_note", note(), end(), edit(notes=twice), place="2")

    def test_unknown_fields(self):
        self.refused("unknown_fields", set_fields(text("nothing", "x")), place="nothing")

    def test_fields_not_on_path(self):
        core = self.open()
        arrive, done = WORKFLOW["sections"]
        core.import_workflow(document(sections=[arrive | {"fields": ["site"]}, done | {"fields": ["day"]}]))
        day = model.FieldChange(field="day", change=model.Change.SET(model.FieldValue.DATE("2026-03-09")))
        self.assertEqual(self.fails("fields_not_on_path", core.run, self.start(core).key, None, [set_fields(day)]).place, "day")

    def test_duplicate_fields(self):
        self.refused("duplicate_fields", set_fields(text("site", "one"), text("site", "two")), place="site")

    def test_nothing_given(self):
        self.refused("nothing_given", set_fields())

    def test_not_an_end_section(self):
        self.refused("not_an_end_section", model.Command.COMPLETE(1), place="arrive")

    def test_field_problems(self):
        self.refused("field_problems", model.Command.ANSWER(1, "on"), place="site")

    def test_blank(self):
        self.refused("blank", end(" "), place="reason")

    def test_too_long(self):
        self.refused("too_long", note(text="x" * 10_001), place="note")

    def test_control_character(self):
        self.refused("control_character", note(text="a\0b"), place="note")

    # Actions and endpoints

    def test_unknown_action(self):
        core = self.ready()
        error = self.fails("unknown_action", core.send, self.start(core).key, "report", None, "send-1")
        self.assertEqual(error.place, "report")

    def test_action_status(self):
        core = self.wired()
        session = self.complete(core)
        self.flush(core)
        self.assertEqual(self.fails("action_status", core.send, session, "report", None, "send-1").place, "report")

    def test_action_locked(self):
        core, session = self.rejected()
        for number in range(3):
            core.send(session, "report", None, f"send-{number}")
            self.flush(core)
        self.assertEqual(self.fails("action_locked", core.send, session, "report", None, "send-9").place, "report")

    def test_nothing_corrected(self):
        core, session = self.rejected()
        self.assertEqual(self.fails("nothing_corrected", core.send_corrected, session, "report", None, "send-1").place, "report")

    def test_body_dropped(self):
        core = self.wired()
        session = self.complete(core)
        self.flush(core)
        redaction = model.Redaction(
            command_id="redact-1",
            target=model.RedactionTarget.FIELD("site"),
            actor="Mia",
            reason="Not ours to know",
            pending=model.RedactPending.ABANDON,
            bodies=model.RedactBodies.FORGET,
        )
        core.redact(session, redaction)
        self.assertEqual(self.fails("body_dropped", core.replay, session, "report", None, "replay-1").place, "report")

    def test_payload_too_large(self):
        arrive, done = WORKFLOW["sections"]
        pages = [f"page{page}" for page in range(1, 5)]
        fields = WORKFLOW["fields"] + [{"key": page, "name": "Page", "type": "text", "max_length": 20_000} for page in pages]
        core = self.wired()
        core.import_workflow(document(version=2, fields=fields, sections=[arrive | {"fields": arrive["fields"] + pages}, done]))
        view = self.start(core)
        session = view.key
        changes = [text(page, "🔥" * 20_000) for page in pages] + [text("site", "Mill Lane")]
        view = core.run(session, None, [set_fields(*changes), model.Command.ANSWER(view.visit, "on")]).view
        core.run(session, None, [model.Command.COMPLETE(view.visit)])
        self.assertEqual(self.fails("payload_too_large", core.send, session, "report", None, "send-1").place, "report")
        self.fails("payload_too_large", core.send_corrected, session, "report", None, "send-2")

    def test_unknown_delivery(self):
        self.fails("unknown_delivery", self.open().delivery_body, "msg_" + "a" * 26)

    def test_unknown_endpoint(self):
        self.assertEqual(self.fails("unknown_endpoint", self.open().archive_endpoint, "office").place, "office")

    def test_invalid_endpoint(self):
        endpoint = model.Endpoint(
            key="office",
            url="https://user@office.test",
            signing=model.Signing.NONE(),
            headers=[],
            network=model.NetworkPolicy.ANY,
        )
        self.assertEqual(self.fails("invalid_endpoint", self.open().put_endpoint, endpoint).place, "url")

    def test_invalid_argument(self):
        core = self.open()
        self.assertEqual(self.fails("invalid_argument", core.backup, self.path).place, "to")
        self.assertEqual(self.fails("invalid_argument", core.session, "42 Mill Lane").place, "session")

    # Faults of the library

    def test_internal(self):
        core, session = self.tampered('"type": "date"', '"type": "colour"')
        self.assertNotIn("Mill Lane", repr(self.fails("internal", core.session, session)))

    def test_every_code_has_its_test_here(self):
        codes = set()
        for file in ("src/error.rs", "src/engine/session/refusal.rs"):
            codes |= set(re.findall(r'=> "([a-z_]+)",', (ROOT / file).read_text("utf-8")))
        self.assertGreater(len(codes), 40)
        self.assertEqual({code for code in codes if not hasattr(self, "test_" + code)}, set())
