package dev.compass.core

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * Carries out calls one after the other, in the order in which they were made: each takes its place on the thread of its caller, before it
 * suspends.
 */
internal class OrderedCalls {
    // A mutex is fair: first come, first served.
    private val turn = Mutex()

    // A waiting call belongs to no caller's scope and needs no caller's thread: a caller who is cancelled or blocks delays no other call.
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Unconfined)

    /** Carries [work] out in its turn, even if the caller is cancelled: that drops only the result. */
    suspend fun <T> inTurn(work: suspend () -> T): T = inOwnScope { turn.withLock { work() } }

    /** Begins [work] in its turn; later calls go on meanwhile. */
    suspend fun <T> afterTurn(work: suspend () -> T): T = inOwnScope {
        turn.withLock { }
        work()
    }

    /** [inTurn] on the thread of the caller, which must not be a thread that earlier work needs. */
    suspend fun <T> inTurnHere(work: suspend () -> T): T = turn.withLock { work() }

    private suspend fun <T> inOwnScope(work: suspend () -> T): T = scope.async(start = CoroutineStart.UNDISPATCHED) { work() }.await()
}
