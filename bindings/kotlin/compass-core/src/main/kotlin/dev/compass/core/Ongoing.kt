package dev.compass.core

import dev.compass.core.model.Connectivity
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/**
 * What goes on when the database of a handle is closed and another one takes its place: the network that the app has reported, the holds that
 * are not released, and delivery. A core forgets all of it when it is closed.
 */
internal class Ongoing {
    private val holds = LinkedHashSet<LastingHold>()
    private var connectivity: Connectivity? = null
    private var delivering = false

    /** The app has reported the network. */
    @Synchronized
    fun reported(connectivity: Connectivity) {
        this.connectivity = connectivity
    }

    /** Delivery is begun by [start], and goes on until [stopped], [ended], or the last hold is released. */
    suspend fun started(start: suspend () -> Unit) {
        val before = synchronized(this) { delivering.also { delivering = true } }
        try {
            start()
        } catch (failed: Throwable) {
            synchronized(this) { delivering = before }
            throw failed
        }
    }

    /** The app has stopped delivery. */
    @Synchronized
    fun stopped() {
        delivering = false
    }

    /** The handle is quiesced or closed: only the network is still known. */
    @Synchronized
    fun ended() {
        delivering = false
        holds.clear()
    }

    /** A hold over all databases of the handle; [resume] takes the one of the database that is open now, and may open it. */
    suspend fun held(resume: suspend () -> Hold): Hold {
        val lasting = LastingHold(this)
        synchronized(this) { holds += lasting }
        try {
            lasting.begin(resume())
        } catch (failed: Throwable) {
            withContext(NonCancellable) { lasting.release() }
            throw failed
        }
        return lasting
    }

    /** The hold is released. Without any, the core quiesces. */
    @Synchronized
    fun released(hold: LastingHold) {
        if (holds.remove(hold) && holds.isEmpty()) delivering = false
    }

    /** Another database is open: it knows the network before anything is attempted. */
    suspend fun goOn(connect: suspend (Connectivity) -> Unit, resume: suspend () -> Hold, start: suspend () -> Unit) {
        val (network, held, delivers) = synchronized(this) { Triple(connectivity, holds.toList(), delivering) }
        if (network != null) connect(network)
        for (hold in held) hold.goOn(resume())
        if (delivers) start()
    }
}

/** A hold of the database that is open now. */
internal class LastingHold(private val ongoing: Ongoing) : Hold {
    private var now: Hold? = null
    private var released = false

    /** The first one. If another database was opened meanwhile, it is held already. */
    suspend fun begin(hold: Hold) {
        val unused = synchronized(this) { if (now == null && !released) null.also { now = hold } else hold }
        unused?.release()
    }

    /** The hold of the next database. The one before ended with its database. */
    suspend fun goOn(hold: Hold) {
        val unused = synchronized(this) { if (!released) null.also { now = hold } else hold }
        unused?.release()
    }

    override suspend fun release() {
        end()?.release()
    }

    override fun close() {
        end()?.close()
    }

    private fun end(): Hold? {
        ongoing.released(this)
        return synchronized(this) { now.also { released = true } }
    }
}
