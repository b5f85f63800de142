package dev.compass.sample.app.field

import android.view.View
import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.Words
import dev.compass.sample.app.kit.WrapRow
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.beside
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldMark
import dev.compass.sample.field.FieldUi

/** A question with its input, what is wrong with the answer, and the ways to take it back. */
class FieldView(kit: Kit, private val words: Words, first: FieldUi, tools: FieldTools, send: (FieldEvent) -> Unit) : Bound<FieldUi> {
    private val card = kit.card(10)
    private val label = kit.strong()
    private val mark = kit.quiet()
    private val sign = kit.icon(R.drawable.ic_sent, kit.palette.of(Tone.GOOD).ink).apply {
        // The mark alone says that there is an answer.
        contentDescription = words.string(R.string.field_provided)
        importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_YES
    }
    private val help = kit.quiet()
    private val input: Bound<FieldUi> = inputFor(first, kit, words, tools, send)
    private val problem = kit.badge()
    private val note = kit.quiet()
    private val clear = kit.secondary(words.string(R.string.field_clear)) { send(FieldEvent.Cleared(first.key)) }
    private val notApplicable = kit.secondary(words.string(R.string.field_not_applicable)) { send(FieldEvent.MarkedNotApplicable(first.key)) }
    private val empty = kit.secondary(words.string(R.string.field_leave_empty)) { send(FieldEvent.MarkedEmpty(first.key)) }
    private val ways = WrapRow(kit)

    override val view: View get() = card

    init {
        val head = kit.row(8)
        head.beside(label, weight = 1f)
        head.beside(sign)
        card.below(head)
        card.below(mark)
        card.below(help)
        card.below(input.view)
        problem.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
        card.below(problem)
        card.below(note)
        for (way in listOf(clear, notApplicable, empty)) {
            way.about(first)
            ways.addView(way)
        }
        card.below(ways)
    }

    override fun bind(item: FieldUi) {
        label.say(item.label)
        mark.say(standing(item))
        sign.visible(item.mark == FieldMark.PROVIDED && !item.unsaved)
        help.say(item.help)
        input.bind(item)
        problem.bind(R.drawable.ic_attention, words.orNull(item.problem), Tone.BAD)
        note.say(words.orNull(item.note))
        clear.visible(item.canClear)
        notApplicable.visible(item.canBeNotApplicable && item.mark != FieldMark.NOT_APPLICABLE)
        empty.visible(item.canBeEmpty && item.mark != FieldMark.EMPTY)
        ways.visible(item.canClear || notApplicable.visibility == View.VISIBLE || empty.visibility == View.VISIBLE)
    }

    private fun standing(item: FieldUi): String? = when {
        item.unsaved -> words.string(R.string.field_unsaved)
        item.mark == FieldMark.NOT_APPLICABLE -> words.string(R.string.field_is_not_applicable)
        item.mark == FieldMark.EMPTY -> words.string(R.string.field_is_empty)
        item.mark == FieldMark.NOT_PROVIDED && item.required -> words.string(R.string.field_required)
        else -> null
    }
}
