package dev.compass.core.scenario

import dev.compass.core.model.Change
import dev.compass.core.model.Command
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FileManifest
import dev.compass.core.model.Location
import dev.compass.core.model.NoteChange
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** An object of a scenario whose members must all be read. */
class Members(private val json: JsonObject) {
    private val unread = json.keys.toMutableSet()

    fun optional(name: String): JsonElement? {
        unread -= name
        return json[name].takeUnless { it is JsonNull }
    }

    fun element(name: String): JsonElement {
        unread -= name
        return json[name] ?: error("`$name` is missing in $json")
    }

    fun text(name: String): String = element(name).text()

    fun optionalText(name: String): String? = optional(name)?.text()

    fun flag(name: String): Boolean = element(name).flag()

    fun number(name: String): Long = element(name).number()

    fun list(name: String): List<JsonElement> = element(name) as JsonArray

    fun <T> each(name: String, read: Members.() -> T): List<T> = list(name).map { it.members(read) }

    fun done() = check(unread.isEmpty()) { "unknown members $unread in $json" }
}

inline fun <T> JsonElement.members(read: Members.() -> T): T = Members(this as JsonObject).run { read().also { done() } }

fun JsonElement.text(): String = (this as JsonPrimitive).also { check(it.isString) { "$this is not a text" } }.content

fun JsonElement.flag(): Boolean = (this as JsonPrimitive).also { check(!it.isString) { "$this is not a boolean" } }.content.toBooleanStrict()

fun JsonElement.number(): Long = (this as JsonPrimitive).also { check(!it.isString) { "$this is not a number" } }.content.toLong()

fun Members.command(): Command = when (val kind = text("command")) {
    "set_fields" -> Command.SetFields(each("changes") { change() })
    "answer" -> Command.Answer(number("visit").toInt(), text("answer"))
    "back" -> Command.Back(number("visit").toInt(), number("to_visit").toInt())
    "use_response" -> Command.UseResponse(text("command_id"), text("response"))
    "note" -> Command.Note(text("command_id"), text("text"))
    "complete" -> Command.Complete(number("visit").toInt())
    "end" -> Command.End(text("command_id"), text("reason"))
    "discard" -> Command.Discard
    "edit" -> Command.Edit(
        text("command_id"),
        each("fields") { change() },
        each("notes") { NoteChange(number("note").toInt(), text("text")) },
        optionalText("reason"),
    )
    else -> error("no command is called `$kind`")
}

fun Members.change(): FieldChange = FieldChange(
    text("field"),
    element("change").members {
        when (val to = text("to")) {
            "set" -> Change.Set(element("value").members { value() })
            "clear" -> Change.Clear
            "not_applicable" -> Change.NotApplicable
            else -> error("no change is called `$to`")
        }
    },
)

fun Members.value(): FieldValue {
    val held = element("value")
    return when (val type = text("type")) {
        "text" -> FieldValue.Text(held.text())
        "choice" -> FieldValue.Choice(held.text())
        "integer" -> FieldValue.Integer(held.number())
        "decimal" -> FieldValue.Decimal(BigDecimal(held.text()))
        "boolean" -> FieldValue.Boolean(held.flag())
        "date" -> FieldValue.Date(LocalDate.parse(held.text()))
        "time" -> FieldValue.Time(LocalTime.parse(held.text()))
        "date_time" -> FieldValue.DateTime(OffsetDateTime.parse(held.text()))
        "choices" -> FieldValue.Choices((held as JsonArray).map { it.text() })
        "location" -> held.members {
            val accuracy = optionalText("accuracy_m")?.let(::BigDecimal)
            val place = Location(BigDecimal(text("latitude")), BigDecimal(text("longitude")), accuracy, Instant.parse(text("captured_at")))
            FieldValue.Location(place)
        }
        "file" -> held.members {
            FieldValue.File(FileManifest(text("sha256"), text("media_type"), number("size"), text("name")))
        }
        else -> error("no value is called `$type`")
    }
}
