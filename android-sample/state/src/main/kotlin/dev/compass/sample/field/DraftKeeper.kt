package dev.compass.sample.field

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * Keeps half-typed text, so that a dead battery costs no more than a letter. Of what comes faster than flash takes it, the newest is kept.
 *
 * @param save keeps one text of a field, by its key.
 */
class DraftKeeper(scope: CoroutineScope, private val save: suspend (field: String, text: String) -> Unit) {
    private val waiting = LinkedHashMap<String, String>()
    private val wake = Channel<Unit>(Channel.CONFLATED)
    private val saving = Mutex()

    init {
        scope.launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                for (signal in wake) keep()
            } finally {
                // The screen is gone; what was typed on it is not.
                withContext(NonCancellable) { keep() }
            }
        }
    }

    /** Keeps this text, soon. */
    fun typed(field: String, text: String) {
        synchronized(waiting) { waiting[field] = text }
        wake.trySend(Unit)
    }

    /** Keeps what waits; returns when it is kept. */
    suspend fun keep() {
        while (true) {
            saving.withLock {
                val next = synchronized(waiting) { waiting.entries.firstOrNull()?.toPair()?.also { waiting.remove(it.first) } } ?: return
                save(next.first, next.second)
            }
        }
    }

    /** What waits for this field is not wanted any more; returns when nothing of it is on its way. */
    suspend fun forget(field: String) {
        saving.withLock { synchronized(waiting) { waiting.remove(field) } }
    }
}
