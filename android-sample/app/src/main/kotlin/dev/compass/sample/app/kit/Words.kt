package dev.compass.sample.app.kit

import android.content.res.Resources
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Formats
import dev.compass.sample.text.Messages
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.Texts
import java.time.ZoneId

/** Makes words of what a state says, in the language, the digits and the time zone of the phone. */
class Words(private val resources: Resources) : Messages {
    val formats = Formats(resources.configuration.locales[0], ZoneId.systemDefault())
    private val texts = Texts(formats, this)

    fun of(text: Text): String = texts[text]

    fun orNull(text: Text?): String? = text?.let { texts[it] }

    /** A string of a screen's own. */
    fun string(resource: Int, vararg arguments: Any): String = resources.getString(resource, *arguments)

    fun number(value: Int): String = formats.number(value.toBigDecimal())

    override fun message(id: TextId, args: List<String>): String = resources.getString(id.resource, *args.toTypedArray())

    override fun count(id: CountId, count: Int, args: List<String>): String =
        resources.getQuantityString(id.resource, count, *args.toTypedArray())
}
