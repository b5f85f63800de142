"""Transport and store of secrets, written in Python."""

import os

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import Case, Keystore, SECRET, Wire, answered


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
