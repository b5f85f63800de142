"""Drives whole sessions through the shared library, as an app does."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import tempfile
import threading
import time
import unittest

from compass import compass_core as model
from compass import compass_ffi as ffi

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()

WORKFLOW = {
    "format": 1,
    "key": "pump-check",
    "version": 1,
    "name": "Pump check",
    "start": "arrive",
    "fields": [
        {"key": "site", "name": "Site", "type": "text", "required": True},
        {"key": "pressure", "name": "Pressure", "type": "decimal"},
        {"key": "day", "name": "Day", "type": "date"},
    ],
    "sections": [
        {
            "key": "arrive",
            "name": "Arrive",
            "content": "Find the pump.",
            "fields": ["site", "pressure", "day"],
            "answers": [{"key": "on", "name": "Go on", "next": "done"}],
        },
        {
            "key": "done",
            "name": "Done",
            "content": "Good bye.",
            "win": True,
            "actions": [
                {
                    "key": "report",
                    "name": "Report",
                    "integration": "webhooks",
                    "kind": "send_message",
                    "endpoint": "office",
                }
            ],
        },
    ],
}


class Office:
    """A receiver of webhooks on loopback that keeps what it gets."""

    def __init__(self):
        got = self.got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Keystore(ffi.Secrets):
    def __init__(self, answer=None):
        self.answer = answer or model.SecretLookup.FOUND(SECRET, None)
        self.asked = []

    def get(self, name):
        self.asked.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Wire(ffi.Transport):
    """A transport written in Python."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []

    def send(self, request):
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def cancel(self, id):
        pass

    def renew(self):
        pass


def answered(status):
    return ffi.HttpOutcome.ANSWERED(ffi.HttpResponse(status=status, headers=[], body=b""))


class Listener(ffi.ChangeListener):
    def __init__(self, then):
        self.then = then

    def on_change(self, notice):
        self.then(notice)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, "compass.db")

    def open(self, **options):
        core = ffi.Core.open(ffi.OpenOptions(path=self.path, allow_plain_http_to_loopback=True, **options))
        self.addCleanup(core.close)
        return core

    def ready(self, url="https://office.test/hooks", signing=None, **options):
        core = self.open(**options)
        self.assertTrue(core.import_workflow(json.dumps(WORKFLOW).encode()).imported)
        core.set_integration_enabled(True)
        signing = signing or model.Signing.STANDARD_WEBHOOKS("office-secret")
        core.put_endpoint(
            model.Endpoint(key="office", url=url, signing=signing, headers=[], network=model.NetworkPolicy.ANY)
        )
        return core

    def start(self, core, command_id="start-1"):
        start = model.Start(command_id=command_id, workflow="pump-check", version=None, actor="Ada", prefill=[])
        return core.start(start).view

    def complete(self, core, command_id="start-1"):
        view = self.start(core, command_id)
        change = model.FieldChange(field="site", change=model.Change.SET(model.FieldValue.TEXT("Mill Lane")))
        decimal = model.FieldChange(field="pressure", change=model.Change.SET(model.FieldValue.DECIMAL("182.50")))
        day = model.FieldChange(field="day", change=model.Change.SET(model.FieldValue.DATE("2026-03-09")))
        commands = [
            model.Command.SET_FIELDS([change, decimal, day]),
            model.Command.ANSWER(view.visit, "on"),
        ]
        view = core.run(view.key, None, commands).view
        self.assertTrue(view.can_complete)
        outcome = core.run(view.key, None, [model.Command.COMPLETE(view.visit)])
        self.assertEqual(outcome.applied, model.Applied.YES)
        return view.key

    def action(self, core, session):
        return core.record(session).actions[0]

    def flush(self, core):
        return core.flush(20_000, ffi.Cancel())

    def fails(self, code, call, *arguments):
        with self.assertRaises(model.CoreError.Failed) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.code, code)
        return caught.exception


