package dev.compass.core

import dev.compass.core.model.TransportFailure
import kotlin.time.Duration

/**
 * Sends requests for the core. [HttpTransport] is one; write your own to send in another way, or to test the effect of an answer.
 *
 * It follows no redirect, retries nothing and treats every status as an answer.
 *
 * ```kotlin
 * class Recorded : Transport {
 *     val requests = ConcurrentLinkedQueue<TransportRequest>()
 *     override fun send(request: TransportRequest): TransportOutcome {
 *         requests += request
 *         return TransportOutcome.Answered(TransportResponse(202))
 *     }
 * }
 * ```
 */
public interface Transport {
    /**
     * Sends one request and blocks until the head of the answer, a failure, the timeout, or [cancel]. Called on threads of the core's,
     * several at once. If it throws, that counts as a failure after which the message may have been delivered.
     */
    public fun send(request: TransportRequest): TransportOutcome

    /** Asks to cancel the request with this id. It may still finish; an unknown id is ignored. Must not block. */
    public fun cancel(id: Long) {}

    /**
     * The process was suspended, or the network is another one: idle connections and cached addresses from before must not be used again.
     * Running requests go on. Must not block.
     */
    public fun renew() {}
}

/**
 * A header. [toString] leaves the value out: it may be a secret.
 *
 * ```kotlin
 * TransportHeader("retry-after", "120")
 * ```
 *
 * @property name in lower case in requests of the core; in answers in any case.
 * @property value the value.
 */
public class TransportHeader(public val name: String, public val value: String) {
    override fun toString(): String = "TransportHeader($name)"
}

/**
 * A POST to send. [toString] shows neither its address nor its contents.
 *
 * ```kotlin
 * override fun send(request: TransportRequest): TransportOutcome = post(request.url, request.headers, request.body)
 * ```
 *
 * @property id names this attempt in [Transport.cancel].
 * @property url the address.
 * @property headers all headers except those the transport sets itself: `host`, `content-length`, `user-agent`.
 * @property body the exact bytes to send.
 * @property timeout for the whole attempt.
 */
public class TransportRequest(
    public val id: Long,
    public val url: String,
    public val headers: List<TransportHeader>,
    public val body: ByteArray,
    public val timeout: Duration,
) {
    /** The value of the first header of this lower-case name. */
    public fun header(name: String): String? = headers.firstOrNull { it.name == name }?.value

    override fun toString(): String = "TransportRequest($id)"
}

/**
 * An answer whose status line was read.
 *
 * ```kotlin
 * TransportResponse(503, listOf(TransportHeader("retry-after", "120")))
 * ```
 *
 * @property status the status code.
 * @property headers the headers of the answer.
 * @property body at most the first 4 KiB of the answer's body, if the transport has it; the core decides without it.
 */
public class TransportResponse(
    public val status: Int,
    public val headers: List<TransportHeader> = emptyList(),
    public val body: ByteArray = ByteArray(0),
) {
    override fun toString(): String = "TransportResponse($status)"
}

/**
 * The outcome of a request.
 *
 * ```kotlin
 * TransportOutcome.Failed(TransportFailure(FailureKind.NoNetwork, Phase.CONNECT, RequestSent.NO, "airplane mode"))
 * ```
 */
public sealed interface TransportOutcome {
    /**
     * A status line was read, with any status.
     *
     * @property response the answer.
     */
    public class Answered(public val response: TransportResponse) : TransportOutcome

    /**
     * No status line was read.
     *
     * @property failure why, how far it came, and whether the request may have arrived. When in doubt, say that it may.
     */
    public class Failed(public val failure: TransportFailure) : TransportOutcome
}
