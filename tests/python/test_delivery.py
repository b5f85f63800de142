"""Delivery: in the background, cancelled in the middle, and while a secret is being replaced."""

import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import threading

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import KEY, SECRET, Case, Keystore, Listener, Office, Wire, answered

ELSEWHERE = pathlib.Path(__file__).with_name("other_process.py")
WAIT_LIMIT = 30


class Patient(ffi.Transport):
    """Keeps every request until it is cancelled or released; a deaf one does not hear that it is cancelled."""

    def __init__(self, deaf=False):
        self.deaf = deaf
        self.came, self.release, self.left = threading.Event(), threading.Event(), threading.Event()
        self.cancelled = set()
        self.requests = []

    def send(self, request):
        self.requests.append(request)
        self.came.set()
        self.release.wait(WAIT_LIMIT)
        self.left.set()
        if request.id not in self.cancelled:
            return answered(202)
        failure = model.TransportFailure(
            kind=model.FailureKind.CANCELLED(), phase=model.Phase.RECEIVE, request_sent=model.RequestSent.MAYBE, detail=""
        )
        return ffi.HttpOutcome.FAILED(failure)

    def cancel(self, id):
        if not self.deaf:
            self.cancelled.add(id)
            self.release.set()

    def renew(self):
        pass


def header(request, name):
    [value] = [header.value for header in request.headers if header.name == name]
    return value


def signature(key, request):
    signed = f"{header(request, 'webhook-id')}.{header(request, 'webhook-timestamp')}.".encode() + request.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class Background(Case):
    def until(self, core, holds):
        """Waits until this holds, looking after every change."""
        changed = threading.Condition()

        def tell(_):
            with changed:
                changed.notify_all()

        subscription = core.observe(Listener(tell))
        with changed:
            self.assertTrue(changed.wait_for(holds, WAIT_LIMIT), "waited too long")
        subscription.cancel()

    def test_what_is_completed_leaves_by_itself_until_delivery_is_stopped(self):
        office = Office()
        self.addCleanup(office.close)
        core = self.ready(office.url, secrets=Keystore())
        core.start_delivery()
        core.start_delivery()
        first = self.complete(core)
        self.until(core, lambda: self.action(core, first).status == model.ActionStatus.SENT)
        self.assertEqual(len(office.got), 1)

        core.stop_delivery()
        core.stop_delivery()
        second = self.complete(core, "start-2")
        self.assertEqual(self.action(core, second).status, model.ActionStatus.PENDING)
        core.start_delivery()
        self.until(core, lambda: self.action(core, second).status == model.ActionStatus.SENT)
        self.within(WAIT_LIMIT, core.shut_down)

    def test_delivery_waits_for_its_endpoint_and_starts_when_it_is_registered(self):
        core = self.open(secrets=Keystore(), transport=Wire(answered(202)))
        self.ready_but_for_the_endpoint(core)
        core.start_delivery()
        session = self.complete(core)
        self.assertEqual(self.action(core, session).reason, "endpoint_unknown")
        self.register(core, "https://office.test/hooks")
        self.until(core, lambda: self.action(core, session).status == model.ActionStatus.SENT)


