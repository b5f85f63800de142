package dev.compass.sample.field

import dev.compass.sample.gateway.FieldChange
import dev.compass.sample.gateway.FieldGateway
import dev.compass.sample.gateway.FieldProblem
import dev.compass.sample.gateway.Holding
import dev.compass.sample.gateway.Reading
import dev.compass.sample.gateway.SessionField

/** What came of reading the open texts of a screen. */
data class ReadTexts(val changes: List<FieldChange>, val problems: List<FieldProblem>)

/** Reads typed text for the fields of one session. */
class FieldReader(private val gateway: FieldGateway, private val session: String) {
    /** Reads all that is open in these fields. */
    suspend fun read(fields: List<SessionField>, typing: Typing): ReadTexts {
        val changes = mutableListOf<FieldChange>()
        val problems = mutableListOf<FieldProblem>()
        for (field in fields) {
            val text = typing.open(field) ?: continue
            when (val reading = read(field, text)) {
                is Reading.Read -> changes += FieldChange(field.info.key, reading.holding)
                is Reading.Refused -> problems += reading.problem
            }
        }
        return ReadTexts(changes, problems)
    }

    private suspend fun read(field: SessionField, text: String): Reading {
        // Who wipes a line has said nothing; "empty" is said with its own button.
        if (text.isBlank()) return Reading.Read(Holding.NotProvided)
        return gateway.read(session, field.info.key, text)
    }
}
