package dev.compass.sample.field

import dev.compass.core.CompassException
import dev.compass.core.parse
import dev.compass.core.model.Change
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FieldView
import dev.compass.core.model.Problem
import dev.compass.core.toChange
import dev.compass.sample.text.TextId

/**
 * What is on the screen and not yet a value.
 *
 * @property texts half-typed text by field.
 * @property problems what was refused, by field.
 * @property searching fields for which the phone looks for its position.
 * @property refusals what the phone itself could not do, by field.
 */
data class Typing(
    val texts: Map<String, String> = emptyMap(),
    val problems: Map<String, Problem> = emptyMap(),
    val searching: Set<String> = emptySet(),
    val refusals: Map<String, TextId> = emptyMap(),
) {
    /** After this text was typed. */
    fun typed(field: String, text: String): Typing = touched(field).copy(texts = texts + (field to text))

    /** After a change of the field was kept: nothing of it is open any more. */
    fun kept(field: String): Typing = touched(field).copy(texts = texts - field)

    /** After these were refused. */
    fun refused(refused: List<Problem>): Typing = copy(problems = problems + refused.associateBy { it.field })

    /** While the phone looks for its position. */
    fun searching(field: String): Typing = touched(field).copy(searching = searching + field)

    /** After the phone could not do its part. */
    fun unable(field: String, why: TextId): Typing = touched(field).copy(refusals = refusals + (field to why))

    private fun touched(field: String) = copy(problems = problems - field, searching = searching - field, refusals = refusals - field)

    /** Text to be read: what is typed, else what was half typed before. */
    fun open(field: FieldView): String? = if (field.definition.kind.isTyped) texts[field.definition.key] ?: field.draft else null

    /** Reads all that is open in these fields. */
    fun read(fields: List<FieldView>): ReadTexts {
        val changes = mutableListOf<FieldChange>()
        val problems = mutableListOf<Problem>()
        for (field in fields) {
            val text = open(field) ?: continue
            try {
                read(field.definition, text)?.let { changes += FieldChange(field.definition.key, it) }
            } catch (refused: CompassException) {
                problems += refused.problems.ifEmpty { throw refused }
            }
        }
        return ReadTexts(changes, problems)
    }

    // Who empties a line has said nothing; "empty" is said with its own button.
    private fun read(definition: FieldDefinition, text: String): Change? =
        if (text.isBlank()) Change.Clear else definition.parse(text).toChange()
}

/** What came of reading the open texts of a screen. */
data class ReadTexts(val changes: List<FieldChange>, val problems: List<Problem>)

/** The change that an event makes to a field; none for events of text, which is read first, and for those that make none. */
fun FieldEvent.change(definition: FieldDefinition, before: FieldState): Change? = when (this) {
    is FieldEvent.Typed, is FieldEvent.Left, is FieldEvent.Locating, is FieldEvent.NotLocated, is FieldEvent.NotAttached -> null
    is FieldEvent.Given -> Change.Set(value)
    is FieldEvent.ToggledOption -> toggled(definition.kind, before)
    is FieldEvent.Cleared -> Change.Clear
    is FieldEvent.MarkedNotApplicable -> Change.NotApplicable
    is FieldEvent.MarkedEmpty -> FieldState.Empty.toChange()
}

private fun FieldEvent.ToggledOption.toggled(kind: FieldKind, before: FieldState): Change {
    if (kind is FieldKind.SingleChoice) return Change.Set(FieldValue.Choice(option))
    val chosen = (before.value as? FieldValue.Choices)?.value.orEmpty()
    val after = if (option in chosen) chosen - option else chosen + option
    // In the order of the options, not in the order of the taps.
    val ordered = kind.options.map { it.key }.filter { it in after }
    return if (ordered.isEmpty()) Change.Clear else Change.Set(FieldValue.Choices(ordered))
}
