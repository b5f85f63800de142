package dev.compass.sample.app

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Rect
import android.util.TypedValue
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.ImageView
import android.widget.ScrollView
import android.widget.TextView
import dev.compass.sample.app.kit.Page
import dev.compass.sample.app.kit.PrimaryButton

/**
 * Looks at everything that a screen shows, also at what is scrolled away: whether a thumb in a glove meets it, whether it can be read in the
 * sun, whether a screen reader has a name for it, whether all of its words are there, and whether what to do next is where the thumb is.
 *
 * @param contrast how far text must stand from what is behind it: 4.5, or 7 for the high-contrast theme.
 */
class ViewAudit(private val root: View, private val contrast: Double) {
    private val faults = mutableListOf<String>()
    private val density = root.resources.displayMetrics.density

    /** What is wrong; nothing, one hopes. */
    fun faults(): List<String> {
        look(Sheet(root, root), root)
        val pages = every(root).filter { it is Page && it.isShown }.map { it as Page }.toList()
        pages.forEach(::page)
        shown(root).filter { it is PrimaryButton && pages.none { page -> page.foot in above(it) } }.forEach { fault(it, "is a primary action outside the foot") }
        return faults
    }

    /** Pixels of a part of the screen as a whole: of the window, or of what a scroller holds. */
    private inner class Sheet(val origin: View, painted: View) {
        val picture: Bitmap = Bitmap.createBitmap(maxOf(painted.width, 1), maxOf(painted.height, 1), Bitmap.Config.ARGB_8888).also {
            it.eraseColor(Color.TRANSPARENT)
            val canvas = Canvas(it)
            behind(painted)?.let(canvas::drawColor)
            painted.draw(canvas)
        }
    }

    /** The colour of the nearest plain background above. */
    private fun behind(view: View): Int? = generateSequence(view.parent as? View) { it.parent as? View }
        .firstNotNullOfOrNull { (it.background as? android.graphics.drawable.ColorDrawable)?.color }

    private fun look(sheet: Sheet, view: View) {
        if (view.visibility != View.VISIBLE) return
        if (view.width == 0 || view.height == 0) {
            if (view is TextView && view.text.isNotEmpty() || view.isClickable) fault(view, "has no room at all")
            return
        }
        if (view.isClickable && view.isEnabled) target(view)
        if (view is TextView) words(sheet, view)
        if (view is ImageView && view.isImportantForAccessibility && view.contentDescription.isNullOrEmpty()) fault(view, "has no label")
        if (view is ScrollView) {
            view.getChildAt(0)?.let { look(Sheet(it, it), it) }
        } else if (view is ViewGroup) {
            for (place in 0 until view.childCount) {
                val child = view.getChildAt(place)
                if (child.visibility == View.VISIBLE && (child.left < 0 || child.right > view.width || child.bottom > view.height)) {
                    fault(child, "is cut off by what it is in")
                }
                look(sheet, child)
            }
        }
    }

    private fun target(view: View) {
        val least = (TARGET * density).toInt()
        if (view.width < least || view.height < least) {
            fault(view, "is a target of ${(view.width / density).toInt()} by ${(view.height / density).toInt()} dp")
        }
        if (view is EditText) {
            if (view.createAccessibilityNodeInfo().hintText.isNullOrEmpty() && !isLabelled(view)) fault(view, "is an input without a label")
            if (!view.contentDescription.isNullOrEmpty()) fault(view, "is an input that is read out without its text")
        } else if (spoken(view).isBlank()) {
            fault(view, "is a target without a label")
        }
    }

    /** The frame of a screen, for the eye and for a screen reader. */
    private fun page(page: Page) {
        if (page.accessibilityPaneTitle.isNullOrBlank()) fault(page, "has no title of its pane")
        if (shown(page).none { it is TextView && it.isAccessibilityHeading }) fault(page, "has no heading")
        strip(page)
        val primaries = shown(page).filterIsInstance<PrimaryButton>().toList()
        primaries.forEach { primary(page, it) }
        // Answers are a group of their own; beside them nothing else is primary.
        if (primaries.size > 1 && primaries.any { it.parent === page.foot || it.parent !== primaries.first().parent }) fault(page, "has more than one primary action")
        shown(page).filter { it.isClickable && it !is EditText }.groupBy(::spoken).filter { it.value.size > 1 }
            .forEach { (said, alike) -> fault(alike.first(), "is one of ${alike.size} targets called \"$said\"") }
    }

