package dev.compass.sample.text

import dev.compass.core.CompassException
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldKind
import dev.compass.core.model.Problem
import dev.compass.core.model.TextRule
import java.math.BigDecimal
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneId
import java.util.Locale
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class TextsTest {
    private object Names : Messages {
        override fun message(id: TextId, args: List<String>) = "$id$args"
        override fun count(id: CountId, count: Int, args: List<String>) = "$id$args"
    }

    private fun texts(locale: Locale) = Texts(Formats(locale, ZoneId.of("Europe/Berlin")), Names)

    @Test
    fun `a decimal keeps its digits and takes the form of the locale`() {
        val value = Text.Number(BigDecimal("1182.50"))
        assertEquals("1182.50", texts(Locale.UK)[value])
        assertEquals("1182,50", texts(Locale.GERMANY)[value])
        assertEquals("١١٨٢٫٥٠", texts(Locale.forLanguageTag("ar-EG"))[value])
    }

    @Test
    fun `moments are shown in the time of the phone`() {
        val shown = texts(Locale.UK)[Text.Moment(Instant.parse("2027-01-15T08:05:00Z"))]
        assertTrue("09:05" in shown && "15 Jan 2027" in shown, shown)
        assertEquals("15.01.2027", texts(Locale.GERMANY)[Text.Day(LocalDate.of(2027, 1, 15))])
    }

    @Test
    fun `the count comes first among the arguments of a plural`() {
        assertEquals("SENT_NOW[3, x]", texts(Locale.UK)[Text.Count(CountId.SENT_NOW, 3, listOf(Text.Plain("x")))])
    }

    @Test
    fun `texts within texts are in the language, too`() {
        val inner = Text.Several(listOf(text(TextId.YES), Text.Number(BigDecimal("2.5"))))
        assertEquals("FINDING_OTHER[YES[], 2,5]", texts(Locale.GERMANY)[text(TextId.FINDING_OTHER, inner)])
    }

    @Test
    fun `there are words for every reason that the documentation of delivery names`() {
        val documented = Files.readAllLines(Path.of(System.getProperty("repository.root"), "docs/delivery.md"))
            .dropWhile { !it.contains("`integration_off`") }
            .mapNotNull { Regex("^\\| `([a-z_]+)`").find(it)?.groupValues?.get(1) }
            .toSet()
        assertTrue(documented.size > 30, "$documented")
        assertEquals(emptyList<String>(), (documented + "proxy" + "endpoint_corrupt").filter { reasonWords(it) == text(TextId.REASON_OTHER, Text.Plain(it)) })
    }

    @Test
    fun `a reason of a newer core is shown as it is`() {
        assertEquals(text(TextId.REASON_OTHER, Text.Plain("sun_spots")), reasonWords("sun_spots"))
    }

    @Test
    fun `there are own words for what may go wrong with a file, a workflow or another process, and they differ`() {
        val codes = listOf(
            "requires_newer_core", "workflow_in_use", "corrupt", "undelivered", "locked", "newer_schema", "not_a_database", "disk_full",
        )
        val words = codes.map { (CompassException(it).words() as Text.Message).id }
        assertFalse(TextId.FAILURE_OTHER in words || TextId.FAILURE_NOT_ALLOWED in words, "$words")
        assertEquals(codes.size, words.toSet().size)
        assertEquals(text(TextId.FAILURE_OTHER, Text.Plain("sun_spots")), CompassException("sun_spots").words())
    }

    @Test
    fun `a bound is shown as the locale writes it`() {
        val date = FieldDefinition("d", "D", kind = FieldKind.Date())
        val first = Text.Day(LocalDate.of(2026, 1, 1))
        assertEquals(text(TextId.PROBLEM_TOO_EARLY, first), Problem("d", "too_early", "", "2026-01-01").words(date))
        assertEquals(text(TextId.PROBLEM_TOO_LARGE, Text.Number(BigDecimal("4.0"))), Problem("d", "too_large", "", "4.0").words(date))
    }

    @Test
    fun `what is no number is said otherwise than what is no address`() {
        val problem = Problem("f", "bad_format", "")
        fun words(kind: FieldKind) = problem.words(FieldDefinition("f", "F", kind = kind))
        assertNotEquals(words(FieldKind.Decimal()), words(FieldKind.Email(TextRule())))
    }
}