class WholeSession(Case):
    def test_a_completed_session_arrives_signed_and_its_record_says_sent(self):
        office = Office()
        self.addCleanup(office.close)
        keystore = Keystore()
        core = self.ready(office.url, secrets=keystore)
        session = self.complete(core)
        self.assertEqual(self.action(core, session).status, model.ActionStatus.PENDING)

        report = self.flush(core)

        self.assertEqual((report.end, report.sent, report.pending), (model.FlushEnd.DRAINED, 1, 0))
        [(path, headers, body)] = office.got
        self.assertEqual(path, "/hooks")
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        self.assertIn(expected, headers["webhook-signature"].split(" "))
        self.assertEqual(json.loads(body)["key"], session)
        self.assertIn("182.50", body.decode())
        self.assertEqual(keystore.asked, ["office-secret"])

        action = self.action(core, session)
        self.assertEqual(action.status, model.ActionStatus.SENT)
        self.assertEqual(action.deliveries[0].id, headers["webhook-id"])
        self.assertEqual(action.deliveries[0].body_sha256, hashlib.sha256(body).hexdigest())
        self.assertLess(abs(action.deliveries[0].sent_at.timestamp() - time.time()), 3600)
        self.assertEqual(core.delivery_body(action.deliveries[0].id).encode(), body)
        self.assertEqual(core.totals().sessions.won, 1)
        self.assertEqual(core.check().faults, [])

    def test_a_session_survives_closing_and_opening_again(self):
        core = self.ready()
        session = self.complete(core)
        core.close()
        again = self.open()
        view = again.session(session)
        self.assertEqual(view.state, model.SessionState.COMPLETED)
        values = {field.definition.key: field.state for field in again.record(session).fields}
        self.assertEqual(values["pressure"], model.FieldState.PROVIDED(model.FieldValue.DECIMAL("182.50")))
        self.assertEqual(values["day"], model.FieldState.PROVIDED(model.FieldValue.DATE("2026-03-09")))

    def test_what_is_typed_is_read_by_the_type_of_the_field(self):
        core = self.ready()
        pressure = core.workflow("pump-check", None).fields[1]
        self.assertEqual(
            ffi.parse_value(pressure, " 7.10 "), model.FieldState.PROVIDED(model.FieldValue.DECIMAL("7.10"))
        )
        error = self.fails("field_problems", ffi.parse_value, pressure, "seven")
        self.assertEqual([problem.field for problem in error.problems], ["pressure"])
        self.assertNotIn("seven", repr(error))


class Ports(Case):
    def test_a_foreign_transport_delivers(self):
        wire = Wire(answered(204))
        core = self.ready(secrets=Keystore(), transport=wire)
        session = self.complete(core)
        self.assertEqual(self.flush(core).sent, 1)
        [request] = wire.requests
        self.assertEqual(request.url, "https://office.test/hooks")
        self.assertIn("webhook-signature", {header.name for header in request.headers})
        self.assertGreater(request.timeout_ms, 0)
        self.assertEqual(self.action(core, session).status, model.ActionStatus.SENT)

    def test_a_failure_that_a_transport_names_is_kept_as_such(self):
        failure = model.TransportFailure(
            kind=model.FailureKind.REFUSED(), phase=model.Phase.CONNECT, request_sent=model.RequestSent.NO, detail=""
        )
        core = self.ready(secrets=Keystore(), transport=Wire(ffi.HttpOutcome.FAILED(failure)))
        session = self.complete(core)
        self.assertEqual(self.flush(core).sent, 0)
        delivery = self.action(core, session).deliveries[0]
        self.assertEqual((delivery.attempts, delivery.may_have_been_delivered), (1, False))

    def test_a_transport_that_throws_may_have_delivered(self):
        for thrown in (ffi.PortError.Failed("broken"), ValueError("broken")):
            with self.subTest(thrown=thrown):
                self.path = os.path.join(self.folder, type(thrown).__name__ + ".db")
                core = self.ready(secrets=Keystore(), transport=Wire(thrown))
                session = self.complete(core)
                self.assertEqual(self.flush(core).sent, 0)
                action = self.action(core, session)
                self.assertEqual(action.status, model.ActionStatus.PENDING)
                self.assertTrue(action.deliveries[0].may_have_been_delivered)

    def test_a_keystore_that_throws_keeps_the_message_waiting(self):
        keystore = Keystore(ValueError("locked"))
        wire = Wire(answered(200))
        core = self.ready(secrets=keystore, transport=wire)
        session = self.complete(core)
        self.assertEqual(self.flush(core).sent, 0)
        self.assertEqual(wire.requests, [])
        self.assertEqual(self.action(core, session).reason, "secret_unavailable")

        keystore.answer = model.SecretLookup.FOUND(SECRET, None)
        core.secrets_changed()
        self.assertEqual(self.flush(core).sent, 1)


