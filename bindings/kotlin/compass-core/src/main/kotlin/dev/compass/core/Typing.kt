package dev.compass.core

import dev.compass.core.model.Change
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue

/**
 * Reads what a person typed and validates it; an empty text is "empty". Numbers, dates and times may be in the digits of any script, and a
 * decimal has a point or a comma: in every language `1,5` is one and a half, and `1,234` is less than two. A date is `2026-11-23`, a time
 * `08:30`, a place `52.5163, 13.3777`; `docs/workflow-format.md` lists what is read for each type. A problem is a [CompassException] with
 * [CompassException.problems].
 *
 * ```kotlin
 * val change = field.definition.parse("182,5").toChange()
 * ```
 */
public fun FieldDefinition.parse(text: String): FieldState = calling { dev.compass.core.internal.parseValue(this, text) }

/**
 * The text that a person would type for the value of a field: [parse] reads it to the same value again. Numbers are in ASCII digits, options
 * are written as their keys, a place is written without the time at which it was taken. An empty text when there is no value, and for a file.
 *
 * @param decimalSeparator between the whole part of a decimal number and the rest.
 */
public fun FieldState.typedText(decimalSeparator: String = "."): String {
    val text = calling { dev.compass.core.internal.typedText(this) }
    return if (this is FieldState.Provided && value is FieldValue.Decimal) text.replace(".", decimalSeparator) else text
}

/** The change that brings a field to this state. Null for a redacted field: no change does that. */
public fun FieldState.toChange(): Change? = when (this) {
    is FieldState.Provided -> Change.Set(value)
    FieldState.Empty -> Change.Set(FieldValue.Text(""))
    FieldState.NotProvided -> Change.Clear
    FieldState.NotApplicable -> Change.NotApplicable
    FieldState.Redacted -> null
}

/** The state of a field after this change, if it is accepted: an empty text or an empty choice is "empty". */
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
