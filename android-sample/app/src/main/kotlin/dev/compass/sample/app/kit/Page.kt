package dev.compass.sample.app.kit

import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.LinearLayout
import android.widget.ScrollView
import dev.compass.sample.app.R
import dev.compass.sample.app.device.LaterApis

/**
 * The frame of a screen: a bar with the way back and the title, the status strip, what scrolls, and at the bottom, where a thumb is, what
 * to do next. What is at the bottom keeps to the lower third; it moves into the scrolled part while a keyboard or large text leaves no room.
 */
class Page(private val kit: Kit) : LinearLayout(kit.context) {
    private val back = kit.iconButton(R.drawable.ic_back, context.getString(R.string.back)) { goBack?.invoke() }
    private val title = kit.title()
    private val icons = kit.row(0)

    /** The way back, when there is one. */
    var goBack: (() -> Unit)? = null
        private set

    val strip = StatusStrip(kit)
    val content: LinearLayout = kit.column(16)
    val scroll = ScrollView(context)
    val foot: LinearLayout = kit.column(10)
    val notice = NoticeBar(kit)
    val tabs = TabBar(kit)

    /** Where what scrolls ends. */
    private val edge = View(context)
    private val inner: LinearLayout = kit.column(16)

    init {
        orientation = VERTICAL
        setBackgroundColor(kit.palette.page)
        val bar = kit.row(0)
        bar.minimumHeight = kit.dp(64)
        bar.setPadding(kit.dp(4), kit.dp(4), kit.dp(4), kit.dp(4))
        bar.beside(back)
        bar.beside(title, weight = 1f).setPadding(kit.dp(12), kit.dp(4), kit.dp(12), kit.dp(4))
        bar.beside(icons)
        below(bar)
        below(strip)
        inner.setPadding(kit.dp(16), kit.dp(16), kit.dp(16), kit.dp(16))
        inner.below(content)
        inner.below(View(context), weight = 1f)
        scroll.isFillViewport = true
        scroll.addView(inner)
        below(scroll, weight = 1f)
        foot.setPadding(kit.dp(16), kit.dp(10), kit.dp(16), kit.dp(12))
        below(notice)
        edge.setBackgroundColor(kit.palette.line)
        addView(edge, LayoutParams(LayoutParams.MATCH_PARENT, kit.dp(1)))
        below(foot)
        below(tabs)
        tabs.visible(false)
    }

    /** The title, and the way back when there is one. */
    fun head(words: CharSequence, goBack: (() -> Unit)?) {
        title.say(words)
        LaterApis.paneTitle(this, words)
        this.goBack = goBack
        back.visible(goBack != null)
    }

    /** A button at the end of the bar. */
    fun action(icon: Int, label: CharSequence, act: () -> Unit): View = icons.beside(kit.iconButton(icon, label, act))

    /** To the top of it; a screen reader goes to the title. */
    fun arrive() {
        scroll.scrollTo(0, 0)
        title.performAccessibilityAction(AccessibilityNodeInfo.ACTION_ACCESSIBILITY_FOCUS, null)
    }

    /** Nothing to press there: no room for it either. */
    private fun hasFoot() = foot.views().any { it.visibility != GONE }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val height = MeasureSpec.getSize(heightMeasureSpec)
        val width = MeasureSpec.makeMeasureSpec(MeasureSpec.getSize(widthMeasureSpec), MeasureSpec.EXACTLY)
        foot.visible(hasFoot())
        val free = MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)
        // As wide as it is when it is pinned, wherever it is now.
        val beside = 2 * kit.dp(16) - foot.paddingLeft - foot.paddingRight
        foot.measure(MeasureSpec.makeMeasureSpec(MeasureSpec.getSize(widthMeasureSpec) - beside, MeasureSpec.EXACTLY), free)
        tabs.measure(width, free)
        val pinned = foot.measuredHeight + if (tabs.visibility == VISIBLE) tabs.measuredHeight else 0
        place(height >= kit.dp(ROOMY) && pinned <= height / PINNED_PART)
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }

    private fun place(pinned: Boolean) {
        edge.visible(pinned && foot.visibility == VISIBLE || tabs.visibility == VISIBLE)
        val wanted: LinearLayout = if (pinned) this else inner
        if (foot.parent === wanted) return
        (foot.parent as LinearLayout).removeView(foot)
        foot.setPadding(if (pinned) kit.dp(16) else 0, kit.dp(10), if (pinned) kit.dp(16) else 0, kit.dp(12))
        if (pinned) wanted.addView(foot, indexOfChild(tabs), wide()) else wanted.addView(foot, wide())
    }

    private fun wide() = LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT)

    private companion object {
        const val PINNED_PART = 3

        /** Below it a keyboard is on the screen, or the phone lies on its side. */
        const val ROOMY = 420
    }
}
