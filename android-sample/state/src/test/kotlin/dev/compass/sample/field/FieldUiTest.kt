package dev.compass.sample.field

import dev.compass.sample.gateway.FieldInfo
import dev.compass.sample.gateway.FieldProblem
import dev.compass.sample.gateway.FieldType
import dev.compass.sample.gateway.Holding
import dev.compass.sample.gateway.Option
import dev.compass.sample.gateway.SessionField
import dev.compass.sample.gateway.Value
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import java.math.BigDecimal
import java.time.Instant
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
    private val options = listOf(Option("a", "A"), Option("b", "B"), Option("c", "C"))

    private fun info(type: FieldType) = FieldInfo("f", "Question", type, options = options)

    private fun draw(info: FieldInfo, holding: Holding = Holding.NotProvided, typing: Typing = Typing(), draft: String? = null) =
        FieldDrawer(NumberInput(Locale.UK)).draw(SessionField(info, holding, draft), typing, null)

    private fun input(type: FieldType, value: Value? = null) =
        draw(info(type), if (value == null) Holding.NotProvided else Holding.Given(value)).input

    private fun chosen(type: FieldType, value: Value) =
        (input(type, value) as InputUi.Choice).options.filter { it.chosen }.map { it.key }

    private fun keyboard(info: FieldInfo) = (draw(info).input as InputUi.Line).keyboard

    @Test
    fun `every type has the input that fits it`() {
        val day = LocalDate.of(2027, 1, 15)
        val time = LocalTime.of(8, 30)
        val moment = OffsetDateTime.parse("2027-01-15T08:30:00+01:00")
        val file = Value.File("00", "image/jpeg", 1500, "plate.jpg")
        assertEquals("hello", (input(FieldType.TEXT, Value.Words("hello")) as InputUi.Line).text)
        assertTrue((input(FieldType.MULTILINE) as InputUi.Line).multiline)
        assertEquals("42", (input(FieldType.INTEGER, Value.Whole(42)) as InputUi.Line).text)
        assertEquals("182.50", (input(FieldType.DECIMAL, Value.Exact(BigDecimal("182.50"))) as InputUi.Line).text)
        assertEquals(InputUi.YesNo(true), input(FieldType.BOOLEAN, Value.YesNo(true)))
        assertEquals(InputUi.Day(day), input(FieldType.DATE, Value.Day(day)))
        assertEquals(InputUi.Time(time), input(FieldType.TIME, Value.TimeOfDay(time)))
        assertEquals(InputUi.DateTime(moment), input(FieldType.DATETIME, Value.Moment(moment)))
        assertEquals(listOf("b"), chosen(FieldType.SINGLE_CHOICE, Value.One("b")))
        assertEquals(listOf("a", "c"), chosen(FieldType.MULTIPLE_CHOICE, Value.Many(listOf("a", "c"))))
        assertEquals(Keyboard.EMAIL, (input(FieldType.EMAIL) as InputUi.Line).keyboard)
        assertEquals(Keyboard.PHONE, (input(FieldType.PHONE) as InputUi.Line).keyboard)
        assertEquals(Keyboard.URL, (input(FieldType.URL) as InputUi.Line).keyboard)
        assertTrue((input(FieldType.BARCODE) as InputUi.Line).scan)
        assertEquals(InputUi.Place(null), input(FieldType.LOCATION))
        assertEquals(false, (input(FieldType.ATTACHMENT, file) as InputUi.File).signature)
        assertEquals(true, (input(FieldType.SIGNATURE, file) as InputUi.File).signature)
    }

    @Test
    fun `a number pad has a minus sign only where it can be needed`() {
        assertEquals(Keyboard.SIGNED_NUMBER, keyboard(info(FieldType.INTEGER)))
        assertEquals(Keyboard.NUMBER, keyboard(info(FieldType.INTEGER).copy(min = "0")))
        assertEquals(Keyboard.SIGNED_DECIMAL, keyboard(info(FieldType.DECIMAL).copy(min = "-40.0")))
        assertEquals(Keyboard.DECIMAL, keyboard(info(FieldType.DECIMAL).copy(min = "0.0")))
    }

    @Test
    fun `half-typed text is shown in place of the value, and marked`() {
        val value = Holding.Given(Value.Words("old"))
        val drafted = draw(info(FieldType.TEXT), value, draft = "half")
        assertEquals("half", (drafted.input as InputUi.Line).text)
        assertTrue(drafted.unsaved)
        val typed = draw(info(FieldType.TEXT), value, Typing().typed("f", "more"), draft = "half")
        assertEquals("more", (typed.input as InputUi.Line).text)
        assertFalse(draw(info(FieldType.TEXT), value).unsaved)
    }

    @Test
    fun `the screen says that only the fingerprint of a file is sent`() {
        assertEquals(text(TextId.FILE_STAYS), draw(info(FieldType.ATTACHMENT)).note)
        assertEquals(text(TextId.FILE_STAYS), draw(info(FieldType.SIGNATURE)).note)
    }

    @Test
    fun `not applicable and empty are offered only where the workflow allows them`() {
        val plain = draw(info(FieldType.TEXT))
        assertFalse(plain.canBeNotApplicable || plain.canBeEmpty || plain.canClear)
        val free = info(FieldType.TEXT).copy(allowEmpty = true, allowNotApplicable = true)
        assertTrue(draw(free).run { canBeEmpty && canBeNotApplicable })
        val marked = draw(free, Holding.NotApplicable)
        assertTrue(marked.canClear && !marked.canBeNotApplicable)
        assertEquals(FieldMark.NOT_APPLICABLE, marked.mark)
        assertEquals(FieldMark.EMPTY, draw(free, Holding.Empty).mark)
    }

    @Test
    fun `typing takes the problem away`() {
        val refused = Typing().typed("f", "x").refused(listOf(FieldProblem("f", "bad_format")))
        assertEquals(text(TextId.PROBLEM_NOT_A_NUMBER), draw(info(FieldType.DECIMAL), typing = refused).problem)
        assertNull(draw(info(FieldType.DECIMAL), typing = refused.typed("f", "1")).problem)
    }

    @Test
    fun `several options keep the order of the workflow, and none is not provided`() {
        val many = info(FieldType.MULTIPLE_CHOICE)
        val c = FieldEvent.ToggledOption("f", "c").holding(many, Holding.NotProvided)!!
        val both = FieldEvent.ToggledOption("f", "a").holding(many, c)!!
        assertEquals(Holding.Given(Value.Many(listOf("a", "c"))), both)
        val back = FieldEvent.ToggledOption("f", "a").holding(many, both)!!
        assertEquals(Holding.NotProvided, FieldEvent.ToggledOption("f", "c").holding(many, back))
        assertEquals(Holding.Given(Value.One("b")), FieldEvent.ToggledOption("f", "b").holding(info(FieldType.SINGLE_CHOICE), c))
    }

    @Test
    fun `what the phone gives becomes a value`() {
        val at = Instant.parse("2027-01-15T08:00:00Z")
        val place = FieldEvent.Located("f", BigDecimal("52.52"), BigDecimal("13.37"), null, at)
        val taken = Holding.Given(Value.Place(BigDecimal("52.52"), BigDecimal("13.37"), null, at))
        assertEquals(taken, place.holding(info(FieldType.LOCATION), Holding.Empty))
        val file = FieldEvent.Attached("f", "00", "image/png", 5, "a.png")
        assertEquals(Holding.Given(Value.File("00", "image/png", 5, "a.png")), file.holding(info(FieldType.SIGNATURE), Holding.Empty))
    }

    @Test
    fun `while the phone looks for its position the screen says so, and why it found none`() {
        val searching = Typing().searching("f")
        assertEquals(InputUi.Place(null, searching = true), draw(info(FieldType.LOCATION), typing = searching).input)
        val denied = draw(info(FieldType.LOCATION), typing = searching.unable("f", TextId.LOCATION_DENIED))
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
        val field = SessionField(info(FieldType.TEXT), Holding.Given(Value.Words("x")), source = "work-order")
        val drawn = FieldDrawer(NumberInput(Locale.UK)).draw(field, Typing(), null)
        assertEquals(text(TextId.PREFILLED_FROM, Text.Plain("work-order")), drawn.note)
    }
}
