package dev.compass.core.android

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Document
import org.w3c.dom.Element

/** What the library requires of an app and of the tools that build it. */
class ManifestTest {
    private fun xml(path: String): Document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(File("src/main/$path"))

    private fun Document.all(tag: String): List<Element> = getElementsByTagName(tag).let { found -> List(found.length) { found.item(it) as Element } }

    @Test
    fun `it needs three permissions, and none asks the user`() = assertEquals(
        setOf("INTERNET", "ACCESS_NETWORK_STATE", "RECEIVE_BOOT_COMPLETED"),
        xml("AndroidManifest.xml").all("uses-permission").map { it.getAttribute("android:name").removePrefix("android.permission.") }.toSet(),
    )

    @Test
    fun `only Android may start the job, and it is not a foreground service`() {
        val service = xml("AndroidManifest.xml").all("service").single()
        assertEquals(FlushJobService::class.java.name, service.getAttribute("android:name"))
        assertEquals("android.permission.BIND_JOB_SERVICE", service.getAttribute("android:permission"))
        assertEquals("false", service.getAttribute("android:exported"))
        assertEquals("", service.getAttribute("android:foregroundServiceType"))
    }

    @Test
    fun `nothing starts automatically`() {
        for (tag in listOf("provider", "receiver", "activity")) assertTrue(xml("AndroidManifest.xml").all(tag).isEmpty())
    }

    @Test
    fun `the rules for a database in another folder keep it out of backups and transfers, on old and new phones`() {
        val new = xml("res/xml/compass_data_extraction_rules.xml")
        for (sort in listOf("cloud-backup", "device-transfer")) {
            val rule = new.all(sort).single().getElementsByTagName("exclude").item(0) as Element
            assertEquals("file" to "compass/", rule.getAttribute("domain") to rule.getAttribute("path"))
        }
        val rule = xml("res/xml/compass_backup_rules.xml").all("exclude").single()
        assertEquals("file" to "compass/", rule.getAttribute("domain") to rule.getAttribute("path"))
    }

    @Test
    fun `R8 keeps JNA and code that is called by name`() {
        val rules = File("consumer-rules.pro").readText()
        for (kept in listOf("class com.sun.jna.**", "class * extends com.sun.jna.**", "class * implements com.sun.jna.**", "class dev.compass.core.internal.**")) {
            assertTrue(kept, rules.contains("-keep $kept { *; }"))
        }
        assertTrue(rules.contains("-dontwarn java.awt.**"))
    }
}
