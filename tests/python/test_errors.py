"""What is refused, and how the error says so."""

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import Case


class Errors(Case):
    def test_a_second_open_is_refused_until_the_first_is_closed(self):
        core = self.open()
        self.fails("already_open", self.open)
        core.shut_down()
        core.shut_down()
        self.open()

    def test_a_closed_handle_says_so(self):
        core = self.open()
        core.shut_down()
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
        problems = [(problem.field, problem.code, problem.section, problem.visit) for problem in error.problems]
        self.assertEqual(problems, [("site", "required", view.section.key, view.visit)])

    def test_an_endpoint_that_is_not_acceptable_names_the_place(self):
        core = self.open()
        endpoint = model.Endpoint(
            key="office", url="ftp://office.test", signing=model.Signing.NONE(), headers=[], network=model.NetworkPolicy.ANY
        )
        self.assertEqual(self.fails("invalid_endpoint", core.put_endpoint, endpoint).place, "url")
