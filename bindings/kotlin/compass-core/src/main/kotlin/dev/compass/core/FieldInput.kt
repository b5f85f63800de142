package dev.compass.core

import dev.compass.core.model.Change
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue

/**
 * What a person types for a field, read and written.
 *
 * ```kotlin
 * val line = FieldInput.text(field.state)
 * val change = FieldInput.parse(field.definition, "182,5").toChange()
 * ```
 */
public object FieldInput {
    /**
     * Reads what a person typed and validates it; nothing at all is "empty". Numbers, dates and times may be in the digits of any script, and a
     * decimal has a point or a comma: `1,5` is one and a half, in every language, and `1,234` no thousand. A problem is a [CompassException] with
     * [CompassException.problems]. Computes only.
     */
    public fun parse(definition: FieldDefinition, text: String): FieldState =
        calling { dev.compass.core.internal.parseValue(definition, text) }

    /**
     * What a person would type for what a field holds: [parse] reads it to the same again. Numbers are in ASCII digits with a point, options stand
     * by their keys, a place without the time at which it was taken. Nothing where there is no value, and for a file. Computes only.
     */
    public fun text(state: FieldState): String = calling { dev.compass.core.internal.typedText(state) }
}

/** The change that brings a field to this state. Null for what was redacted: no change brings that. */
public fun FieldState.toChange(): Change? = when (this) {
    is FieldState.Provided -> Change.Set(value)
    FieldState.Empty -> Change.Set(FieldValue.Text(""))
    FieldState.NotProvided -> Change.Clear
    FieldState.NotApplicable -> Change.NotApplicable
    FieldState.Redacted -> null
}

/** What a field holds after this change, if it takes it: an empty text or an empty choice is "empty". */
public fun Change.toState(): FieldState = when (this) {
    is Change.Set -> if (value.isNothing()) FieldState.Empty else FieldState.Provided(value)
    Change.Clear -> FieldState.NotProvided
    Change.NotApplicable -> FieldState.NotApplicable
}

private fun FieldValue.isNothing() = when (this) {
    is FieldValue.Text -> value.isBlank()
    is FieldValue.Choice -> value.isEmpty()
    is FieldValue.Choices -> value.isEmpty()
    else -> false
}