    private fun strip(page: Page) {
        val parts = shown(page.strip).toList()
        when {
            parts.none { it is ImageView && it.drawable != null } || parts.none { it is TextView && it.text.isNotBlank() } ->
                fault(page, "has no status strip with an icon and words")
            parts.none { it.accessibilityLiveRegion == View.ACCESSIBILITY_LIVE_REGION_POLITE } -> fault(page, "has a status strip that is not read out")
        }
    }

    private fun primary(page: Page, view: PrimaryButton) {
        val least = (PRIMARY_TARGET * density).toInt()
        if (view.height < least) fault(view, "is a primary action of ${(view.height / density).toInt()} dp")
        if (page.foot.parent !== page || page.foot !in above(view)) return
        val place = Rect(0, 0, view.width, view.height)
        page.offsetDescendantRectToMyCoords(view, place)
        if (place.top < page.height * 2 / 3) fault(view, "is a primary action above the bottom third")
    }

    private fun above(view: View): Sequence<View> = generateSequence(view) { it.parent as? View }

    private fun shown(view: View): Sequence<View> = sequence {
        if (view.visibility != View.VISIBLE) return@sequence
        yield(view)
        if (view is ViewGroup) for (place in 0 until view.childCount) yieldAll(shown(view.getChildAt(place)))
    }

    private fun isLabelled(view: View) = view.id != View.NO_ID && every(root).any { it.labelFor == view.id }

    private fun every(view: View): Sequence<View> = sequence {
        yield(view)
        if (view is ViewGroup) for (place in 0 until view.childCount) yieldAll(every(view.getChildAt(place)))
    }

    /** What a screen reader would say. */
    private fun spoken(view: View): String = view.contentDescription?.toString()
        ?: (view as? TextView)?.text?.toString()
        ?: every(view).filter { it !== view && it.visibility == View.VISIBLE }
            .joinToString(" ") { it.contentDescription?.toString() ?: (it as? TextView)?.text?.toString().orEmpty() }

    private fun words(sheet: Sheet, view: TextView) {
        val hint = view.text.isEmpty()
        val shown = if (hint) view.hint else view.text
        if (shown.isNullOrEmpty()) return
        val least = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, TEXT, view.resources.displayMetrics)
        if (view.textSize < least - ROUNDING) fault(view, "is text of ${view.textSize / density} dp at this text size")
        val layout = view.layout
        if (layout != null && view !is EditText) {
            val height = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
            if (layout.height > height + 1) fault(view, "shows only a part of its words")
            if ((0 until layout.lineCount).any { layout.getEllipsisCount(it) > 0 }) fault(view, "ends in dots")
        }
        val ink = if (hint) view.currentHintTextColor else view.currentTextColor
        val ground = commonest(sheet, view) ?: return
        val ratio = ratio(over(ink, ground), ground)
        if (ratio < contrast) fault(view, "has a contrast of %.1f".format(ratio))
    }

    private fun commonest(sheet: Sheet, view: View): Int? {
        val place = Rect(0, 0, view.width, view.height)
        if (view !== sheet.origin) (sheet.origin as ViewGroup).offsetDescendantRectToMyCoords(view, place)
        if (!place.intersect(0, 0, sheet.picture.width, sheet.picture.height)) return null
        val pixels = IntArray(place.width() * place.height())
        sheet.picture.getPixels(pixels, 0, place.width(), place.left, place.top, place.width(), place.height())
        val counts = HashMap<Int, Int>()
        for (pixel in pixels) counts.merge(pixel, 1, Int::plus)
        return counts.maxByOrNull { it.value }?.key
    }

    private fun over(ink: Int, ground: Int): Int {
        val alpha = Color.alpha(ink) / 255.0
        fun mix(a: Int, b: Int) = Math.round(a * alpha + b * (1 - alpha)).toInt()
        return Color.rgb(
            mix(Color.red(ink), Color.red(ground)),
            mix(Color.green(ink), Color.green(ground)),
            mix(Color.blue(ink), Color.blue(ground)),
        )
    }

    /** As WCAG has it. */
    private fun ratio(one: Int, other: Int): Double {
        val bright = listOf(one, other).map { Color.luminance(it) + 0.05 }.sorted()
        return bright[1] / bright[0]
    }

    private fun fault(view: View, what: String) {
        val name = listOfNotNull(view.javaClass.simpleName, (view as? TextView)?.text?.take(40)?.let { "\"$it\"" }, view.contentDescription)
        faults += "${name.joinToString(" ")} $what"
    }

    private companion object {
        const val TARGET = 56
        const val PRIMARY_TARGET = 64
        const val TEXT = 18f
        const val ROUNDING = 0.5f
    }
}
