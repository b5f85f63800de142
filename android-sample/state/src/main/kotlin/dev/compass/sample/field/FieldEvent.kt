package dev.compass.sample.field

import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime

/** What a technician does to a field. Views report it as it happens; what it means is for the model to say. */
sealed interface FieldEvent {
    /** Key of the field. */
    val field: String

    /** Every change of the text of an [InputUi.Line]. Kept as a draft at once. */
    data class Typed(override val field: String, val text: String) : FieldEvent

    /** The line lost the focus, or its keyboard's action key was pressed: its text is read, and set if it can be. */
    data class Left(override val field: String) : FieldEvent

    /** Yes or no. */
    data class AnsweredYesNo(override val field: String, val yes: Boolean) : FieldEvent

    /** A date was picked. */
    data class PickedDay(override val field: String, val date: LocalDate) : FieldEvent

    /** A time was picked. */
    data class PickedTime(override val field: String, val time: LocalTime) : FieldEvent

    /** A date and a time were picked. */
    data class PickedDateTime(override val field: String, val at: OffsetDateTime) : FieldEvent

    /** An option was tapped: chosen, or for several, chosen or not any more. */
    data class ToggledOption(override val field: String, val option: String) : FieldEvent

    /** The view began to ask the phone for its position. */
    data class Locating(override val field: String) : FieldEvent

    /** The phone's position: degrees, and metres if known. */
    data class Located(
        override val field: String,
        val latitude: BigDecimal,
        val longitude: BigDecimal,
        val accuracy: BigDecimal?,
        val at: Instant,
    ) : FieldEvent

    /** No position: [denied] when the app may not know it. */
    data class NotLocated(override val field: String, val denied: Boolean) : FieldEvent

    /** A file lies in the app's folder: its fingerprint, type, size in bytes and name. */
    data class Attached(
        override val field: String,
        val sha256: String,
        val mediaType: String,
        val size: Long,
        val name: String,
    ) : FieldEvent

    /** The file could not be read. */
    data class NotAttached(override val field: String) : FieldEvent

    /** Clear: "not provided" again. */
    data class Cleared(override val field: String) : FieldEvent

    /** "Not applicable". */
    data class MarkedNotApplicable(override val field: String) : FieldEvent

    /** Deliberately empty. */
    data class MarkedEmpty(override val field: String) : FieldEvent
}
