package dev.compass.sample.field

import dev.compass.sample.text.Text
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime

/** The keyboard that a line of text wants. */
enum class Keyboard { TEXT, NUMBER, SIGNED_NUMBER, DECIMAL, SIGNED_DECIMAL, EMAIL, PHONE, URL, BARCODE }

/** How a field is filled in: which control, and what it shows. */
sealed interface InputUi {
    /**
     * A line of text, or several. Its text is what is half typed, else the value as it is typed.
     *
     * @property scan whether a keyboard scanner ends it with the enter key ([FieldEvent.Left] then).
     */
    data class Line(
        val text: String,
        val keyboard: Keyboard,
        val multiline: Boolean = false,
        val maxLength: Int? = null,
        val scan: Boolean = false,
    ) : InputUi

    /** Two big buttons, yes and no; none chosen when null. */
    data class YesNo(val yes: Boolean?) : InputUi

    /** A date, from a picker; [min] and [max] bound it. */
    data class Day(val date: LocalDate?, val min: LocalDate? = null, val max: LocalDate? = null) : InputUi

    /** A time, from a picker. */
    data class Time(val time: LocalTime?) : InputUi

    /** A date and a time with the offset of the phone. */
    data class DateTime(val at: OffsetDateTime?) : InputUi

    /** Options: radio buttons, or check boxes when [multiple]. */
    data class Choice(val options: List<OptionUi>, val multiple: Boolean) : InputUi

    /** A button that asks for the position. [place] is what is there; [searching] while the phone looks. */
    data class Place(val place: Text?, val searching: Boolean = false) : InputUi

    /** A button that takes a photo, chooses a file, or opens the pad for a signature. [file] is what is there, [mediaTypes] what may be. */
    data class File(val signature: Boolean, val file: Text?, val mediaTypes: List<String> = emptyList()) : InputUi
}

/** An option with its mark. */
data class OptionUi(val key: String, val label: String, val chosen: Boolean)

/** What a field holds, for its mark beside the question. */
enum class FieldMark { NOT_PROVIDED, PROVIDED, EMPTY, NOT_APPLICABLE }

/**
 * A field on a screen.
 *
 * @property key names it in events; unique on the screen.
 * @property problem what is wrong with it, below the input; announced politely.
 * @property note below the input: where a prefilled value came from, or that only the name, size and checksum of a file are sent.
 * @property unsaved whether what it shows is kept as a draft only, and is not a value yet.
 */
data class FieldUi(
    val key: String,
    val label: String,
    val help: String?,
    val required: Boolean,
    val mark: FieldMark,
    val input: InputUi,
    val problem: Text? = null,
    val note: Text? = null,
    val unsaved: Boolean = false,
    val canClear: Boolean = false,
    val canBeNotApplicable: Boolean = false,
    val canBeEmpty: Boolean = false,
)
