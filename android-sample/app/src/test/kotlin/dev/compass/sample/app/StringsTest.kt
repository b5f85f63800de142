package dev.compass.sample.app

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element

/** Both languages say everything. */
class StringsTest {
    private val english = read("values")
    private val arabic = read("values-ar")

    private class Words(val strings: Map<String, String>, val plurals: Map<String, Map<String, String>>)

    private fun read(folder: String): Words {
        val files = File("src/main/res/$folder").listFiles { it: File -> it.name.endsWith("strings.xml") }.orEmpty()
        assertTrue(files.isNotEmpty())
        val roots = files.map { DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(it).documentElement }
        return Words(
            roots.flatMap { it.all("string") }.associate { it.getAttribute("name") to it.textContent },
            roots.flatMap { it.all("plurals") }.associate { one -> one.getAttribute("name") to one.all("item").associate { it.getAttribute("quantity") to it.textContent } },
        )
    }

    private fun Element.all(name: String): List<Element> = getElementsByTagName(name).let { nodes -> (0 until nodes.length).map { nodes.item(it) as Element } }

    private fun places(text: String) = Regex("%\\d\\\$s").findAll(text).map { it.value }.toSortedSet()

    @Test
    fun `every string is in both languages, with the same places for its arguments`() {
        assertEquals(english.strings.keys, arabic.strings.keys)
        for ((name, text) in english.strings) assertEquals(name, places(text), places(arabic.strings.getValue(name)))
    }

    @Test
    fun `every plural has all forms of its language`() {
        assertEquals(english.plurals.keys, arabic.plurals.keys)
        for ((name, forms) in english.plurals) assertEquals(name, setOf("one", "other"), forms.keys)
        for ((name, forms) in arabic.plurals) assertEquals(name, setOf("zero", "one", "two", "few", "many", "other"), forms.keys)
        // Where a form names the number in words it needs no digits; every other one does.
        for ((name, forms) in arabic.plurals) for (form in listOf("few", "many", "other")) assertTrue("$name $form", "%1\$s" in forms.getValue(form))
    }

    @Test
    fun `no string is empty`() {
        for (words in listOf(english, arabic)) assertEquals(emptySet<String>(), words.strings.filterValues { it.isBlank() }.keys)
    }
}
