package dev.compass.sample.app.kit

import android.content.res.ColorStateList
import android.graphics.drawable.Drawable
import android.graphics.drawable.InsetDrawable
import android.graphics.drawable.StateListDrawable
import android.util.TypedValue
import android.view.Gravity
import android.widget.CheckBox
import android.widget.CompoundButton
import android.widget.RadioButton
import android.widget.Switch

/** Rows and buttons that are chosen or not: a mark, an outline and for a screen reader its state. */
object Marks {
    /** One of several. */
    fun radio(kit: Kit, act: () -> Unit): CompoundButton = dressed(kit, RadioButton(kit.context), act)

    /** Chosen for itself. */
    fun check(kit: Kit, act: () -> Unit): CompoundButton = dressed(kit, CheckBox(kit.context), act)

    /** On or off. [act] gets what is wanted. */
    fun switch(kit: Kit, words: CharSequence, act: (Boolean) -> Unit): CompoundButton = Switch(kit.context).apply {
        text = words
        setTextSize(TypedValue.COMPLEX_UNIT_SP, Kit.BODY)
        setTextColor(kit.palette.ink)
        minimumHeight = kit.dp(Kit.TARGET)
        minHeight = kit.dp(Kit.TARGET)
        switchPadding = kit.dp(16)
        thumbTintList = kit.palette.states(kit.palette.accent, kit.palette.line)
        trackTintList = kit.palette.states(kit.palette.accent, kit.palette.line)
        setOnClickListener {
            val wanted = isChecked
            // The state says whether it is on.
            isChecked = !wanted
            act(wanted)
        }
    }

    private fun dressed(kit: Kit, button: CompoundButton, act: () -> Unit): CompoundButton = button.apply {
        setTextSize(TypedValue.COMPLEX_UNIT_SP, Kit.BODY)
        setTextColor(kit.palette.ink)
        gravity = Gravity.CENTER_VERTICAL or Gravity.START
        minimumHeight = kit.dp(Kit.TARGET)
        minHeight = kit.dp(Kit.TARGET)
        minimumWidth = kit.dp(Kit.TARGET)
        buttonTintList = kit.palette.states(kit.palette.accent, kit.palette.quietInk)
        // Away from the outline.
        buttonDrawable?.let { setButtonDrawable(InsetDrawable(it, kit.dp(8), 0, kit.dp(8), 0)) }
        setPaddingRelative(kit.dp(2), kit.dp(8), kit.dp(14), kit.dp(8))
        background = kit.pressable(outlines(kit))
        setOnClickListener {
            // The state says whether it is chosen.
            isChecked = !isChecked
            act()
        }
    }

    private fun outlines(kit: Kit): Drawable = StateListDrawable().apply {
        addState(intArrayOf(android.R.attr.state_checked), kit.shape(kit.palette.tint, kit.palette.accent))
        addState(intArrayOf(), kit.shape(kit.palette.card, kit.palette.line))
    }

    private fun Palette.states(checked: Int, otherwise: Int) =
        ColorStateList(arrayOf(intArrayOf(android.R.attr.state_checked), intArrayOf()), intArrayOf(checked, otherwise))
}

/** Shows the state without a sound when it is so already. */
fun CompoundButton.mark(chosen: Boolean) {
    if (isChecked != chosen) isChecked = chosen
}
