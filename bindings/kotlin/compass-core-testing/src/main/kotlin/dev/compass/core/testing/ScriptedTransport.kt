package dev.compass.core.testing

import dev.compass.core.Transport
import dev.compass.core.TransportOutcome
import dev.compass.core.TransportRequest
import dev.compass.core.TransportResponse
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger

/**
 * A transport that answers with its script and keeps every request.
 *
 * ```kotlin
 * val transport = ScriptedTransport { number, _ -> TransportOutcome.Answered(TransportResponse(if (number == 1) 503 else 202)) }
 * ```
 *
 * @param script gives the answer to the request with this number, from 1. It may block; `cancel` does not end it. 202 by default.
 */
public class ScriptedTransport(
    private val script: (number: Int, request: TransportRequest) -> TransportOutcome =
        { _, _ -> TransportOutcome.Answered(TransportResponse(ACCEPTED)) },
) : Transport {
    private val taken = CopyOnWriteArrayList<TransportRequest>()
    private val given = CopyOnWriteArrayList<Long>()
    private val renewals = AtomicInteger()

    /** The requests so far. */
    public val requests: List<TransportRequest> get() = taken

    /** The ids that were cancelled. */
    public val cancelled: List<Long> get() = given

    /** How often `renew` was called. */
    public val renewed: Int get() = renewals.get()

    override fun send(request: TransportRequest): TransportOutcome {
        val number = synchronized(taken) {
            taken += request
            taken.size
        }
        return script(number, request)
    }

    override fun cancel(id: Long) {
        given += id
    }

    override fun renew() {
        renewals.incrementAndGet()
    }

    private companion object {
        const val ACCEPTED = 202
    }
}
