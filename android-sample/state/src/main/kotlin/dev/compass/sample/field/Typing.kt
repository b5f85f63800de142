package dev.compass.sample.field

import dev.compass.sample.gateway.FieldInfo
import dev.compass.sample.gateway.FieldProblem
import dev.compass.sample.gateway.FieldType
import dev.compass.sample.gateway.Holding
import dev.compass.sample.gateway.SessionField
import dev.compass.sample.gateway.Value
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import java.math.BigDecimal
import java.time.LocalDate
import java.time.format.DateTimeParseException

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
    val problems: Map<String, FieldProblem> = emptyMap(),
    val searching: Set<String> = emptySet(),
    val refusals: Map<String, TextId> = emptyMap(),
) {
    /** After this text was typed. */
    fun typed(field: String, text: String): Typing = touched(field).copy(texts = texts + (field to text))

    /** After a change of the field was kept: nothing of it is open any more. */
    fun kept(field: String): Typing = touched(field).copy(texts = texts - field)

    /** After these were refused. */
    fun refused(refused: List<FieldProblem>): Typing = copy(problems = problems + refused.associateBy { it.field })

    /** While the phone looks for its position. */
    fun searching(field: String): Typing = touched(field).copy(searching = searching + field)

    /** After the phone could not do its part. */
    fun unable(field: String, why: TextId): Typing = touched(field).copy(refusals = refusals + (field to why))

    private fun touched(field: String) = copy(problems = problems - field, searching = searching - field, refusals = refusals - field)
}

/** The value that an event gives to a field; none for events of text, which is read first, and for those that give none. */
fun FieldEvent.holding(info: FieldInfo, before: Holding): Holding? = when (this) {
    is FieldEvent.Typed, is FieldEvent.Left, is FieldEvent.Locating, is FieldEvent.NotLocated, is FieldEvent.NotAttached -> null
    is FieldEvent.AnsweredYesNo -> Holding.Given(Value.YesNo(yes))
    is FieldEvent.PickedDay -> Holding.Given(Value.Day(date))
    is FieldEvent.PickedTime -> Holding.Given(Value.TimeOfDay(time))
    is FieldEvent.PickedDateTime -> Holding.Given(Value.Moment(at))
    is FieldEvent.Located -> Holding.Given(Value.Place(latitude, longitude, accuracy, at))
    is FieldEvent.Attached -> Holding.Given(Value.File(sha256, mediaType, size, name))
    is FieldEvent.ToggledOption -> toggled(info, before)
    is FieldEvent.Cleared -> Holding.NotProvided
    is FieldEvent.MarkedNotApplicable -> Holding.NotApplicable
    is FieldEvent.MarkedEmpty -> Holding.Empty
}

private fun FieldEvent.ToggledOption.toggled(info: FieldInfo, before: Holding): Holding {
    if (info.type == FieldType.SINGLE_CHOICE) return Holding.Given(Value.One(option))
    val chosen = ((before as? Holding.Given)?.value as? Value.Many)?.options.orEmpty()
    val after = if (option in chosen) chosen - option else chosen + option
    // In the order of the options, not in the order of the taps.
    val ordered = info.options.map { it.key }.filter { it in after }
    return if (ordered.isEmpty()) Holding.NotProvided else Holding.Given(Value.Many(ordered))
}

/** Whether what is typed for this type is text that has to be read. */
val FieldType.isTyped: Boolean get() = keyboardOrNull != null

private val FieldType.keyboardOrNull: Keyboard?
    get() = when (this) {
        FieldType.TEXT, FieldType.MULTILINE -> Keyboard.TEXT
        FieldType.INTEGER -> Keyboard.NUMBER
        FieldType.DECIMAL -> Keyboard.DECIMAL
        FieldType.EMAIL -> Keyboard.EMAIL
        FieldType.PHONE -> Keyboard.PHONE
        FieldType.URL -> Keyboard.URL
        FieldType.BARCODE -> Keyboard.BARCODE
        else -> null
    }

