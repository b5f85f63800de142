"""The core's log, as an app takes it."""

import threading

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import SECRET, Case, Keystore, Listener, Wire, answered

WAIT_LIMIT = 30


class Sink(ffi.LogSink):
    """Keeps what is logged; waits for a record that holds a text."""

    def __init__(self, then=None):
        self.then = then
        self.records = []
        self.came = threading.Condition()

    def log(self, record):
        with self.came:
            self.records.append(record)
            self.came.notify_all()
        if self.then:
            self.then(record)

    def wait_for(self, text):
        with self.came:
            found = self.came.wait_for(lambda: any(text in record.text for record in self.records), WAIT_LIMIT)
        return found

    def texts(self):
        with self.came:
            return [record.text for record in self.records]


class LoggedOut(Keystore):
    """Cannot fetch another token."""

    def refused(self, name, origin):
        super().refused(name, origin)
        raise ValueError(f"no login for {name}")


class Logging(Case):
    def setUp(self):
        super().setUp()
        self.addCleanup(ffi.set_log_sink, None, ffi.LogLevel.ERROR)

    def provoke(self, core, command_id):
        """Makes the core log an error: a listener throws."""

        def fail(_):
            raise ValueError("42 Mill Lane")

        subscription = core.observe(Listener(fail))
        self.start(core, command_id)
        subscription.cancel()

    def test_a_sink_gets_records_from_its_level_up(self):
        sink = Sink()
        ffi.set_log_sink(sink, ffi.LogLevel.ERROR)
        self.provoke(self.ready(), "start-1")
        self.assertTrue(sink.wait_for("listener"))
        self.assertEqual({record.level for record in sink.records}, {ffi.LogLevel.ERROR})
        self.assertTrue(all(record.target.startswith("compass_") for record in sink.records))

    def test_another_sink_takes_the_place_of_the_first(self):
        first, second = Sink(), Sink()
        core = self.ready()
        ffi.set_log_sink(first, ffi.LogLevel.ERROR)
        ffi.set_log_sink(second, ffi.LogLevel.ERROR)
        self.provoke(core, "start-1")
        self.assertTrue(second.wait_for("listener"))
        self.assertEqual(first.texts(), [])

    def test_a_sink_may_throw_and_may_call_the_core(self):
        core = self.ready()

        def then(_):
            core.totals()
            raise ValueError("no")

        sink = Sink(then)
        ffi.set_log_sink(sink, ffi.LogLevel.TRACE)
        for number in range(3):
            self.within(WAIT_LIMIT, lambda: self.provoke(core, f"start-{number}"))
        self.assertTrue(sink.wait_for("listener"))

    def test_no_record_holds_a_secret_a_value_or_a_path_of_a_url(self):
        sink = Sink()
        ffi.set_log_sink(sink, ffi.LogLevel.TRACE)
        core = self.ready("https://office.test/hooks/token-1234?key=5678", secrets=Keystore(), transport=Wire(answered(503)))
        self.complete(core)
        self.flush(core)
        core.test_delivery("office")
        self.provoke(core, "start-2")
        self.assertTrue(sink.wait_for("listener"))
        logged = "\n".join(sink.texts())
        for forbidden in ("Mill Lane", "182.50", SECRET[6:], "token-1234", "5678", "Ada"):
            self.assertNotIn(forbidden, logged)

    def test_a_store_that_throws_when_it_is_told_of_a_refused_token_is_ignored_and_not_quoted(self):
        sink = Sink()
        ffi.set_log_sink(sink, ffi.LogLevel.WARN)
        keystore = LoggedOut()
        core = self.ready(secrets=keystore, transport=Wire(answered(401)))
        header = model.EndpointHeader(name="authorization", value=model.HeaderValue.SECRET("office-token"))
        self.register(core, "https://office.test/hooks", headers=[header])
        session = self.complete(core)
        self.flush(core)
        self.assertEqual(keystore.told, [("office-token", "https://office.test")])
        self.assertEqual(self.action(core, session).reason, "auth")
        self.assertTrue(sink.wait_for("refused"))
        self.assertNotIn("no login", "\n".join(sink.texts()))