class Listening(Case):
    def within(self, seconds, work):
        """Runs work on a thread; a deadlock is a failure, not a hang."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(seconds)
        self.assertFalse(thread.is_alive(), "the call never came back")

    def test_a_listener_may_call_the_core_from_its_callback(self):
        core = self.ready()
        seen, refused = [], []

        def look(notice):
            for key in notice.sessions:
                seen.append((notice.revision, core.session(key).state))
            try:
                core.close()
            except model.CoreError.Failed as error:
                refused.append(error.code)

        subscription = core.observe(Listener(look))
        self.within(30, lambda: self.complete(core))
        self.assertEqual(seen[0][1], model.SessionState.IN_PROGRESS)
        self.assertEqual(seen[-1][1], model.SessionState.COMPLETED)
        self.assertEqual(set(refused), {"reentrant"})

        subscription.cancel()
        subscription.cancel()
        count = len(seen)
        self.within(30, lambda: self.start(core, "start-2"))
        self.assertEqual(len(seen), count)

    def test_a_listener_that_throws_does_not_disturb_the_call(self):
        core = self.ready()

        def fail(_):
            raise ValueError("no")

        subscription = core.observe(Listener(fail))
        self.assertEqual(self.start(core).state, model.SessionState.IN_PROGRESS)
        subscription.cancel()


class Errors(Case):
    def test_a_second_open_is_refused_until_the_first_is_closed(self):
        core = self.open()
        self.fails("already_open", self.open)
        core.close()
        core.close()
        self.open()

    def test_a_closed_handle_says_so(self):
        core = self.open()
        core.close()
        self.assertFalse(self.fails("closed", core.totals).retryable)
        self.fails("closed", self.flush, core)

    def test_a_text_that_is_no_session_key_is_an_invalid_argument(self):
        core = self.open()
        self.assertEqual(self.fails("invalid_argument", core.session, "42 Mill Lane").place, "session")
        self.fails("unknown_session", core.session, "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11")

    def test_a_date_that_is_none_is_an_invalid_argument(self):
        core = self.ready()
        view = self.start(core)
        change = model.FieldChange(field="day", change=model.Change.SET(model.FieldValue.DATE("tomorrow")))
        error = self.fails("invalid_argument", core.run, view.key, None, [model.Command.SET_FIELDS([change])])
        self.assertNotIn("tomorrow", repr(error))

    def test_a_document_with_errors_comes_back_with_its_findings(self):
        core = self.open()
        error = self.fails("invalid_workflow", core.import_workflow, b'{"format": 1}')
        self.assertTrue(error.findings)
        self.assertEqual(error.findings[0].severity, model.Severity.ERROR)

    def test_an_answer_before_its_fields_names_them_and_no_value(self):
        core = self.ready()
        view = self.start(core)
        error = self.fails("field_problems", core.run, view.key, None, [model.Command.ANSWER(view.visit, "on")])
        self.assertEqual([(problem.field, problem.code) for problem in error.problems], [("site", "required")])

    def test_an_endpoint_that_is_not_acceptable_names_the_place(self):
        core = self.open()
        endpoint = model.Endpoint(
            key="office", url="ftp://office.test", signing=model.Signing.NONE(), headers=[], network=model.NetworkPolicy.ANY
        )
        self.assertEqual(self.fails("invalid_endpoint", core.put_endpoint, endpoint).place, "url")


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
        core.set_connectivity(model.Connectivity.ONLINE(None, False))
        self.assertEqual(core.next_due().needs_person, False)

    def test_a_copy_opens_as_the_same_database(self):
        core = self.ready()
        session = self.complete(core)
        copy = os.path.join(self.folder, "copy.db")
        core.backup(copy)
        core.close()
        self.path = copy
        self.assertEqual(self.open().session(session).state, model.SessionState.COMPLETED)


if __name__ == "__main__":
    unittest.main()
