package dev.compass.sample.gateway

import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime

/** What a field can hold. */
sealed interface Value {
    /** Text of one or several lines, an e-mail address, a telephone number, a web address, a barcode. */
    data class Words(val text: String) : Value

    /** A whole number. */
    data class Whole(val number: Long) : Value

    /** A decimal number with the digits as entered. */
    data class Exact(val number: BigDecimal) : Value

    /** Yes or no. */
    data class YesNo(val yes: Boolean) : Value

    /** A date. */
    data class Day(val date: LocalDate) : Value

    /** A time of day. */
    data class TimeOfDay(val time: LocalTime) : Value

    /** A moment with its offset. */
    data class Moment(val at: OffsetDateTime) : Value

    /** One option, by key. */
    data class One(val option: String) : Value

    /** Several options, by key. */
    data class Many(val options: List<String>) : Value

    /** A place: degrees north and east, the accuracy in metres if known, and when it was taken. */
    data class Place(val latitude: BigDecimal, val longitude: BigDecimal, val accuracy: BigDecimal?, val at: Instant) : Value

    /** A photo, file or signature that stays on the phone; this is its fingerprint. [size] is in bytes. */
    data class File(val sha256: String, val mediaType: String, val size: Long, val name: String) : Value
}

/** What a field holds; the first, the second and the third are different things. */
sealed interface Holding {
    /** Nobody has said anything. */
    data object NotProvided : Holding

    /** Deliberately empty. */
    data object Empty : Holding

    /** Does not apply here. */
    data object NotApplicable : Holding

    /** A value. */
    data class Given(val value: Value) : Holding
}

/** A change of one field. */
data class FieldChange(val field: String, val to: Holding)

/** The types of fields. */
enum class FieldType {
    TEXT, MULTILINE, INTEGER, DECIMAL, BOOLEAN, DATE, TIME, DATETIME, SINGLE_CHOICE, MULTIPLE_CHOICE, EMAIL, PHONE, URL, BARCODE, LOCATION,
    ATTACHMENT, SIGNATURE,
}

/** One option of a choice. */
data class Option(val key: String, val name: String)

/**
 * A question of a workflow.
 *
 * @property maxLength the longest text in characters.
 * @property min the smallest value of a number, date or time, as the workflow writes it.
 * @property max the largest.
 * @property mediaTypes which files are accepted; any when empty.
 */
data class FieldInfo(
    val key: String,
    val name: String,
    val type: FieldType,
    val help: String? = null,
    val required: Boolean = false,
    val allowEmpty: Boolean = false,
    val allowNotApplicable: Boolean = false,
    val options: List<Option> = emptyList(),
    val maxLength: Int? = null,
    val min: String? = null,
    val max: String? = null,
    val mediaTypes: List<String> = emptyList(),
)

/**
 * Why a field's value, or its absence, is not accepted: a stable [code], the bound that was missed, English for developers, and the step of
 * the session that asks it.
 */
data class FieldProblem(val field: String, val code: String, val limit: String? = null, val detail: String = "", val visit: Int? = null)

/** What came of reading what a person typed. */
sealed interface Reading {
    /** It can be set. */
    data class Read(val holding: Holding) : Reading

    /** It cannot; why. */
    data class Refused(val problem: FieldProblem) : Reading
}
