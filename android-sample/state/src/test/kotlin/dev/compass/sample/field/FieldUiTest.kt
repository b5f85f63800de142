package dev.compass.sample.field

import dev.compass.core.model.Change
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldOption
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FieldView
import dev.compass.core.model.FileManifest
import dev.compass.core.model.FileRule
import dev.compass.core.model.Problem
import dev.compass.core.model.TextRule
import dev.compass.core.model.ValueSource
import dev.compass.core.toState
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime
import java.util.Locale
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class FieldUiTest {
    private val options = listOf(FieldOption("a", "A"), FieldOption("b", "B"), FieldOption("c", "C"))
    private val words = FieldKind.Text(TextRule())
    private val decimal = FieldKind.Decimal()
    private val several = FieldKind.MultipleChoice(options)
    private val signature = FieldKind.Signature(FileRule())

    private fun field(kind: FieldKind) = FieldDefinition("f", "Question", kind = kind)

    private fun draw(field: FieldDefinition, state: FieldState = FieldState.NotProvided, typing: Typing = Typing(), draft: String? = null) =
        FieldDrawer(NumberInput(Locale.UK)).draw(FieldView(field, state, draft = draft), typing, null)

    private fun input(kind: FieldKind, value: FieldValue? = null) =
        draw(field(kind), if (value == null) FieldState.NotProvided else FieldState.Provided(value)).input

    private fun chosen(kind: FieldKind, value: FieldValue) =
        (input(kind, value) as InputUi.Choice).options.filter { it.chosen }.map { it.key }

    private fun keyboard(kind: FieldKind) = (input(kind) as InputUi.Line).keyboard

    @Test
    fun `every type has the input that fits it`() {
        val day = LocalDate.of(2027, 1, 15)
        val time = LocalTime.of(8, 30)
        val moment = OffsetDateTime.parse("2027-01-15T08:30:00+01:00")
        val file = FieldValue.File(FileManifest("00", "image/jpeg", 1500, "plate.jpg"))
        assertEquals("hello", (input(words, FieldValue.Text("hello")) as InputUi.Line).text)
        assertTrue((input(FieldKind.Multiline(TextRule())) as InputUi.Line).multiline)
        assertEquals("42", (input(FieldKind.Integer(), FieldValue.Integer(42)) as InputUi.Line).text)
        assertEquals("182.50", (input(decimal, FieldValue.Decimal(BigDecimal("182.50"))) as InputUi.Line).text)
        assertEquals(InputUi.YesNo(true), input(FieldKind.Boolean, FieldValue.Boolean(true)))
        assertEquals(InputUi.Day(day), input(FieldKind.Date(), FieldValue.Date(day)))
        assertEquals(InputUi.Time(time), input(FieldKind.Time(), FieldValue.Time(time)))
        assertEquals(InputUi.DateTime(moment), input(FieldKind.DateTime(), FieldValue.DateTime(moment)))
        assertEquals(listOf("b"), chosen(FieldKind.SingleChoice(options), FieldValue.Choice("b")))
        assertEquals(listOf("a", "c"), chosen(several, FieldValue.Choices(listOf("a", "c"))))
        assertEquals(Keyboard.EMAIL, keyboard(FieldKind.Email(TextRule())))
        assertEquals(Keyboard.PHONE, keyboard(FieldKind.Phone(TextRule())))
        assertEquals(Keyboard.URL, keyboard(FieldKind.Url(TextRule())))
        assertTrue((input(FieldKind.Barcode(TextRule())) as InputUi.Line).scan)
        assertEquals(InputUi.Place(null), input(FieldKind.Location()))
        assertEquals(false, (input(FieldKind.Attachment(FileRule()), file) as InputUi.File).signature)
        assertEquals(true, (input(signature, file) as InputUi.File).signature)
    }

    @Test
    fun `a number pad has a minus sign only where it can be needed`() {
        assertEquals(Keyboard.SIGNED_NUMBER, keyboard(FieldKind.Integer()))
        assertEquals(Keyboard.NUMBER, keyboard(FieldKind.Integer(min = 0)))
        assertEquals(Keyboard.SIGNED_DECIMAL, keyboard(FieldKind.Decimal(min = "-40.0")))
        assertEquals(Keyboard.DECIMAL, keyboard(FieldKind.Decimal(min = "0.0")))
    }

    @Test
    fun `half-typed text is shown in place of the value, and marked`() {
        val value = FieldState.Provided(FieldValue.Text("old"))
        val drafted = draw(field(words), value, draft = "half")
        assertEquals("half", (drafted.input as InputUi.Line).text)
        assertTrue(drafted.unsaved)
        val typed = draw(field(words), value, Typing().typed("f", "more"), draft = "half")
        assertEquals("more", (typed.input as InputUi.Line).text)
        assertFalse(draw(field(words), value).unsaved)
    }

    @Test
    fun `the screen says that only name, size and checksum of a file are sent`() {
        assertEquals(text(TextId.FILE_STAYS), draw(field(FieldKind.Attachment(FileRule()))).note)
        assertEquals(text(TextId.FILE_STAYS), draw(field(signature)).note)
    }

    @Test
    fun `not applicable and empty are offered only where the workflow allows them`() {
        val plain = draw(field(words))
        assertFalse(plain.canBeNotApplicable || plain.canBeEmpty || plain.canClear)
        val free = field(words).copy(allowEmpty = true, allowNotApplicable = true)
        assertTrue(draw(free).run { canBeEmpty && canBeNotApplicable })
        val marked = draw(free, FieldState.NotApplicable)
        assertTrue(marked.canClear && !marked.canBeNotApplicable)
        assertEquals(FieldMark.NOT_APPLICABLE, marked.mark)
        assertEquals(FieldMark.EMPTY, draw(free, FieldState.Empty).mark)
    }

    @Test
    fun `typing takes the problem away`() {
        val refused = Typing().typed("f", "x").refused(listOf(Problem("f", "bad_format", "")))
        assertEquals(text(TextId.PROBLEM_NOT_A_NUMBER), draw(field(decimal), typing = refused).problem)
        assertNull(draw(field(decimal), typing = refused.typed("f", "1")).problem)
    }

    @Test
    fun `several options keep the order of the workflow, and none is not provided`() {
        fun toggled(option: String, before: Change, kind: FieldKind = several) =
            FieldEvent.ToggledOption("f", option).change(field(kind), before.toState())!!
        val c = toggled("c", Change.Clear)
        val both = toggled("a", c)
        assertEquals(Change.Set(FieldValue.Choices(listOf("a", "c"))), both)
        assertEquals(Change.Clear, toggled("c", toggled("a", both)))
        assertEquals(Change.Set(FieldValue.Choice("b")), toggled("b", c, FieldKind.SingleChoice(options)))
    }

    @Test
    fun `what is tapped, picked or taken becomes a value, and empty and not applicable are none`() {
        val taken = FieldValue.File(FileManifest("00", "image/png", 5, "a.png"))
        fun FieldEvent.made() = change(field(signature), FieldState.Empty)
        assertEquals(Change.Set(taken), FieldEvent.Given("f", taken).made())
        assertEquals(Change.Clear, FieldEvent.Cleared("f").made())
        assertEquals(Change.NotApplicable, FieldEvent.MarkedNotApplicable("f").made())
        assertEquals(FieldState.Empty, FieldEvent.MarkedEmpty("f").made()?.toState())
        assertNull(FieldEvent.Left("f").made())
    }

    @Test
    fun `while the phone looks for its position the screen says so, and why it found none`() {
        val searching = Typing().searching("f")
        assertEquals(InputUi.Place(null, searching = true), draw(field(FieldKind.Location()), typing = searching).input)
        val denied = draw(field(FieldKind.Location()), typing = searching.unable("f", TextId.LOCATION_DENIED))
        assertEquals(InputUi.Place(null), denied.input)
        assertEquals(text(TextId.LOCATION_DENIED), denied.problem)
    }

    @Test
    fun `people type numbers as their language does`() {
        assertEquals("0,25", NumberInput(Locale.GERMANY).typed(BigDecimal("0.25")))
        assertEquals("-٠٫٢٥", NumberInput(Locale.forLanguageTag("ar-EG")).typed(BigDecimal("-0.25")), "in the digits of every other number")
    }

    @Test
    fun `a prefilled value says where it came from`() {
        val field = FieldView(field(words), FieldState.Provided(FieldValue.Text("x")), source = ValueSource.Prefill("work-order"))
        val drawn = FieldDrawer(NumberInput(Locale.UK)).draw(field, Typing(), null)
        assertEquals(text(TextId.PREFILLED_FROM, Text.Plain("work-order")), drawn.note)
    }
}
