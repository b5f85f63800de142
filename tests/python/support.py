"""A phone for the tests: a database of its own, a workflow, an office that takes webhooks, and ports written in Python."""

import base64
import http.server
import json
import os
import tempfile
import threading
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
        self.told = []

    def get(self, name, origin):
        self.asked.append((name, origin))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def refused(self, name, origin):
        self.told.append((name, origin))


class Wire(ffi.Transport):
    """A transport written in Python. Its answer is one for all requests, an exception to throw, or a function of the request."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []

    def send(self, request):
        self.requests.append(request)
        answer = self.answer(request) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

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
    """A phone per test; its handles are shut down after it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, "compass.db")

    def open(self, clock=None, **options):
        if clock:
            clock.use_for(self.path)
        core = ffi.Core.open(ffi.OpenOptions(path=self.path, allow_plain_http_to_loopback=True, **options))
        self.addCleanup(core.shut_down)
        return core

    def ready(self, url="https://office.test/hooks", signing=None, **options):
        """A handle with the workflow, the integration on, and the office registered."""
        core = self.open(**options)
        self.ready_but_for_the_endpoint(core)
        self.register(core, url, signing)
        return core

    def ready_but_for_the_endpoint(self, core):
        self.assertTrue(core.import_workflow(json.dumps(WORKFLOW).encode()).imported)
        core.set_integration_enabled(True)

    def register(self, core, url, signing=None, headers=()):
        signing = signing or model.Signing.STANDARD_WEBHOOKS("office-secret")
        core.put_endpoint(
            model.Endpoint(key="office", url=url, signing=signing, headers=list(headers), network=model.NetworkPolicy.ANY)
        )

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

    def within(self, seconds, work):
        """Runs work on a thread and gives what it gave; a deadlock is a failure, not a hang."""
        result, thrown = [], []

        def guarded():
            try:
                result.append(work())
            except BaseException as error:  # any of them is thrown again where the test can see it
                thrown.append(error)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        thread.join(seconds)
        self.assertFalse(thread.is_alive(), "the call never came back")
        if thrown:
            raise thrown[0]
        return result[0]
