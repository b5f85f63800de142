package dev.compass.sample.app.kit

import android.view.View
import android.view.ViewGroup

/** Puts views beside each other for as long as they fit, and the others below: what stands in a row at 100 % text stacks at 200 %. */
class WrapRow(kit: Kit, private val gap: Int = kit.dp(8)) : ViewGroup(kit.context) {
    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val width = MeasureSpec.getSize(widthMeasureSpec)
        for (child in shown()) {
            child.measure(MeasureSpec.makeMeasureSpec(width, MeasureSpec.AT_MOST), MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED))
        }
        setMeasuredDimension(width, lines(width).let { lines -> lines.sumOf { it.height() } + gap * (lines.size - 1).coerceAtLeast(0) })
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        var y = 0
        for (line in lines(width)) {
            var x = 0
            for (child in line) {
                val start = if (layoutDirection == View.LAYOUT_DIRECTION_RTL) width - x - child.measuredWidth else x
                child.layout(start, y, start + child.measuredWidth, y + child.measuredHeight)
                x += child.measuredWidth + gap
            }
            y += line.height() + gap
        }
    }

    private fun shown() = views().filter { it.visibility != View.GONE }

    private fun lines(width: Int): List<List<View>> {
        val lines = mutableListOf<MutableList<View>>()
        var left = 0
        for (child in shown()) {
            if (lines.isEmpty() || child.measuredWidth > left) {
                lines += mutableListOf<View>()
                left = width
            }
            lines.last() += child
            left -= child.measuredWidth + gap
        }
        return lines
    }

    private fun List<View>.height() = maxOf { it.measuredHeight }
}
