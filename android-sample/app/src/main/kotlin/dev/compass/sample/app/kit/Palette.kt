package dev.compass.sample.app.kit

import android.content.Context
import android.content.res.ColorStateList
import android.util.TypedValue
import dev.compass.sample.app.R

/** The colours of the context's theme, by what they mean. */
class Palette(private val context: Context) {
    val page = color(R.attr.pageColor)
    val card = color(R.attr.cardColor)
    val ink = color(R.attr.inkColor)
    val quietInk = color(R.attr.quietInkColor)
    val line = color(R.attr.lineColor)
    val accent = color(R.attr.accentColor)
    val onAccent = color(R.attr.onAccentColor)
    val tint = color(R.attr.tintColor)

    /** Colours of a tone: never the only sign of it, always beside an icon and a word. */
    fun of(tone: Tone): Toned = when (tone) {
        Tone.PLAIN -> Toned(ink, tint)
        Tone.GOOD -> Toned(color(R.attr.goodColor), color(R.attr.goodTintColor))
        Tone.WAITING -> Toned(color(R.attr.waitColor), color(R.attr.waitTintColor))
        Tone.BAD -> Toned(color(R.attr.badColor), color(R.attr.badTintColor))
    }

    private fun color(attribute: Int): Int {
        val value = TypedValue()
        check(context.theme.resolveAttribute(attribute, value, true)) { "every theme has every colour" }
        return value.data
    }
}

/** How something stands. */
enum class Tone { PLAIN, GOOD, WAITING, BAD }

/** What is written, and what it is written on. */
class Toned(val ink: Int, val ground: Int)

fun Int.asStates(): ColorStateList = ColorStateList.valueOf(this)
