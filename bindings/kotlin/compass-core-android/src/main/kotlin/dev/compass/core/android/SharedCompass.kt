package dev.compass.core.android

import dev.compass.core.Compass
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * Opens a handle when it is first asked for, and keeps it for the life of the process, or until [whileClosed]. There is one handle per
 * database and process; a second `open` of the same file is refused with `already_open`.
 *
 * A failed opening is thrown to the caller, and tried again for the next one. Safe from any thread, also from one that blocks until it has
 * the handle: nothing is done on the threads of the callers.
 *
 * ```kotlin
 * private val shared = SharedCompass { CompassAndroid.open(this) }
 * override suspend fun compass(): Compass = shared.get()
 * ```
 *
 * @param open opens the handle, on [Dispatchers.Default]; called again only after it has failed, or after [whileClosed].
 */
public class SharedCompass(private val open: suspend () -> Compass) {
    private val mutex = Mutex()

    @Volatile
    private var opened: Compass? = null

    /** The handle, opened by the first call; the others wait for it. */
    public suspend fun get(): Compass = opened ?: alone {
        // Whoever asked may be cancelled; a handle that was opened must not get lost with them.
        opened ?: withContext(NonCancellable) { open() }.also { opened = it }
    }

    /**
     * Closes the handle, does [work] on [Dispatchers.Default] while none is open, and lets the next caller of [get] open another: for
     * `Compass.restore` and `Compass.erase`. Callers of [get] wait meanwhile. Once it has begun it runs to its end, also when the caller is cancelled. Calls of the
     * handle before fail with `closed` from then on and its flows complete: ask [get] again. [AutomaticDelivery] does so by itself.
     *
     * ```kotlin
     * shared.whileClosed { Compass.restore(copy.path, RestoreOptions(CompassAndroid.databaseFile(this).path)) }
     * ```
     *
     * @throws Exception what [work] throws.
     */
    public suspend fun <T> whileClosed(work: suspend () -> T): T = alone {
        withContext(NonCancellable) {
            // Before it is closed: who asks because its flows have completed waits for the next one.
            val before = opened
            opened = null
            before?.shutDown()
            work()
        }
    }

    // Never on the caller's thread: a main thread that blocks until it has the handle would wait for ever, if a coroutine on that same
    // thread opens the handle or is the next to do so.
    private suspend fun <T> alone(work: suspend () -> T): T = withContext(Dispatchers.Default) { mutex.withLock { work() } }
}
