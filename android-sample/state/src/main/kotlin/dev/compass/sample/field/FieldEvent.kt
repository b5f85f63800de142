package dev.compass.sample.field

import dev.compass.core.model.FieldValue

/** What a technician does to a field. Views report it as it happens; what it means is for the model to say. */
sealed interface FieldEvent {
    /** Key of the field. */
    val field: String

    /** Every change of the text of an [InputUi.Line]. Kept as a draft at once. */
    data class Typed(override val field: String, val text: String) : FieldEvent

    /** The line lost the focus, or its keyboard's action key was pressed: its text is read, and set if it can be. */
    data class Left(override val field: String) : FieldEvent

    /** Yes or no was tapped, a date or a time picked; the phone found its position, or a file lies in the app's folder. */
    data class Given(override val field: String, val value: FieldValue) : FieldEvent

    /** An option was tapped: chosen, or for several, chosen or not any more. */
    data class ToggledOption(override val field: String, val option: String) : FieldEvent

    /** The view began to ask the phone for its position. */
    data class Locating(override val field: String) : FieldEvent

    /** No position: [denied] when the app may not know it. */
    data class NotLocated(override val field: String, val denied: Boolean) : FieldEvent

    /** The file could not be read. */
    data class NotAttached(override val field: String) : FieldEvent

    /** Clear: "not provided" again. */
    data class Cleared(override val field: String) : FieldEvent

    /** "Not applicable". */
    data class MarkedNotApplicable(override val field: String) : FieldEvent

    /** Deliberately empty. */
    data class MarkedEmpty(override val field: String) : FieldEvent
}
