package dev.compass.core.testing

import dev.compass.core.model.WorkflowRef

private val token = Regex(""""((?:[^"\\]|\\.)*)"|[{}\[\]:,]|-?[0-9]+""")
private val escape = Regex("""\\(?:u([0-9a-fA-F]{4})|(.))""")

/** Key, name and version of a document, without a core; those of the fixtures where it has none that can be read. */
internal fun nameOf(document: ByteArray): WorkflowRef {
    val members = mutableMapOf<String, String>()
    var depth = 0
    var last = ""
    var member: String? = null
    for (found in token.findAll(document.decodeToString())) {
        when (found.value) {
            "{", "[" -> depth++
            "}", "]" -> depth--
            ":" -> if (depth == 1) member = last
            "," -> if (depth == 1) member = null
            else -> if (depth == 1) {
                last = found.groups[1]?.value?.unescaped() ?: found.value
                member?.let { members.putIfAbsent(it, last) }
            }
        }
    }
    fun number(name: String) = members[name]?.toIntOrNull()
    val other = workflowSummary().workflow
    return WorkflowRef(members["key"] ?: other.key, members["name"] ?: other.name, number("version") ?: other.version, number("local_revision") ?: 0)
}

/** Of the short escapes only those stand in a key or a name that give the character itself. */
private fun String.unescaped() = escape.replace(this) { it.groups[1]?.value?.toInt(HEX)?.toChar()?.toString() ?: it.groupValues[2] }

private const val HEX = 16
