"""Who is told of changes."""

import gc

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import Case, Listener

# Listeners that the library still holds.
HANDLES = ffi._UniffiFfiConverterTypeChangeListener._handle_map


class Listening(Case):
    def test_a_listener_may_call_the_core_from_its_callback(self):
        core = self.ready()
        seen, refused = [], []

        def look(notice):
            for key in notice.sessions:
                seen.append((notice.revision, core.session(key).state))
            try:
                core.shut_down()
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

    def test_a_listener_may_subscribe_unsubscribe_and_write_from_its_callback(self):
        core = self.ready()
        session = self.start(core).key
        notes, subscriptions = [], []

        def write(notice):
            if len(notes) < 3:
                notes.append(len(notes))
                core.run(session, None, [model.Command.NOTE(f"note-{len(notes)}", "Once more")])
            subscriptions.append(core.observe(Listener(lambda _: None)))
            subscriptions.pop().cancel()

        subscription = core.observe(Listener(write))
        self.within(30, lambda: core.save_draft(session, "site", "silent"))
        self.assertEqual(notes, [], "a draft is silent")
        self.within(30, lambda: core.run(session, None, [model.Command.NOTE("note-0", "First")]))
        subscription.cancel()
        self.assertEqual(len(core.session(session).notes), 4)

    def test_a_notice_names_what_changed(self):
        core = self.open()
        notices = []
        subscription = core.observe(Listener(notices.append))
        self.ready_but_for_the_endpoint(core)
        self.register(core, "https://office.test/hooks")
        session = self.complete(core)
        subscription.cancel()
        revisions = [notice.revision for notice in notices]
        self.assertEqual(revisions, sorted(set(revisions)))
        self.assertTrue(notices[0].workflows and notices[1].endpoints and notices[2].endpoints)
        self.assertTrue(notices[-1].outbox and notices[-1].sessions == [session])

    def test_a_hundred_thousand_subscriptions_leave_no_listener_behind(self):
        core = self.open()
        listener = Listener(lambda _: None)
        held = len(HANDLES)

        def soak():
            for _ in range(100_000):
                core.observe(listener).cancel()

        self.within(120, soak)
        self.assertEqual(len(HANDLES), held)

    def test_a_subscription_that_nobody_keeps_ends(self):
        core = self.ready()
        seen = []
        held = len(HANDLES)
        core.observe(Listener(seen.append))
        gc.collect()
        self.start(core)
        self.assertEqual((seen, len(HANDLES)), ([], held))
