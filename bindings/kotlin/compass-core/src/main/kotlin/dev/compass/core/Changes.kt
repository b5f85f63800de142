package dev.compass.core

import dev.compass.core.internal.ChangeListener
import dev.compass.core.model.Attention
import dev.compass.core.model.Notice
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn

/** The one subscription of a handle, for all its flows. */
internal class Changes : ChangeListener {
    private class Watcher(val concerns: (Notice) -> Boolean) {
        /** Something changed since the last query. One signal is enough. */
        val signal = Channel<Unit>(Channel.CONFLATED)
    }

    private val watchers: MutableSet<Watcher> = ConcurrentHashMap.newKeySet()

    @Volatile
    private var closed = false

    private val listeners: MutableSet<Channel<Attention>> = ConcurrentHashMap.newKeySet()

    /** How many flows are being collected. */
    val size: Int get() = watchers.size + listeners.size

    // Runs on the thread of a command: no query here.
    override fun onChange(notice: Notice) {
        for (watcher in watchers) {
            if (notice.everything || watcher.concerns(notice)) watcher.signal.trySend(Unit)
        }
        for (listener in listeners) notice.attention.forEach(listener::trySend)
    }

    /** Another database is there: every flow queries it. */
    fun everythingChanged() {
        for (watcher in watchers) watcher.signal.trySend(Unit)
    }

    /** The flows complete. */
    fun close() {
        closed = true
        for (watcher in watchers) watcher.signal.close()
        for (listener in listeners) listener.close()
    }

    /** Emits from the moment when it is collected. */
    fun attention(): Flow<Attention> = flow {
        val listener = Channel<Attention>(1000, BufferOverflow.DROP_OLDEST)
        listeners += listener
        try {
            // After the listener was added, so that none is left open.
            if (closed) return@flow
            for (attention in listener) emit(attention)
        } finally {
            listeners -= listener
        }
    }

    fun <T> flow(on: CoroutineDispatcher, concerns: (Notice) -> Boolean, query: suspend () -> T): Flow<T> = flow {
        val watcher = Watcher(concerns)
        watchers += watcher
        try {
            // After the watcher was added, so that nothing is missed.
            emit(query())
            if (closed) return@flow
            for (change in watcher.signal) {
                val value = try {
                    query()
                } catch (failed: CompassException) {
                    if (failed.code == ErrorCode.CLOSED) return@flow
                    throw failed
                }
                emit(value)
            }
        } finally {
            watchers -= watcher
        }
    }.flowOn(on).conflate().distinctUntilChanged()
}
