package dev.compass.sample.nav

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Test

class BackStackTest {
    private val session = Screen.Session("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11")

    @Test
    fun `every screen survives a death of the process`() {
        val screens = listOf(Screen.Sessions, Screen.Workflow("boiler-service"), session, Screen.Review(session.key), Screen.Record(session.key))
        val stack = screens.fold(BackStack()) { stack, screen -> stack.open(screen) }
        assertEquals(stack, BackStack.restore(stack.save()))
        for (root in listOf(Screen.Workflows, Screen.Sessions, Screen.Outbox, Screen.Settings)) {
            assertEquals(BackStack(listOf(root)), BackStack.restore(BackStack(listOf(root)).save()))
        }
    }

    @Test
    fun `what cannot be read begins at the beginning`() {
        for (saved in listOf(null, "", "nowhere", "session/1", "workflows nowhere/2")) assertEquals(BackStack(), BackStack.restore(saved))
    }

    @Test
    fun `back goes down, then to the first root, then out`() {
        val navigator = Navigator("outbox record/1")
        assertEquals(true, navigator.back())
        assertEquals(Screen.Outbox, navigator.stack.value.top)
        assertEquals(true, navigator.back())
        assertEquals(Screen.Workflows, navigator.stack.value.top)
        assertFalse(navigator.back())
    }

    @Test
    fun `a screen that is open already is gone back to`() {
        val navigator = Navigator()
        navigator.open(session)
        navigator.open(Screen.Review(session.key))
        navigator.open(session)
        assertEquals(listOf(Screen.Workflows, session), navigator.stack.value.screens)
    }

    @Test
    fun `from the record of a session that is over there is no way back into it`() {
        val navigator = Navigator("sessions")
        navigator.open(session)
        navigator.open(Screen.Review(session.key))
        navigator.openOnRoot(Screen.Record(session.key))
        assertEquals(listOf(Screen.Sessions, Screen.Record(session.key)), navigator.stack.value.screens)
    }
}
