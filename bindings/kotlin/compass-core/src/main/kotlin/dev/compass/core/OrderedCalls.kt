package dev.compass.core

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** Calls one after the other, in the order in which they were made: each takes its place on the thread of its caller, before it suspends. */
internal class OrderedCalls {
    // Serves in the order of asking.
    private val turn = Mutex()

    // What waits belongs to no caller, and needs none of their threads: a caller who goes, or blocks, holds nothing up.
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Unconfined)

    /** Carries [work] out in its turn, no matter what becomes of the caller; cancelling the caller drops its result only. */
    suspend fun <T> inTurn(work: suspend () -> T): T = ofNobody { turn.withLock { work() } }

    /** Begins [work] in its turn, and lets what comes after go on meanwhile. */
    suspend fun <T> afterTurn(work: suspend () -> T): T = ofNobody {
        turn.withLock { }
        work()
    }

    /** The same on the thread of the caller, which must not be one that earlier work needs. */
    suspend fun <T> inTurnHere(work: suspend () -> T): T = turn.withLock { work() }

    private suspend fun <T> ofNobody(work: suspend () -> T): T = scope.async(start = CoroutineStart.UNDISPATCHED) { work() }.await()
}
