package dev.compass.sample.app.field

import android.view.View
import android.widget.Button
import android.widget.CompoundButton
import dev.compass.core.model.FieldValue
import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.Marks
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.Words
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.beside
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.mark
import dev.compass.sample.app.kit.say
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldUi
import dev.compass.sample.field.InputUi
import dev.compass.sample.field.OptionUi
import java.time.ZoneId

/** The control for a field. A field keeps its sort of input for as long as it is on a screen. */
internal fun inputFor(first: FieldUi, kit: Kit, words: Words, tools: FieldTools, send: (FieldEvent) -> Unit): Bound<FieldUi> =
    when (first.input) {
        is InputUi.Line -> line(first, kit, send)
        is InputUi.YesNo -> yesNo(first, kit, words, send)
        is InputUi.Day -> day(first, kit, words, tools, send)
        is InputUi.Time -> time(first, kit, words, tools, send)
        is InputUi.DateTime -> dateTime(first, kit, words, tools, send)
        is InputUi.Choice -> choice(first, kit, send)
        is InputUi.Place -> place(first, kit, words, tools)
        is InputUi.File -> if ((first.input as InputUi.File).signature) SignatureInput(first, kit, words, tools) else file(first, kit, words, tools)
    }

private fun line(first: FieldUi, kit: Kit, send: (FieldEvent) -> Unit): Bound<FieldUi> {
    val line = Line(kit, first.label, typed = { send(FieldEvent.Typed(first.key, it)) }, left = { send(FieldEvent.Left(first.key)) })
    return bound(line) {
        val input = it.input as InputUi.Line
        line.keyboard(input.keyboard, input.multiline, input.maxLength)
        line.bind(input.text)
    }
}

private fun yesNo(first: FieldUi, kit: Kit, words: Words, send: (FieldEvent) -> Unit): Bound<FieldUi> {
    val row = kit.row(10)
    fun side(label: Int, yes: Boolean): CompoundButton = Marks.radio(kit) {
        send(FieldEvent.Given(first.key, FieldValue.Boolean(yes)))
    }.apply {
        row.beside(this, weight = 1f)
        minimumHeight = kit.dp(Kit.PRIMARY_TARGET)
        text = words.string(label)
        about(first)
    }
    val yes = side(R.string.yes, true)
    val no = side(R.string.no, false)
    return bound(row) {
        val chosen = (it.input as InputUi.YesNo).yes
        yes.mark(chosen == true)
        no.mark(chosen == false)
    }
}

private fun day(first: FieldUi, kit: Kit, words: Words, tools: FieldTools, send: (FieldEvent) -> Unit): Bound<FieldUi> {
    var input = first.input as InputUi.Day
    val button = kit.secondary(icon = R.drawable.ic_date) {
        tools.pickDay(input.date, input.min, input.max) { send(FieldEvent.Given(first.key, FieldValue.Date(it))) }
    }
    return bound(button) {
        input = it.input as InputUi.Day
        button.picks(first, input.date?.let(words.formats::day) ?: words.string(R.string.field_pick_day))
    }
}

private fun time(first: FieldUi, kit: Kit, words: Words, tools: FieldTools, send: (FieldEvent) -> Unit): Bound<FieldUi> {
    var input = first.input as InputUi.Time
    val button = kit.secondary(icon = R.drawable.ic_waiting) {
        tools.pickTime(input.time) { send(FieldEvent.Given(first.key, FieldValue.Time(it))) }
    }
    return bound(button) {
        input = it.input as InputUi.Time
        button.picks(first, input.time?.let(words.formats::time) ?: words.string(R.string.field_pick_time))
    }
}

private fun dateTime(first: FieldUi, kit: Kit, words: Words, tools: FieldTools, send: (FieldEvent) -> Unit): Bound<FieldUi> {
    var input = first.input as InputUi.DateTime
    val button = kit.secondary(icon = R.drawable.ic_date) {
        tools.pickDay(input.at?.toLocalDate(), null, null) { day ->
            tools.pickTime(input.at?.toLocalTime()) { time ->
                val at = day.atTime(time).atZone(ZoneId.systemDefault()).toOffsetDateTime()
                send(FieldEvent.Given(first.key, FieldValue.DateTime(at)))
            }
        }
    }
    return bound(button) {
        input = it.input as InputUi.DateTime
        button.picks(first, input.at?.let(words.formats::offsetMoment) ?: words.string(R.string.field_pick_datetime))
    }
}

private fun Button.picks(field: FieldUi, said: String) {
    say(said)
    about(field)
}

/** For a screen reader: of which question this is. Several of them are on a screen. */
internal fun Button.about(field: FieldUi) {
    contentDescription = "${field.label}: $text"
}

private fun choice(first: FieldUi, kit: Kit, send: (FieldEvent) -> Unit): Bound<FieldUi> {
    val multiple = (first.input as InputUi.Choice).multiple
    val options = Rows<OptionUi>(kit, gap = 8, key = { it.key }) { option ->
        val tapped = { send(FieldEvent.ToggledOption(first.key, option.key)) }
        val button = if (multiple) Marks.check(kit, tapped) else Marks.radio(kit, tapped)
        bound(button) {
            button.say(it.label)
            button.about(first)
            button.mark(it.chosen)
        }
    }
    return bound(options.view) { options.bind((it.input as InputUi.Choice).options) }
}

private fun place(first: FieldUi, kit: Kit, words: Words, tools: FieldTools): Bound<FieldUi> {
    val column = kit.column(8)
    val found = column.below(kit.body())
    val ask = column.below(kit.secondary(icon = R.drawable.ic_place) { tools.locate(first.key) })
    found.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
    return bound(column) {
        val input = it.input as InputUi.Place
        found.say(words.orNull(input.place))
        ask.isEnabled = !input.searching
        ask.say(
            words.string(
                when {
                    input.searching -> R.string.place_searching
                    input.place == null -> R.string.place_use
                    else -> R.string.place_again
                },
            ),
        )
        ask.about(first)
    }
}

private fun file(first: FieldUi, kit: Kit, words: Words, tools: FieldTools): Bound<FieldUi> {
    var input = first.input as InputUi.File
    val column = kit.column(8)
    val there = column.below(kit.body())
    val photo = column.below(kit.secondary(icon = R.drawable.ic_camera) { tools.takePhoto(first.key) })
    val choose = kit.secondary(words.string(R.string.file_choose), R.drawable.ic_add) { tools.chooseFile(first.key, input.mediaTypes) }
    column.below(choose).about(first)
    return bound(column) {
        input = it.input as InputUi.File
        there.say(words.orNull(input.file))
        photo.say(words.string(if (input.file == null) R.string.photo_take else R.string.photo_again))
        photo.about(first)
    }
}
