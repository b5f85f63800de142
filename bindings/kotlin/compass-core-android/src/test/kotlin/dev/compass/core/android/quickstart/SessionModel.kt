package dev.compass.core.android.quickstart

import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.answer
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FieldView
import dev.compass.core.model.Problem
import dev.compass.core.model.SessionKey
import dev.compass.core.model.SessionView
import dev.compass.core.setField
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.launch

// The following code is in docs/embedding-android.md, line for line.
class SessionModel(private val compass: Compass, private val key: SessionKey) : ViewModel() {
    val problems = MutableStateFlow<List<Problem>>(emptyList())
    /** The code of what went wrong; `deleted_session` where the session is gone. */
    val refused = MutableStateFlow<String?>(null)
    val session: StateFlow<SessionView?> by lazy {
        compass.observeSession(key).catch { refuse(it) }.stateIn(viewModelScope, SharingStarted.WhileSubscribed(5_000), null)
    }

    fun answer(view: SessionView, answer: String) = act { compass.answer(view, answer) }
    fun left(field: String, value: FieldValue) = act { compass.setField(key, field, value) }
    fun typing(field: String, text: String) = act { compass.saveDraft(key, field, text) }
    fun text(field: FieldView, actor: String?) = FieldText(field, key, compass, actor, ::act)

    // What nobody catches in a viewModelScope ends the app; so everything goes through here.
    private fun act(call: suspend () -> Unit) = viewModelScope.launch {
        try {
            call()
            problems.value = emptyList()
        } catch (failed: CompassException) {
            refuse(failed)
        }
    }

    private fun refuse(failed: Throwable) {
        if (failed !is CompassException) throw failed
        problems.value = failed.problems
        if (failed.problems.isEmpty()) refused.value = failed.code
    }
}
