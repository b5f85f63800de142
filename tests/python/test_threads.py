"""Many threads on one handle."""

import threading

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import Case, Keystore, Wire, answered

THREADS = 8
ALL = model.SessionFilter(
    states=[], workflow=None, started_from=None, started_before=None, won=None, actor=None, action_status=None, text=None
)
SESSIONS = 12


class Threads(Case):
    def together(self, work):
        """Runs work(number) on all threads at once and gives what each gave."""
        barrier = threading.Barrier(THREADS)
        results = [None] * THREADS

        def one(number):
            barrier.wait(30)
            results[number] = work(number)

        def all_of_them():
            threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return results

        results = self.within(120, all_of_them)
        self.assertFalse([number for number in range(THREADS) if results[number] is None], "threads that ended with an exception")
        return results

    def test_eight_threads_complete_and_deliver_on_one_handle(self):
        wire = Wire(answered(202))
        core = self.ready(secrets=Keystore(), transport=wire)

        def work(number):
            keys = []
            for round in range(SESSIONS):
                keys.append(self.complete(core, f"start-{number}-{round}"))
                if number == 0:
                    core.flush(20_000, ffi.Cancel())
                core.sessions(ALL, None, 10)
            return keys

        keys = [key for part in self.together(work) for key in part]
        self.assertEqual(len(set(keys)), THREADS * SESSIONS)
        self.flush(core)
        self.assertEqual(core.totals().sessions.completed, THREADS * SESSIONS)
        self.assertEqual(core.totals().actions_sent, THREADS * SESSIONS)
        ids = [header.value for request in wire.requests for header in request.headers if header.name == "webhook-id"]
        self.assertEqual(len(ids), len(set(ids)), "a message was sent twice though every one was taken")
        self.assertEqual(core.check().faults, [])

    def test_one_command_from_eight_threads_is_carried_out_once(self):
        core = self.ready()
        session = self.start(core).key
        outcomes = self.together(lambda _: core.run(session, None, [model.Command.NOTE("note-1", "Gate is locked")]))
        self.assertEqual(sorted(outcome.applied.name for outcome in outcomes), ["REPEATED"] * 7 + ["YES"])
        self.assertEqual(len(core.session(session).notes), 1)

    def test_one_tap_from_eight_threads_moves_once(self):
        core = self.ready()
        view = self.start(core)
        site = model.FieldChange(field="site", change=model.Change.SET(model.FieldValue.TEXT("Mill Lane")))
        core.run(view.key, None, [model.Command.SET_FIELDS([site])])
        outcomes = self.together(lambda _: core.run(view.key, None, [model.Command.ANSWER(view.visit, "on")]))
        self.assertEqual(sorted(outcome.applied.name for outcome in outcomes), ["STALE"] * 7 + ["YES"])
        self.assertEqual({outcome.view.visit for outcome in outcomes}, {2})

    def test_shutting_down_waits_for_calls_and_the_rest_are_told(self):
        core = self.ready()
        self.start(core)

        def work(number):
            if number == 0:
                core.shut_down()
                return "closed"
            try:
                for _ in range(200):
                    core.totals()
            except model.CoreError.Failed as error:
                return error.code
            return "closed"

        self.assertEqual(set(self.together(work)), {"closed"})
