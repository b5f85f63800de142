package dev.compass.core.android.quickstart

import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.model.Change
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FieldView
import dev.compass.core.model.SessionKey
import dev.compass.core.parse
import dev.compass.core.setField
import dev.compass.core.toChange
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow

// The following code is in docs/embedding-android.md, line for line.
/** What a person types into one field. [act] launches on the main thread, and shows what goes wrong: the one of the model. */
class FieldText(
    private val shown: FieldView,
    private val session: SessionKey,
    private val compass: Compass,
    private val actor: String?,
    private val act: (suspend () -> Unit) -> Job,
) {
    /** What is typed and no value yet; null where there is nothing of the kind. */
    var text: String? = shown.draft
        private set
    val problem = MutableStateFlow<String?>(null)
    private var choosing: Job? = null

    /** Each letter. A dead battery costs no more than the last one. */
    fun typed(text: String) {
        this.text = text
        problem.value = null
        act { compass.saveDraft(session, shown.definition.key, text) }
    }

    /** Scanned, measured or chosen instead: a value at once. What was typed before does not come after it. */
    fun chosen(value: FieldValue): Job {
        text = null
        problem.value = null
        return act { showing { compass.setField(session, shown.definition.key, value, actor) } }.also { choosing = it }
    }

    /** The field is left, or an answer is tapped: from text to a value, after the letters. */
    fun commit(): Job = act {
        if (text == null) choosing?.join() // it may still be refused
        val typed = text ?: return@act
        showing {
            val state = shown.definition.parse(typed)
            // A line that was emptied says nothing; "empty" is said on purpose, with a button of its own.
            val change = state.takeIf { it != FieldState.Empty }?.toChange() ?: Change.Clear
            compass.setField(session, shown.definition.key, change, actor)
            if (text == typed) text = null
        }
    }

    private suspend fun showing(call: suspend () -> Unit) = try {
        call()
    } catch (refused: CompassException) {
        if (refused.code != ErrorCode.FIELD_PROBLEMS) throw refused
        problem.value = refused.problems.first().code // a stable name; the words are the app's
    }
}
