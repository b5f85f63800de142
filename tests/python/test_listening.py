"""Who is told of changes."""

from compass import compass_core as model
from support import Case, Listener


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
