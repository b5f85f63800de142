package dev.compass.sample.app.kit

import android.view.Gravity
import android.view.View
import android.widget.LinearLayout

/**
 * On every screen: whether there is signal, and what waits. An icon, words and a number; a change is read out when nothing
 * else is. Leads to the outbox.
 */
class StatusStrip(private val kit: Kit) : LinearLayout(kit.context) {
    private val icon = kit.icon(0)
    private val words = kit.strong()

    init {
        orientation = HORIZONTAL
        gravity = Gravity.CENTER_VERTICAL
        minimumHeight = kit.dp(Kit.TARGET)
        setPadding(kit.dp(16), kit.dp(8), kit.dp(16), kit.dp(8))
        beside(icon)
        beside(words, weight = 1f).setPaddingRelative(kit.dp(12), 0, 0, 0)
        words.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
    }

    fun bind(resource: Int, said: CharSequence, tone: Tone) {
        val colors = kit.palette.of(tone)
        icon.setImageResource(resource)
        icon.imageTintList = colors.ink.asStates()
        words.setTextColor(colors.ink)
        words.say(said)
        // On a ground of the page's own colour only a line shows where the strip ends.
        background = kit.pressable(kit.shape(colors.ground, if (colors.ground == kit.palette.page) colors.ink else colors.ground, radius = 0))
    }
}
