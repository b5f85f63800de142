package dev.compass.sample.app.kit

import android.annotation.SuppressLint
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Path
import android.view.MotionEvent
import android.view.View

/** Takes a signature by finger. Who cannot draw types a name instead: [write] draws that. Nothing scrolls away under the finger. */
class SignaturePad(private val kit: Kit) : View(kit.context) {
    private val stroke = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeCap = Paint.Cap.ROUND
        strokeJoin = Paint.Join.ROUND
        strokeWidth = kit.dp(3).toFloat()
        color = kit.palette.ink
    }
    private val letters = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = kit.palette.ink
        textSize = kit.dp(40).toFloat()
        typeface = android.graphics.Typeface.create("cursive", android.graphics.Typeface.ITALIC)
    }
    private val path = Path()
    private var written = ""

    /** Whether there is anything on it. */
    val isEmpty: Boolean get() = path.isEmpty && written.isEmpty()

    /** Called whenever that has changed. */
    var onChange: () -> Unit = {}

    init {
        minimumHeight = kit.dp(HEIGHT)
        background = kit.shape(kit.palette.card, kit.palette.line)
    }

    fun clear() {
        path.reset()
        written = ""
        changed()
    }

    /** A typed name in place of a drawn one. */
    fun write(name: String) {
        path.reset()
        written = name.trim()
        changed()
    }

    /** Black on white, in every theme. */
    fun picture(): Bitmap {
        val picture = Bitmap.createBitmap(maxOf(width, 1), maxOf(height, 1), Bitmap.Config.ARGB_8888)
        val canvas = Canvas(picture)
        canvas.drawColor(Color.WHITE)
        draw(canvas, Color.BLACK)
        return picture
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) =
        setMeasuredDimension(MeasureSpec.getSize(widthMeasureSpec), kit.dp(HEIGHT))

    override fun onDraw(canvas: Canvas) {
        val line = height * BASELINE
        stroke.color = kit.palette.line
        canvas.drawLine(kit.dp(20).toFloat(), line, width - kit.dp(20).toFloat(), line, stroke)
        draw(canvas, kit.palette.ink)
    }

    private fun draw(canvas: Canvas, ink: Int) {
        stroke.color = ink
        letters.color = ink
        canvas.drawPath(path, stroke)
        canvas.drawText(written, kit.dp(24).toFloat(), height * BASELINE - kit.dp(6), letters)
    }

    // What a tap does here, the button beside the pad does as well.
    @SuppressLint("ClickableViewAccessibility")
    override fun onTouchEvent(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> {
                parent.requestDisallowInterceptTouchEvent(true)
                written = ""
                path.moveTo(event.x, event.y)
                path.lineTo(event.x + 1, event.y)
            }
            MotionEvent.ACTION_MOVE -> {
                for (step in 0 until event.historySize) path.lineTo(event.getHistoricalX(step), event.getHistoricalY(step))
                path.lineTo(event.x, event.y)
            }
            else -> return false
        }
        changed()
        return true
    }

    private fun changed() {
        invalidate()
        onChange()
    }

    private companion object {
        const val HEIGHT = 180
        const val BASELINE = 0.75f
    }
}
