package dev.compass.sample.app.kit

import android.view.View

/** A view that shows a value, and the next one after it. */
interface Bound<in T> {
    val view: View

    fun bind(item: T)
}

/** A [Bound] of a view and what it does with a value. */
fun <T> bound(view: View, bind: (T) -> Unit): Bound<T> = object : Bound<T> {
    override val view = view
    override fun bind(item: T) = bind(item)
}

/**
 * A column with one row for each item. A row lives as long as its key is there, so that a field keeps its cursor and a screen reader its
 * place when something else on the screen changes.
 */
class Rows<T : Any>(kit: Kit, gap: Int = 12, private val key: (T) -> Any, private val make: (T) -> Bound<T>) {
    val view = kit.column(gap)
    private val rows = LinkedHashMap<Any, Bound<T>>()

    fun bind(items: List<T>) {
        val keys = items.map(key)
        for (gone in rows.keys - keys.toSet()) view.removeView(rows.remove(gone)?.view)
        items.forEachIndexed { place, item ->
            val row = rows.getOrPut(keys[place]) { make(item) }
            if (view.getChildAt(place) !== row.view) {
                view.removeView(row.view)
                view.addView(row.view, place, wide())
            }
            row.bind(item)
        }
        view.visible(items.isNotEmpty())
    }

    private fun wide() = android.widget.LinearLayout.LayoutParams(
        android.view.ViewGroup.LayoutParams.MATCH_PARENT,
        android.view.ViewGroup.LayoutParams.WRAP_CONTENT,
    )
}