class CalledOff(Case):
    def test_a_flush_that_is_cancelled_gives_its_lease_back_at_once(self):
        wire = Patient()
        core = self.ready(secrets=Keystore(), transport=wire)
        session = self.complete(core)
        cancel = ffi.Cancel()
        reports = []
        flush = threading.Thread(target=lambda: reports.append(core.flush(60_000, cancel)), daemon=True)
        flush.start()
        self.assertTrue(wire.came.wait(WAIT_LIMIT))
        self.assertEqual(self.action(core, session).reason, "in_flight")
        cancel.cancel()
        flush.join(WAIT_LIMIT)
        self.assertEqual([(report.end, report.sent, report.pending) for report in reports], [(model.FlushEnd.CANCELLED, 0, 1)])
        action = self.action(core, session)
        self.assertEqual((action.status, action.reason, action.failed_sends), (model.ActionStatus.PENDING, "interrupted", 0))
        self.assertTrue(action.deliveries[0].may_have_been_delivered)
        self.assertFalse(action.deliveries[0].last_attempts[0].counted)

        # Another process need not wait for a lease to end; the message is the same.
        said = subprocess.run([sys.executable, ELSEWHERE, "flush", self.path], capture_output=True, check=True, timeout=60).stdout
        body = wire.requests[0].body.decode()
        self.assertEqual(json.loads(said), {"sent": 1, "pending": 0, "ids": [action.deliveries[0].id], "bodies": [body]})
        self.assertTrue(core.refresh())
        self.assertEqual(self.action(core, session).status, model.ActionStatus.SENT)

    def test_a_new_handle_delivers_at_once_what_an_old_one_gave_back(self):
        wire = Patient()
        core = self.ready(secrets=Keystore(), transport=wire)
        session = self.complete(core)
        flush = threading.Thread(target=lambda: core.flush(60_000, ffi.Cancel()), daemon=True)
        flush.start()
        self.assertTrue(wire.came.wait(WAIT_LIMIT))
        self.within(WAIT_LIMIT, core.quiesce)
        flush.join(WAIT_LIMIT)
        core.shut_down()
        again = self.open(secrets=Keystore(), transport=Wire(answered(202)))
        self.assertEqual(self.flush(again).sent, 1)
        self.assertEqual(self.action(again, session).status, model.ActionStatus.SENT)

    def test_a_transport_that_cannot_be_cancelled_holds_nobody_up(self):
        wire = Patient(deaf=True)
        core = self.ready(secrets=Keystore(), transport=wire)
        self.complete(core)
        cancel = ffi.Cancel()
        reports = []
        flush = threading.Thread(target=lambda: reports.append(core.flush(60_000, cancel)), daemon=True)
        flush.start()
        self.assertTrue(wire.came.wait(WAIT_LIMIT))
        cancel.cancel()
        flush.join(WAIT_LIMIT)
        self.assertEqual([report.end for report in reports], [model.FlushEnd.CANCELLED])
        self.within(WAIT_LIMIT, core.shut_down)
        self.assertFalse(wire.left.is_set(), "the request is still under way")

        # Its answer comes when nobody waits for it any more.
        wire.release.set()
        self.assertTrue(wire.left.wait(WAIT_LIMIT))
        self.assertEqual(self.open().check().faults, [])


class Rotation(Case):
    def test_while_a_secret_is_replaced_both_sign(self):
        new_key = bytes(range(32))
        new = "whsec_" + base64.b64encode(new_key).decode()
        wire = Wire(answered(202))
        core = self.ready(secrets=Keystore(model.SecretLookup.FOUND(new, SECRET)), transport=wire)
        self.complete(core)
        self.assertEqual(self.flush(core).sent, 1)
        [request] = wire.requests
        expected = f"{signature(new_key, request)} {signature(KEY, request)}"
        self.assertEqual(header(request, "webhook-signature"), expected)

    def test_a_secret_that_is_none_keeps_the_message_and_is_not_told(self):
        core = self.ready(secrets=Keystore(model.SecretLookup.FOUND("geheim", None)), transport=Wire(answered(202)))
        session = self.complete(core)
        self.assertEqual(self.flush(core).sent, 0)
        action = self.action(core, session)
        self.assertEqual(action.reason, "secret_invalid")
        self.assertNotIn("geheim", repr(vars(action.deliveries[0])))


class TestDelivery(Case):
    def test_a_test_message_is_signed_and_leaves_no_trace(self):
        wire = Wire(answered(202))
        core = self.ready(secrets=Keystore(), transport=wire)
        result = core.test_delivery("office")
        self.assertEqual((result.delivered, result.status, result.outcome), (True, 202, "sent"))
        [request] = wire.requests
        self.assertEqual(header(request, "webhook-signature"), signature(KEY, request))
        self.assertTrue(json.loads(request.body)["test"])
        self.assertEqual(core.outbox_totals().pending, 0)
