package dev.compass.sample.app.field

import android.view.View
import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.SignaturePad
import dev.compass.sample.app.kit.Words
import dev.compass.sample.app.kit.WrapRow
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.field.FieldUi
import dev.compass.sample.field.InputUi

/** The pad, and for who cannot draw on it a line to type the name in. The picture is kept when a button says so. */
internal class SignatureInput(first: FieldUi, kit: Kit, private val words: Words, tools: FieldTools) : Bound<FieldUi> {
    private val column = kit.column(10)
    private val there = kit.body()
    private val pad = SignaturePad(kit)
    private val name = Line(kit, "${first.label}: ${words.string(R.string.signature_name)}", typed = { pad.write(it) })
    private val keep = kit.secondary(words.string(R.string.signature_keep), R.drawable.ic_saved) {
        // A second tap would keep it twice.
        keeping = true
        signing = false
        show()
        tools.keepSignature(first.key, pad.picture())
    }
    private val over = kit.secondary(words.string(R.string.signature_over)) {
        name.bind("")
        pad.clear()
    }
    private val again = kit.secondary(words.string(R.string.signature_again), R.drawable.ic_pen) {
        signing = true
        show()
    }
    private val buttons = WrapRow(kit)
    private var signed = false
    private var signing = false
    private var keeping = false

    override val view: View get() = column

    init {
        column.below(there)
        pad.contentDescription = words.string(R.string.signature_pad, first.label)
        column.below(pad)
        name.hint = words.string(R.string.signature_name)
        column.below(name)
        buttons.addView(keep)
        buttons.addView(over)
        column.below(buttons)
        column.below(again)
        for (button in listOf(keep, over, again)) button.about(first)
        pad.onChange = ::show
        show()
    }

    override fun bind(item: FieldUi) {
        val file = (item.input as InputUi.File).file
        signed = file != null
        keeping = false
        there.say(words.orNull(file))
        show()
    }

    private fun show() {
        val open = signing || !signed
        for (part in listOf(pad, name, buttons)) part.visible(open)
        again.visible(!open)
        keep.isEnabled = !pad.isEmpty && !keeping
    }
}
