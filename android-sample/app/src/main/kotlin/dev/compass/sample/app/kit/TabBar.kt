package dev.compass.sample.app.kit

import android.graphics.Color
import android.view.Gravity
import android.widget.LinearLayout
import android.widget.TextView

/** The roots of the app, side by side. Where the names do not fit under the icons, the icons stand alone; a screen reader knows the names. */
class TabBar(private val kit: Kit) : LinearLayout(kit.context) {
    private val names = mutableListOf<TextView>()

    init {
        orientation = HORIZONTAL
        setBackgroundColor(kit.palette.card)
        setPadding(kit.dp(4), kit.dp(4), kit.dp(4), kit.dp(4))
    }

    fun add(icon: Int, name: CharSequence, chosen: Boolean, act: () -> Unit) {
        val ink = if (chosen) kit.palette.accent else kit.palette.ink
        val tab = kit.column(2)
        tab.gravity = Gravity.CENTER
        tab.minimumHeight = kit.dp(Kit.PRIMARY_TARGET)
        tab.setPadding(0, kit.dp(6), 0, kit.dp(6))
        tab.background = kit.pressable(if (chosen) kit.shape(kit.palette.tint, kit.palette.accent) else kit.shape(Color.TRANSPARENT))
        tab.contentDescription = name
        tab.isSelected = chosen
        tab.isClickable = true
        tab.isFocusable = true
        tab.setOnClickListener { act() }
        tab.addView(kit.icon(icon, ink), LayoutParams(LayoutParams.WRAP_CONTENT, LayoutParams.WRAP_CONTENT))
        val words = kit.text(Kit.BODY, name, bold = chosen, color = ink)
        words.maxLines = 1
        tab.addView(words, LayoutParams(LayoutParams.WRAP_CONTENT, LayoutParams.WRAP_CONTENT))
        names += words
        beside(tab, weight = 1f)
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val room = (MeasureSpec.getSize(widthMeasureSpec) - paddingLeft - paddingRight) / maxOf(childCount, 1)
        val fit = names.all { it.paint.measureText(it.text.toString()) <= room - kit.dp(4) }
        for (name in names) name.visible(fit)
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }
}
