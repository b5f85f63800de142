package dev.compass.sample.field

import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldOption
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FieldView
import dev.compass.core.model.Problem
import dev.compass.core.model.TextRule
import dev.compass.core.model.ValueSource
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import java.math.BigDecimal
import java.time.LocalDate
import java.time.format.DateTimeParseException

/** What was given, where it was. */
val FieldState.value: FieldValue? get() = (this as? FieldState.Provided)?.value

/** What can be chosen of. */
val FieldKind.options: List<FieldOption>
    get() = when (this) {
        is FieldKind.SingleChoice -> options
        is FieldKind.MultipleChoice -> options
        else -> emptyList()
    }

/** Whether what is typed for a field of this kind is text that has to be read. */
val FieldKind.isTyped: Boolean get() = keyboard != null

private val FieldKind.keyboard: Keyboard?
    get() = when (this) {
        is FieldKind.Text, is FieldKind.Multiline -> Keyboard.TEXT
        is FieldKind.Integer -> if ((min ?: -1) < 0) Keyboard.SIGNED_NUMBER else Keyboard.NUMBER
        is FieldKind.Decimal -> if ((min?.toBigDecimalOrNull()?.signum() ?: -1) < 0) Keyboard.SIGNED_DECIMAL else Keyboard.DECIMAL
        is FieldKind.Email -> Keyboard.EMAIL
        is FieldKind.Phone -> Keyboard.PHONE
        is FieldKind.Url -> Keyboard.URL
        is FieldKind.Barcode -> Keyboard.BARCODE
        else -> null
    }

private val FieldKind.textRule: TextRule?
    get() = when (this) {
        is FieldKind.Text -> rule
        is FieldKind.Multiline -> rule
        is FieldKind.Email -> rule
        is FieldKind.Phone -> rule
        is FieldKind.Url -> rule
        is FieldKind.Barcode -> rule
        else -> null
    }

/** Makes fields ready to show. */
class FieldDrawer(private val numbers: NumberInput) {
    /** A field with what is half typed. [missing] is why a move was refused for it. */
    fun draw(field: FieldView, typing: Typing, missing: Problem?): FieldUi {
        val definition = field.definition
        val key = definition.key
        val open = typing.open(field)
        val problem = typing.problems[key] ?: missing
        val mark = field.state.mark
        return FieldUi(
            key = key,
            label = definition.name,
            help = definition.help,
            required = definition.required,
            mark = mark,
            input = input(field, open, key in typing.searching),
            problem = typing.refusals[key]?.let { text(it) } ?: problem?.words(definition),
            note = note(field),
            unsaved = open != null,
            canClear = mark != FieldMark.NOT_PROVIDED || !open.isNullOrEmpty(),
            canBeNotApplicable = definition.allowNotApplicable && mark != FieldMark.NOT_APPLICABLE,
            canBeEmpty = definition.allowEmpty && definition.kind.isTyped && mark != FieldMark.EMPTY,
        )
    }

    private val FieldState.mark: FieldMark
        get() = when (this) {
            // What was redacted has no screen yet.
            FieldState.NotProvided, FieldState.Redacted -> FieldMark.NOT_PROVIDED
            FieldState.Empty -> FieldMark.EMPTY
            FieldState.NotApplicable -> FieldMark.NOT_APPLICABLE
            is FieldState.Provided -> FieldMark.PROVIDED
        }

    private fun note(field: FieldView): Text? {
        val kind = field.definition.kind
        val source = field.source
        return when {
            source is ValueSource.Prefill -> text(TextId.PREFILLED_FROM, Text.Plain(source.name))
            kind is FieldKind.Attachment || kind is FieldKind.Signature -> text(TextId.FILE_STAYS)
            else -> null
        }
    }

    private fun input(field: FieldView, open: String?, searching: Boolean): InputUi {
        val value = field.state.value
        val shown = value?.words(field.definition)
        return when (val kind = field.definition.kind) {
            FieldKind.Boolean -> InputUi.YesNo((value as? FieldValue.Boolean)?.value)
            is FieldKind.Date -> InputUi.Day((value as? FieldValue.Date)?.value, day(kind.min), day(kind.max))
            is FieldKind.Time -> InputUi.Time((value as? FieldValue.Time)?.value)
            is FieldKind.DateTime -> InputUi.DateTime((value as? FieldValue.DateTime)?.value)
            is FieldKind.SingleChoice -> choice(kind, listOfNotNull((value as? FieldValue.Choice)?.value), multiple = false)
            is FieldKind.MultipleChoice -> choice(kind, (value as? FieldValue.Choices)?.value.orEmpty(), multiple = true)
            is FieldKind.Location -> InputUi.Place(shown, searching)
            is FieldKind.Attachment -> InputUi.File(signature = false, shown, kind.rule.mediaTypes)
            is FieldKind.Signature -> InputUi.File(signature = true, shown, kind.rule.mediaTypes)
            else -> InputUi.Line(
                open ?: typed(value),
                kind.keyboard ?: Keyboard.TEXT,
                multiline = kind is FieldKind.Multiline,
                maxLength = kind.textRule?.maxLength,
                scan = kind is FieldKind.Barcode,
            )
        }
    }

    private fun choice(kind: FieldKind, chosen: List<String>, multiple: Boolean) =
        InputUi.Choice(kind.options.map { OptionUi(it.key, it.name, it.key in chosen) }, multiple)

    private fun typed(value: FieldValue?): String = when (value) {
        is FieldValue.Text -> value.value
        is FieldValue.Integer -> numbers.typed(BigDecimal(value.value))
        is FieldValue.Decimal -> numbers.typed(value.value)
        else -> ""
    }

    private fun day(bound: String?): LocalDate? = try {
        bound?.let(LocalDate::parse)
    } catch (_: DateTimeParseException) {
        null
    }
}
