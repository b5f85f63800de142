package dev.compass.sample.app.kit

import android.content.Context
import android.content.res.ColorStateList
import android.graphics.Typeface
import android.graphics.drawable.Drawable
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.RippleDrawable
import android.graphics.drawable.StateListDrawable
import android.util.TypedValue
import android.view.Gravity
import android.view.View
import android.view.ViewGroup
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.Button
import android.widget.ImageButton
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.TextView
import dev.compass.sample.app.R
import dev.compass.sample.app.device.LaterApis

/**
 * What every screen is made of, for gloved hands in bad light: text of 18 sp and more, targets of 56 dp, the primary one of 64. Text wraps
 * and nothing has a fixed height, so that a screen works at 200 % text.
 */
class Kit(val context: Context) {
    val palette = Palette(context)

    /** Icons grow with the words beside them, though not as far. */
    private val iconSize = Math.round(dp(ICON) * context.resources.configuration.fontScale.coerceIn(1f, ICON_GROWTH))

    fun dp(number: Int): Int = Math.round(number * context.resources.displayMetrics.density)

    /** The large line of a screen. */
    fun title(words: CharSequence? = null): TextView = text(TITLE, words, bold = true).apply { LaterApis.heading(this) }

    /** The heading of a part of a screen; screen readers jump from one to the next. */
    fun heading(words: CharSequence? = null): TextView = text(HEADING, words, bold = true).apply { LaterApis.heading(this) }

    fun strong(words: CharSequence? = null): TextView = text(BODY, words, bold = true)

    fun body(words: CharSequence? = null): TextView = text(BODY, words)

    /** What may be overlooked. */
    fun quiet(words: CharSequence? = null): TextView = text(BODY, words, color = palette.quietInk)

    fun text(size: Float, words: CharSequence?, bold: Boolean = false, color: Int = palette.ink): TextView = TextView(context).apply {
        setTextSize(TypedValue.COMPLEX_UNIT_SP, size)
        setTextColor(color)
        if (bold) typeface = Typeface.DEFAULT_BOLD
        textAlignment = View.TEXT_ALIGNMENT_VIEW_START
        text = words
    }

    /** The one thing to do next, at the foot of a page. */
    fun primary(words: CharSequence? = null, act: () -> Unit): PrimaryButton =
        dressed(PrimaryButton(context), words, PRIMARY_TARGET, fill = palette.accent, ink = palette.onAccent, act = act).apply {
            setTextSize(TypedValue.COMPLEX_UNIT_SP, HEADING)
        }

    fun secondary(words: CharSequence? = null, icon: Int? = null, act: () -> Unit): Button =
        dressed(Button(context), words, TARGET, fill = palette.card, ink = palette.accent, line = palette.accent, icon = icon, act = act)

    /** For what cannot be undone. */
    fun danger(words: CharSequence? = null, act: () -> Unit): Button {
        val bad = palette.of(Tone.BAD)
        return dressed(Button(context), words, TARGET, fill = palette.card, ink = bad.ink, line = bad.ink, act = act)
    }

    private fun <B : Button> dressed(
        button: B,
        words: CharSequence?,
        height: Int,
        fill: Int,
        ink: Int,
        line: Int = fill,
        icon: Int? = null,
        act: () -> Unit,
    ): B = button.apply {
        text = words
        stateListAnimator = null
        isAllCaps = false
        gravity = Gravity.CENTER
        typeface = Typeface.DEFAULT_BOLD
        setTextSize(TypedValue.COMPLEX_UNIT_SP, BODY)
        setTextColor(inks(ink))
        minHeight = dp(height)
        minimumHeight = dp(height)
        minimumWidth = dp(TARGET)
        setPadding(dp(20), dp(10), dp(20), dp(10))
        background = pressable(grounds(fill, line))
        if (icon != null) {
            begins(icon, ink)
            compoundDrawableTintList = inks(ink)
            gravity = Gravity.CENTER_VERTICAL or Gravity.START
        }
        setOnClickListener { act() }
    }

    internal fun inks(ink: Int) = ColorStateList(arrayOf(ENABLED, intArrayOf()), intArrayOf(ink, palette.quietInk))

    /** What takes no tap now is hollow and has a broken line: seen without colours, too. */
    internal fun grounds(fill: Int, line: Int, radius: Int = RADIUS): Drawable = StateListDrawable().apply {
        addState(ENABLED, shape(fill, line, radius))
        addState(intArrayOf(), shape(palette.page, radius = radius).apply { setStroke(outline(), palette.line, dp(6).toFloat(), dp(4).toFloat()) })
    }

    /** A button without words; [label] is what a screen reader says. */
    fun iconButton(icon: Int, label: CharSequence, act: () -> Unit): ImageButton = ImageButton(context).apply {
        stateListAnimator = null
        setImageResource(icon)
        imageTintList = palette.ink.asStates()
        contentDescription = label
        minimumWidth = dp(TARGET)
        minimumHeight = dp(TARGET)
        val around = (dp(TARGET) - iconSize) / 2
        setPadding(around, around, around, around)
        scaleType = ImageView.ScaleType.FIT_CENTER
        background = pressable(shape(android.graphics.Color.TRANSPARENT))
        setOnClickListener { act() }
    }