private val FieldInfo.keyboard: Keyboard
    get() {
        val plain = type.keyboardOrNull ?: Keyboard.TEXT
        val signed = min?.toBigDecimalOrNull().let { it == null || it.signum() < 0 }
        return when {
            plain == Keyboard.NUMBER && signed -> Keyboard.SIGNED_NUMBER
            plain == Keyboard.DECIMAL && signed -> Keyboard.SIGNED_DECIMAL
            else -> plain
        }
    }

/** Text to be read: what is typed, else what was half typed before. */
fun Typing.open(field: SessionField): String? = if (field.info.type.isTyped) texts[field.info.key] ?: field.draft else null

/** Makes fields ready to show. [missing] are those that a move was refused for. */
class FieldDrawer(private val numbers: NumberInput) {
    /** A field with what is half typed. */
    fun draw(field: SessionField, typing: Typing, missing: FieldProblem?): FieldUi {
        val info = field.info
        val open = typing.open(field)
        val problem = typing.problems[info.key] ?: missing
        return FieldUi(
            key = info.key,
            label = info.name,
            help = info.help,
            required = info.required,
            mark = when (field.holding) {
                Holding.NotProvided -> FieldMark.NOT_PROVIDED
                Holding.Empty -> FieldMark.EMPTY
                Holding.NotApplicable -> FieldMark.NOT_APPLICABLE
                is Holding.Given -> FieldMark.PROVIDED
            },
            input = input(info, (field.holding as? Holding.Given)?.value, open, info.key in typing.searching),
            problem = typing.refusals[info.key]?.let { text(it) } ?: problem?.words(info),
            note = note(field),
            unsaved = open != null,
            canClear = field.holding != Holding.NotProvided || !open.isNullOrEmpty(),
            canBeNotApplicable = info.allowNotApplicable && field.holding != Holding.NotApplicable,
            canBeEmpty = info.allowEmpty && info.type.isTyped && field.holding != Holding.Empty,
        )
    }

    private fun note(field: SessionField): Text? = when {
        field.source != null -> text(TextId.PREFILLED_FROM, Text.Plain(field.source))
        field.info.type == FieldType.ATTACHMENT || field.info.type == FieldType.SIGNATURE -> text(TextId.FILE_STAYS)
        else -> null
    }

    private fun input(info: FieldInfo, value: Value?, open: String?, searching: Boolean): InputUi = when (info.type) {
        FieldType.BOOLEAN -> InputUi.YesNo((value as? Value.YesNo)?.yes)
        FieldType.DATE -> InputUi.Day((value as? Value.Day)?.date, day(info.min), day(info.max))
        FieldType.TIME -> InputUi.Time((value as? Value.TimeOfDay)?.time)
        FieldType.DATETIME -> InputUi.DateTime((value as? Value.Moment)?.at)
        FieldType.SINGLE_CHOICE -> choice(info, listOfNotNull((value as? Value.One)?.option), multiple = false)
        FieldType.MULTIPLE_CHOICE -> choice(info, (value as? Value.Many)?.options.orEmpty(), multiple = true)
        FieldType.LOCATION -> InputUi.Place(value?.words(info), searching)
        FieldType.ATTACHMENT -> InputUi.File(signature = false, value?.words(info), info.mediaTypes)
        FieldType.SIGNATURE -> InputUi.File(signature = true, value?.words(info), info.mediaTypes)
        else -> InputUi.Line(
            open ?: typed(value),
            info.keyboard,
            multiline = info.type == FieldType.MULTILINE,
            maxLength = info.maxLength,
            scan = info.type == FieldType.BARCODE,
        )
    }

    private fun choice(info: FieldInfo, chosen: List<String>, multiple: Boolean) =
        InputUi.Choice(info.options.map { OptionUi(it.key, it.name, it.key in chosen) }, multiple)

    private fun typed(value: Value?): String = when (value) {
        is Value.Words -> value.text
        is Value.Whole -> numbers.typed(BigDecimal(value.number))
        is Value.Exact -> numbers.typed(value.number)
        else -> ""
    }

    private fun day(bound: String?): LocalDate? = try {
        bound?.let(LocalDate::parse)
    } catch (_: DateTimeParseException) {
        null
    }
}
