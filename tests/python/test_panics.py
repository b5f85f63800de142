"""A panic on the other side of the border: an exception here, and the handle goes on."""

import unittest.mock

from compass import compass_core as model
from compass import compass_ffi as ffi
from support import Case, Keystore, Wire, answered


class Panics(Case):
    def no_such_change(self):
        """Lets a change cross as a variant that there is not."""
        converter = model._UniffiFfiConverterTypeChange
        return unittest.mock.patch.object(converter, "write", lambda value, buffer: buffer.write_i32(99))

    def test_a_panic_arrives_as_an_exception_and_the_handle_goes_on(self):
        core = self.ready(secrets=Keystore(), transport=Wire(answered(202)))
        view = self.start(core)
        commands = [
            model.Command.NOTE("note-1", "Gate is locked"),
            model.Command.SET_FIELDS([model.FieldChange(field="site", change=model.Change.CLEAR())]),
        ]
        for _ in range(3):
            with self.no_such_change(), self.assertRaises(ffi.InternalError) as caught:
                core.run(view.key, None, commands)
            self.assertNotIn("Gate is locked", str(caught.exception))
        self.assertEqual(core.session(view.key).notes, [], "nothing of the call was done")

        session = self.complete(core, "start-2")
        self.assertEqual(self.flush(core).sent, 1)
        self.assertEqual(self.action(core, session).status, model.ActionStatus.SENT)
        self.assertEqual(core.check().faults, [])

    def test_what_a_transport_gives_back_may_be_nonsense(self):
        core = self.ready(secrets=Keystore(), transport=Wire("not an outcome"))
        session = self.complete(core)
        self.assertEqual(self.within(60, lambda: self.flush(core)).sent, 0)
        action = self.action(core, session)
        self.assertEqual(action.status, model.ActionStatus.PENDING)
        self.assertTrue(action.deliveries[0].may_have_been_delivered)

    def test_the_longest_times_there_are_do_no_harm(self):
        longest = 2**64 - 1
        core = self.ready(secrets=Keystore(), transport=Wire(answered(202)))
        self.complete(core)
        self.assertEqual(self.within(60, lambda: core.flush(longest, ffi.Cancel())).sent, 1)
        self.assertEqual(core.purge(longest).purged, 0)
