package dev.compass.sample.app.kit

import android.view.View
import android.widget.LinearLayout
import dev.compass.sample.app.R
import dev.compass.sample.app.device.LaterApis

/** What came of the last tap, read out at once. It goes by itself after a while, or by its button. */
class NoticeBar(private val kit: Kit) : LinearLayout(kit.context) {
    private val icon = kit.icon(0)
    private val words = kit.strong()
    private val close = kit.iconButton(R.drawable.ic_close, context.getString(R.string.close)) { forget() }
    private var forget: () -> Unit = {}
    private val leave = Runnable { forget() }
    private var shown: String? = null

    init {
        orientation = HORIZONTAL
        gravity = android.view.Gravity.CENTER_VERTICAL
        setPaddingRelative(kit.dp(16), kit.dp(4), kit.dp(4), kit.dp(4))
        beside(icon)
        beside(words, weight = 1f).setPaddingRelative(kit.dp(12), kit.dp(8), kit.dp(8), kit.dp(8))
        beside(close)
        words.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE
        visible(false)
    }

    fun bind(said: String?, failed: Boolean, forget: () -> Unit) {
        this.forget = forget
        visible(said != null)
        if (said == shown) return
        shown = said
        removeCallbacks(leave)
        if (said == null) return
        val colors = kit.palette.of(if (failed) Tone.BAD else Tone.GOOD)
        icon.setImageResource(if (failed) R.drawable.ic_attention else R.drawable.ic_sent)
        icon.imageTintList = colors.ink.asStates()
        close.imageTintList = colors.ink.asStates()
        words.setTextColor(colors.ink)
        words.say(said)
        background = kit.shape(colors.ground, colors.ink, radius = 0)
        // A person who needs longer has told the phone so.
        postDelayed(leave, LaterApis.timeToRead(context, READ_MILLIS))
    }

    override fun onDetachedFromWindow() {
        removeCallbacks(leave)
        super.onDetachedFromWindow()
    }

    private companion object {
        const val READ_MILLIS = 8_000
    }
}