    /** An icon beside the words that say the same. */
    fun icon(resource: Int, color: Int = palette.ink): ImageView = ImageView(context).apply {
        setImageResource(resource)
        imageTintList = color.asStates()
        minimumWidth = iconSize
        minimumHeight = iconSize
        importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
    }

    /** Puts an icon before the words. */
    fun TextView.begins(icon: Int, color: Int) {
        val drawn = checkNotNull(context.getDrawable(icon))
        drawn.setBounds(0, 0, iconSize, iconSize)
        setCompoundDrawablesRelative(drawn, null, null, null)
        compoundDrawableTintList = color.asStates()
        compoundDrawablePadding = dp(12)
    }

    /** An input with its question. */
    fun asked(words: CharSequence, input: View): LinearLayout = column(6).apply {
        below(strong(words))
        below(input)
    }

    fun column(gap: Int = 12): LinearLayout = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        spaced(gap)
    }

    fun row(gap: Int = 12): LinearLayout = LinearLayout(context).apply {
        orientation = LinearLayout.HORIZONTAL
        gravity = Gravity.CENTER_VERTICAL
        spaced(gap)
    }

    /** A column that lies on the page like a sheet of paper. */
    fun card(gap: Int = 8): LinearLayout = column(gap).apply {
        setPadding(dp(16), dp(16), dp(16), dp(16))
        background = shape(palette.card, cardLine())
    }

    /** A card that is a button as a whole; its first line is [name], with the sign that it leads on. */
    fun pressableCard(name: TextView, act: () -> Unit): LinearLayout = card(6).apply {
        val head = below(row(8))
        head.beside(name, weight = 1f)
        head.beside(icon(R.drawable.ic_forward, palette.accent))
        background = pressable(shape(palette.card, cardLine()))
        minimumHeight = dp(TARGET)
        isClickable = true
        isFocusable = true
        setOnClickListener { act() }
    }

    /** A line with an icon and words, in its tone. */
    fun badge(): Badge = Badge(this)

    fun shape(fill: Int, line: Int = fill, radius: Int = RADIUS): GradientDrawable = GradientDrawable().apply {
        setColor(fill)
        cornerRadius = dp(radius).toFloat()
        if (line != fill) setStroke(outline(), line)
    }

    fun pressable(under: Drawable): RippleDrawable =
        RippleDrawable(((palette.ink and 0xFFFFFF) or PRESSED).asStates(), under, shape(android.graphics.Color.WHITE))

    private fun LinearLayout.spaced(gap: Int) {
        showDividers = LinearLayout.SHOW_DIVIDER_MIDDLE
        dividerDrawable = GradientDrawable().apply { setSize(dp(gap), dp(gap)) }
    }

    private fun outline(): Int {
        val value = TypedValue()
        context.theme.resolveAttribute(R.attr.outlineWidth, value, true)
        return maxOf(dp(1), Math.round(value.getDimension(context.resources.displayMetrics)))
    }

    /** On paper of the page's own colour only a line shows where a card ends. */
    private fun cardLine() = if (palette.card == palette.page) palette.line else palette.card

    companion object {
        const val TITLE = 24f
        const val HEADING = 20f
        const val BODY = 18f
        const val TARGET = 56
        const val PRIMARY_TARGET = 64
        private val ENABLED = intArrayOf(android.R.attr.state_enabled)
        private const val ICON = 24
        private const val ICON_GROWTH = 1.5f
        private const val RADIUS = 14
        private const val PRESSED = 0x33000000
    }
}

/** What is to be done next: one to a page, or one for each answer. */
class PrimaryButton(context: Context) : Button(context)

/** Adds it below, as wide as the column. */
fun <V : View> LinearLayout.below(view: V, weight: Float = 0f): V {
    addView(view, LinearLayout.LayoutParams(MATCH_PARENT, if (weight > 0) 0 else WRAP_CONTENT, weight))
    return view
}

/** Adds it at the end of the row; with a weight it takes what is left. */
fun <V : View> LinearLayout.beside(view: V, weight: Float = 0f): V {
    addView(view, LinearLayout.LayoutParams(if (weight > 0) 0 else WRAP_CONTENT, WRAP_CONTENT, weight))
    return view
}

/** Sets the words of a button or a heading that is shown or hidden by something else. */
fun TextView.read(words: CharSequence) {
    if (text?.toString() != words.toString()) text = words
}

/** Sets the words, and hides the view when there are none. The same words again tell a screen reader nothing. */
fun TextView.say(words: CharSequence?) {
    if (text?.toString() != words?.toString().orEmpty()) text = words
    visible(!words.isNullOrEmpty())
}

fun View.visible(isSo: Boolean) {
    val wanted = if (isSo) View.VISIBLE else View.GONE
    if (visibility != wanted) visibility = wanted
}

fun ViewGroup.views(): List<View> = (0 until childCount).map(::getChildAt)
