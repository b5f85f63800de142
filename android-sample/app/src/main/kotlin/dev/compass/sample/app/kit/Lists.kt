package dev.compass.sample.app.kit

import android.view.View
import android.widget.TextView

/** Lines of text, one below the other. */
class TextLines(kit: Kit, gap: Int = 4, make: (Kit) -> TextView = { it.body() }) {
    private val rows = Rows<IndexedValue<String>>(kit, gap, key = { it.index }) {
        val line = make(kit)
        bound(line) { said -> line.say(said.value) }
    }

    val view: View get() = rows.view

    fun bind(lines: List<String>) = rows.bind(lines.withIndex().toList())
}
