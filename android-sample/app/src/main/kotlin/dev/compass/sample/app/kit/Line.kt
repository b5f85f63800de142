package dev.compass.sample.app.kit

import android.text.Editable
import android.text.InputFilter
import android.text.InputType
import android.text.TextWatcher
import android.text.method.DigitsKeyListener
import android.util.TypedValue
import android.view.Gravity
import android.view.KeyEvent
import android.view.accessibility.AccessibilityNodeInfo
import android.view.inputmethod.EditorInfo
import android.widget.EditText
import dev.compass.sample.field.Keyboard
import dev.compass.sample.field.NumberInput

/**
 * A line to type in. Every change is told at once; what comes back with the state of a moment ago does not overwrite what was typed since.
 *
 * @property label what a screen reader calls it, beside what is typed.
 * @param typed gets every change.
 * @param left the focus went on, or a keyboard or scanner ended the line.
 */
class Line(kit: Kit, val label: CharSequence, private val typed: (String) -> Unit, private val left: () -> Unit = {}) :
    EditText(kit.context) {
    private val told = ArrayDeque<String>()
    private var binding = false
    private var set: List<Any?>? = null

    init {
        // The state knows the text; what the view would keep of it by itself would come back to another field.
        isSaveEnabled = false
        setTextSize(TypedValue.COMPLEX_UNIT_SP, Kit.HEADING)
        setTextColor(kit.inks(kit.palette.ink))
        setHintTextColor(kit.palette.quietInk)
        highlightColor = kit.palette.tint
        gravity = Gravity.CENTER_VERTICAL or Gravity.START
        textAlignment = TEXT_ALIGNMENT_VIEW_START
        minHeight = kit.dp(Kit.TARGET)
        minimumHeight = kit.dp(Kit.TARGET)
        setPadding(kit.dp(14), kit.dp(10), kit.dp(14), kit.dp(10))
        background = kit.grounds(kit.palette.card, kit.palette.line, radius = 10)
        addTextChangedListener(object : TextWatcher {
            override fun afterTextChanged(text: Editable) {
                if (binding) return
                told.addLast(text.toString())
                typed(text.toString())
            }

            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit
            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
        })
        setOnFocusChangeListener { _, has -> if (!has) left() }
        setOnEditorActionListener { _, action, key ->
            val scanned = key?.keyCode == KeyEvent.KEYCODE_ENTER && key.action == KeyEvent.ACTION_DOWN
            if (action == EditorInfo.IME_ACTION_DONE || action == EditorInfo.IME_ACTION_NEXT || scanned) left()
            // The platform moves the focus on or closes the keyboard; a scanner's enter does nothing more.
            scanned
        }
    }

    fun keyboard(keyboard: Keyboard, multiline: Boolean = false, maxLength: Int? = null) {
        val setting = listOf(keyboard, multiline, maxLength)
        if (setting == set) return
        set = setting
        // Android sets the text again for each of these; nobody has typed.
        binding = true
        val wanted = type(keyboard) or if (multiline) InputType.TYPE_TEXT_FLAG_MULTI_LINE or InputType.TYPE_TEXT_FLAG_CAP_SENTENCES else 0
        inputType = wanted
        if (wanted and InputType.TYPE_MASK_CLASS == InputType.TYPE_CLASS_NUMBER) {
            // Android's own takes neither the comma nor the digits that people of other languages type.
            keyListener = DigitsKeyListener.getInstance(NumberInput(resources.configuration.locales[0]).characters)
            setRawInputType(wanted)
        }
        isSingleLine = !multiline
        gravity = (if (multiline) Gravity.TOP else Gravity.CENTER_VERTICAL) or Gravity.START
        minLines = if (multiline) MULTILINE else 1
        imeOptions = if (multiline) EditorInfo.IME_ACTION_UNSPECIFIED else EditorInfo.IME_ACTION_DONE
        filters = if (maxLength == null) emptyArray() else arrayOf(InputFilter.LengthFilter(maxLength))
        binding = false
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        // A content description would be read out in place of the text.
        info.hintText = label
    }

    /** For secrets: dots and no suggestions. */
    fun secret() {
        inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_PASSWORD
        importantForAutofill = IMPORTANT_FOR_AUTOFILL_NO
    }

    /** What the state holds. */
    fun bind(said: String) {
        if (said in told) {
            do { val first = told.removeFirst() } while (first != said)
            return
        }
        told.clear()
        if (text.toString() == said) return
        binding = true
        setText(said)
        setSelection(text.length)
        binding = false
    }

    private fun type(keyboard: Keyboard): Int = when (keyboard) {
        Keyboard.TEXT -> InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_CAP_SENTENCES
        Keyboard.NUMBER -> InputType.TYPE_CLASS_NUMBER
        Keyboard.SIGNED_NUMBER -> InputType.TYPE_CLASS_NUMBER or InputType.TYPE_NUMBER_FLAG_SIGNED
        Keyboard.DECIMAL -> InputType.TYPE_CLASS_NUMBER or InputType.TYPE_NUMBER_FLAG_DECIMAL
        Keyboard.SIGNED_DECIMAL -> InputType.TYPE_CLASS_NUMBER or InputType.TYPE_NUMBER_FLAG_DECIMAL or InputType.TYPE_NUMBER_FLAG_SIGNED
        Keyboard.EMAIL -> InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_EMAIL_ADDRESS
        Keyboard.PHONE -> InputType.TYPE_CLASS_PHONE
        Keyboard.URL -> InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_URI
        Keyboard.BARCODE -> InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS
    }

    private companion object {
        const val MULTILINE = 3
    }
}
