"""Whole sessions through the shared library, as an app drives them."""

import base64
import hashlib
import hmac
import json
import time

from compass import compass_core as model
from compass import compass_ffi as ffi
from compass import compass_ffi_testing as testing
from support import Case, KEY, Keystore, Office


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
        self.assertEqual(keystore.asked, [("office-secret", office.url.removesuffix("/hooks"))])

        action = self.action(core, session)
        self.assertEqual(action.status, model.ActionStatus.SENT)
        self.assertEqual(action.deliveries[0].id, headers["webhook-id"])
        self.assertEqual(action.deliveries[0].body_sha256, hashlib.sha256(body).hexdigest())
        self.assertLess(abs(action.deliveries[0].sent_at.timestamp() - time.time()), 3600)
        self.assertEqual(core.delivery_body(action.deliveries[0].id).encode(), body)
        self.assertEqual(core.totals().sessions.won, 1)
        self.assertEqual(core.check().faults, [])

    def test_what_is_redacted_is_gone_and_the_record_says_who_did_it_and_why(self):
        core = self.ready()
        session = self.complete(core)
        redaction = model.Redaction(
            command_id="redact-1",
            target=model.RedactionTarget.FIELD("site"),
            actor="Mia",
            reason="Not ours to know",
            pending=model.RedactPending.ABANDON,
            bodies=model.RedactBodies.FORGET,
        )
        outcome = core.redact(session, redaction)
        self.assertEqual((outcome.applied, outcome.erased), (model.Applied.YES, model.Erased.NOW))
        [action] = outcome.record.actions
        self.assertEqual((action.status, action.reason), (model.ActionStatus.FAILED, "abandoned"))
        self.assertEqual(outcome.bodies, [action.deliveries[0].id])
        self.assertEqual(action.deliveries[0].holds_redacted, ["site"])
        [site] = [field for field in outcome.record.fields if field.definition.key == "site"]
        self.assertTrue(site.state.is_REDACTED())
        [line] = [item for item in outcome.record.timeline if item.entry.is_REDACTED()]
        self.assertEqual((line.actor, line.entry.field_name, line.entry.reason), ("Mia", "Site", "Not ours to know"))
        self.assertEqual(core.redact(session, redaction).applied, model.Applied.REPEATED)
        self.assertEqual(core.check().faults, [])

    def test_a_session_survives_closing_and_opening_again(self):
        core = self.ready()
        session = self.complete(core)
        core.shut_down()
        again = self.open()
        view = again.session(session)
        self.assertEqual(view.state, model.SessionState.COMPLETED)
        values = {field.definition.key: field.state for field in again.record(session).fields}
        self.assertEqual(values["pressure"], model.FieldState.PROVIDED(model.FieldValue.DECIMAL("182.50")))
        self.assertEqual(values["day"], model.FieldState.PROVIDED(model.FieldValue.DATE("2026-03-09")))

    def test_old_sessions_go_by_themselves_or_because_a_person_says_so(self):
        clock, day = testing.ManualClock(), 24 * 3600 * 1000
        core = self.ready(clock=clock, retention_ms=2 * day)
        ended = []
        for number in (1, 2):
            session = self.start(core, f"start-{number}").key
            core.run(session, None, [model.Command.END(f"end-{number}", "nobody home")])
            ended.append(session)
            clock.advance(day)
        self.flush(core)
        self.fails("deleted_session", core.session, ended[0])
        self.assertEqual(core.session(ended[1]).state, model.SessionState.ENDED)
        report = core.purge_all_before(clock.now(), "Ada")
        self.assertEqual((report.purged, report.kept_not_fired), (1, 0))
        self.fails("deleted_session", core.session, ended[1])

    def test_what_is_typed_is_read_by_the_type_of_the_field(self):
        core = self.ready()
        pressure = core.workflow("pump-check", None).fields[1]
        self.assertEqual(
            ffi.parse_value(pressure, " 7.10 "), model.FieldState.PROVIDED(model.FieldValue.DECIMAL("7.10"))
        )
        typed = ffi.typed_text(ffi.parse_value(pressure, "7,10"))
        self.assertEqual(typed, "7.10")
        error = self.fails("field_problems", ffi.parse_value, pressure, "seven")
        self.assertEqual([(problem.field, problem.section) for problem in error.problems], [("pressure", None)])
        self.assertNotIn("seven", repr(error))
