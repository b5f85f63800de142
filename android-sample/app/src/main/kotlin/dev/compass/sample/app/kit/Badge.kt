package dev.compass.sample.app.kit

import android.widget.LinearLayout
import android.view.Gravity

/** How something stands: an icon and words, in the colours of its tone. */
class Badge(private val kit: Kit) : LinearLayout(kit.context) {
    private val icon = kit.icon(0)
    private val words = kit.strong()

    init {
        orientation = HORIZONTAL
        gravity = Gravity.CENTER_VERTICAL
        setPadding(kit.dp(12), kit.dp(8), kit.dp(12), kit.dp(8))
        beside(icon)
        beside(words, weight = 1f).setPaddingRelative(kit.dp(10), 0, 0, 0)
    }

    /** Shows it; without words it hides. */
    fun bind(resource: Int, said: CharSequence?, tone: Tone) {
        visible(said != null)
        if (said == null) return
        val colors = kit.palette.of(tone)
        icon.setImageResource(resource)
        icon.imageTintList = colors.ink.asStates()
        words.setTextColor(colors.ink)
        words.say(said)
        background = kit.shape(colors.ground, if (colors.ground == kit.palette.page) colors.ink else colors.ground, radius = 10)
    }
}
