"""Documents: actions that a phone adds, what lint says, and what is part of the package."""

import json
import re

from compass import compass_core as model
from compass import compass_ffi as ffi
from compass import compass_ffi_testing as testing
from support import WORKFLOW, Case, Keystore, Wire, answered


def action(key="tell-sales", endpoint="office", name="Tell sales"):
    return model.ActionDefinition(
        key=key,
        name=name,
        integration=model.Integration.WEBHOOKS,
        kind=model.ActionKind.SEND_MESSAGE,
        endpoint=endpoint,
    )


DOCUMENT = json.dumps(WORKFLOW).encode()


class Authoring(Case):
    def actions(self, document):
        [done] = [section for section in json.loads(document)["sections"] if section["key"] == "done"]
        return [(action["key"], action["endpoint"]) for action in done.get("actions", [])]

    def test_an_action_is_added_replaced_and_removed_each_with_a_revision_of_its_own(self):
        added = ffi.add_action(DOCUMENT, "done", action()).document
        self.assertEqual(self.actions(added), [("report", "office"), ("tell-sales", "office")])
        replaced = ffi.replace_action(added, "done", "report", action("report", "archive", "Archive")).document
        self.assertEqual(self.actions(replaced), [("report", "archive"), ("tell-sales", "office")])
        removed = ffi.remove_action(replaced, "done", "report").document
        self.assertEqual(self.actions(removed), [("tell-sales", "office")])
        self.assertEqual([json.loads(each).get("local_revision") for each in (added, replaced, removed)], [1, 2, 3])
        self.assertEqual(self.actions(DOCUMENT), [("report", "office")], "what was given stays as it is")

    def test_a_changed_document_is_a_new_local_revision_and_its_messages_say_so(self):
        wire = Wire(answered(202))
        core = self.ready(secrets=Keystore(), transport=wire)
        core.import_workflow(ffi.add_action(DOCUMENT, "done", action()).document)
        session = self.complete(core)
        self.assertEqual([each.key for each in core.record(session).actions], ["report", "tell-sales"])
        self.assertEqual(self.flush(core).sent, 2)
        versions = {
            header.value for request in wire.requests for header in request.headers if header.name == "compass-workflow-version"
        }
        self.assertEqual(versions, {"1.1"})

    def test_findings_come_with_the_changed_document(self):
        authored = ffi.add_action(DOCUMENT, "done", action(endpoint="Not An Endpoint"))
        self.assertIn(model.Severity.ERROR, {finding.severity for finding in authored.findings})

    def test_a_document_that_cannot_be_read_is_refused(self):
        self.fails("authoring", ffi.remove_action, b"no document", "done", "report")


class Lint(Case):
    def test_an_endpoint_that_nobody_knows_is_a_warning_once_the_known_ones_are_given(self):
        self.assertEqual(ffi.lint_document(DOCUMENT, None), [])
        self.assertEqual(ffi.lint_document(DOCUMENT, ["office"]), [])
        [finding] = ffi.lint_document(DOCUMENT, ["archive"])
        self.assertEqual((finding.severity, finding.pointer), (model.Severity.WARNING, "/sections/1/actions/0/endpoint"))

    def test_what_is_no_document_has_an_error(self):
        self.assertEqual([finding.severity for finding in ffi.lint_document(b"{", None)], [model.Severity.ERROR])


class Package(Case):
    def test_the_version_is_that_of_the_release(self):
        self.assertTrue(re.fullmatch(r"\d+\.\d+\.\d+(-[a-z0-9.]+)?", ffi.version()), ffi.version())

    def test_the_default_retry_policy_may_be_given_back_changed(self):
        policy = ffi.default_retry_policy()
        self.assertEqual((policy.schedule[0].total_seconds(), policy.max_failed_sends), (5, 3))
        policy.max_failed_sends = 0
        core = self.ready(secrets=Keystore(), transport=Wire(answered(400)), retry=policy)
        session = self.complete(core)
        self.assertEqual(self.flush(core).failed, 1)
        self.assertTrue(self.action(core, session).locked)

    def test_with_a_manual_clock_time_stands_still_and_keys_repeat(self):
        keys = []
        for number in range(2):
            self.path = f"{self.folder}/{number}.db"
            clock = testing.ManualClock()
            core = self.ready(clock=clock)
            clock.advance(1500)
            view = self.start(core)
            self.assertEqual(view.started_at, clock.now())
            self.assertEqual(clock.now().isoformat(timespec="milliseconds"), "2027-01-15T08:00:01.500+00:00")
            keys.append(view.key)
            core.shut_down()
        self.assertEqual(keys[0], keys[1])
