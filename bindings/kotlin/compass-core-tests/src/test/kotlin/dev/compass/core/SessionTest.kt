package dev.compass.core

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Applied
import dev.compass.core.model.Change
import dev.compass.core.model.Erased
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.RedactBodies
import dev.compass.core.model.RedactPending
import dev.compass.core.model.RedactionTarget
import dev.compass.core.model.ResponseKind
import dev.compass.core.model.SessionState
import dev.compass.core.model.TimelineEntry
import java.math.BigDecimal
import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class SessionTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a technician works through a session to its end`() = test {
        folder.ready().use { compass ->
            val start = compass.start("pump-check", actor = "jo").view
            assertEquals(listOf("site"), start.problems.map { it.field })

            val filled = compass.setField(start.key, "site", FieldValue.Text("Mill Lane")).view
            val end = compass.answer(filled, "on").view
            assertTrue(end.canComplete)
            val done = compass.complete(end)
            assertEquals(Applied.YES, done.applied)
            assertEquals(SessionState.COMPLETED, done.view.state)
            assertEquals(true, done.view.won)

            val record = compass.record(start.key)
            assertEquals(ActionStatus.PENDING, record.actions.single().status)
            assertEquals("jo", record.actor)
        }
    }

    @Test
    fun `a double tap moves once`() = test {
        folder.ready().use { compass ->
            val start = compass.start("pump-check").view
            val filled = compass.setField(start.key, "site", FieldValue.Text("Mill Lane")).view
            compass.answer(filled, "on")
            assertEquals(Applied.STALE, compass.answer(filled, "on").applied)
        }
    }

    @Test
    fun `a move may name its visit instead of the view`() = test {
        folder.ready().use { compass ->
            val start = compass.start("pump-check").view
            val filled = compass.setFields(start.key, mapOf("site" to FieldValue.Text("Mill Lane"))).view
            val end = compass.answer(start.key, filled.visit, "on").view
            val again = compass.back(start.key, end.visit, toVisit = filled.visit).view
            assertEquals("arrive", again.section.key)
            assertEquals(FieldState.NotProvided, compass.setField(start.key, "site", Change.Clear).view.fields.first().state)
            compass.setField(start.key, "site", Change.Set(FieldValue.Text("Mill Road")))
            val last = compass.answer(start.key, again.visit, "on").view
            assertEquals(SessionState.COMPLETED, compass.complete(start.key, last.visit).view.state)
        }
    }

    @Test
    fun `going back without a visit goes one back, and keeps the values`() = test {
        folder.ready().use { compass ->
            val end = compass.atTheEnd()
            val back = compass.back(end).view
            assertEquals("arrive", back.section.key)
            assertEquals(FieldState.Provided(FieldValue.Text("Mill Lane")), back.fields.first { it.definition.key == "site" }.state)
            assertCode(ErrorCode.ALREADY_THERE) { compass.back(back) }
        }
    }

    @Test
    fun `a redacted value is gone, and the record says who did it and why`() = test {
        folder.ready().use { compass ->
            val outcome = compass.redact(
                compass.atTheEnd().key,
                RedactionTarget.Field("site"),
                actor = "Mia",
                reason = "Not ours to know",
                pending = RedactPending.ABANDON,
                bodies = RedactBodies.FORGET,
            )
            assertEquals(Applied.YES to Erased.NOW, outcome.applied to outcome.erased)
            assertTrue(outcome.bodies.isEmpty() && outcome.unusedFiles.isEmpty() && !outcome.inFlight)
            assertEquals(FieldState.Redacted, outcome.record.fields.first { it.definition.key == "site" }.state)
            val line = outcome.record.timeline.last()
            val entry = TimelineEntry.Redacted(RedactionTarget.Field("site"), "Site", "Not ours to know")
            assertEquals("Mia" to entry, line.actor to line.entry)
        }
    }

    @Test
    fun `a command with the id of another one is refused, and the same one is repeated`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            compass.note(session, "The gate sticks", commandId = "note-1")
            assertEquals(Applied.REPEATED, compass.note(session, "The gate sticks", commandId = "note-1").applied)
            assertCode(ErrorCode.COMMAND_ID_REUSED) { compass.note(session, "The dog bites", commandId = "note-1") }
            compass.note(session, "A second one")
            assertEquals(listOf("The gate sticks", "A second one"), compass.session(session).notes.map { it.text })
        }
    }

    @Test
    fun `a decimal keeps its digits`() = test {
        folder.ready().use { compass ->
            val session = compass.completed()
            val pressure = compass.record(session).fields.first { it.definition.key == "pressure" }.state
            assertEquals("2.50", ((pressure as FieldState.Provided).value as FieldValue.Decimal).value.toPlainString())
        }
    }

    @Test
    fun `the value of a field becomes a text and a change, and is read back`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            val pressure = compass.session(session).fields.first { it.definition.key == "pressure" }.definition
            val state = pressure.parse("٢,50")
            assertEquals("2.50" to "2,50", state.typedText() to state.typedText(decimalSeparator = ","))
            assertEquals(state, pressure.parse(state.typedText()))
            val held = compass.setFields(session, listOf(FieldChange("pressure", state.toChange()!!))).view.fields
            assertEquals(state, held.first { it.definition.key == "pressure" }.state)
            for (other in listOf(state, FieldState.Empty, FieldState.NotProvided, FieldState.NotApplicable)) {
                assertEquals(other, other.toChange()!!.toState())
            }
            assertEquals("" to null, FieldState.Redacted.typedText() to FieldState.Redacted.toChange())
            assertEquals(FieldState.Empty, Change.Set(FieldValue.Choices(emptyList())).toState())
        }
    }

    @Test
    fun `fields are set, cleared and marked all in one call, or none`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            val refused = assertCode(ErrorCode.FIELD_PROBLEMS) {
                compass.setFields(
                    session,
                    listOf(
                        FieldChange("site", Change.Set(FieldValue.Text("Mill Lane"))),
                        FieldChange("pressure", Change.Set(FieldValue.Text("much"))),
                    ),
                )
            }
            assertEquals(listOf("pressure"), refused.problems.map { it.field })
            assertEquals(FieldState.NotProvided, compass.session(session).fields.first().state)

            compass.setField(session, "pressure", FieldValue.Decimal(BigDecimal("1")))
            val cleared = compass.clearField(session, "pressure").view
            assertEquals(FieldState.NotProvided, cleared.fields.last().state)
        }
    }

    @Test
    fun `responses, an immediate end and later edits are on the record`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            compass.useResponse(session, "why")
            compass.saveNoteDraft(session, "Nobody")
            assertEquals("Nobody", compass.session(session).noteDraft)
            compass.end(session, "nobody home")
            compass.edit(session, fields = listOf(FieldChange("site", Change.Set(FieldValue.Text("Mill Lane")))), actor = "kim")
            val record = compass.record(session)
            assertEquals(SessionState.ENDED, record.state)
            assertEquals(ActionStatus.NOT_FIRED, record.actions.firstOrNull()?.status ?: ActionStatus.NOT_FIRED)
            val used = record.timeline.map { it.entry }.filterIsInstance<TimelineEntry.ResponseUsed>().single()
            assertEquals(ResponseKind.CUSTOMER_QUESTION, used.kind)
            assertEquals("kim", record.timeline.last().actor)
        }
    }

    @Test
    fun `the workflow of a session is the version that it began with`() = test {
        folder.ready().use { compass ->
            val view = compass.start("pump-check").view
            compass.importWorkflow(WorkflowDocument.removeAction(PUMP_CHECK.toByteArray(), "done", "report").document)
            val both = listOf(compass.workflow(view.workflow), compass.workflow(view.workflow.key))
            assertEquals(listOf(1, 0), both.map { workflow -> workflow.sections.sumOf { it.actions.size } })
            assertEquals(listOf(0, 1), both.map { it.localRevision })
        }
    }

    @Test
    fun `a discarded session is gone from the totals of those in progress`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            compass.discard(session)
            assertEquals(1L, compass.totals().sessions.discarded)
            assertEquals(0L, compass.totals().sessions.inProgress)
        }
    }

    @Test
    fun `acknowledged changes are there after the file is opened again`() = test {
        val options = folder.options()
        val session = folder.ready(options).use { it.completed() }
        Compass.open(options).use { compass ->
            assertEquals(SessionState.COMPLETED, compass.session(session).state)
            assertTrue(compass.check().faults.isEmpty())
            assertEquals(1L, compass.outboxTotals().pending)
        }
    }

    @Test
    fun `typed text is read by the type of its field`() = test {
        folder.ready().use { compass ->
            val fields = compass.workflow("pump-check").fields
            assertEquals(FieldState.Provided(FieldValue.Decimal(BigDecimal("2.5"))), fields[1].parse("2.5"))
            assertEquals(FieldState.Empty, fields[1].copy(allowEmpty = true).parse(""))
            assertFalse(assertCode(ErrorCode.FIELD_PROBLEMS) { fields[1].parse("Mill") }.message!!.contains("Mill"))
        }
    }
}
