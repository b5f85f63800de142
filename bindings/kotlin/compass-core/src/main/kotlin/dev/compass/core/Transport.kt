package dev.compass.core

import dev.compass.core.model.TransportFailure

/**
 * Sends requests for the core. [HttpTransport] is one; write your own to send in another way, or to test the effect of an answer.
 *
 * It follows no redirect, retries nothing and treats every status as an answer.
 *
 * ```kotlin
 * class Recorded : Transport {
 *     val requests = ConcurrentLinkedQueue<HttpRequest>()
 *     override fun send(request: HttpRequest): HttpOutcome {
 *         requests += request
 *         return HttpOutcome.Answered(HttpResponse(202))
 *     }
 * }
 * ```
 */
public interface Transport {
    /**
     * Sends one request and blocks until the head of the answer, a failure, the timeout, or [cancel]. Called on threads of the core's,
     * several at once. If it throws, that counts as a failure after which the message may have been delivered.
     */
    public fun send(request: HttpRequest): HttpOutcome

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
 * HttpHeader("retry-after", "120")
 * ```
 *
 * @property name in lower case in requests of the core; in answers in any case.
 * @property value the value.
 */
public class HttpHeader(public val name: String, public val value: String) {
    override fun toString(): String = "HttpHeader($name)"
}

/**
 * A POST to send. [toString] shows neither its address nor its contents.
 *
 * ```kotlin
 * override fun send(request: HttpRequest): HttpOutcome = post(request.url, request.headers, request.body)
 * ```
 *
 * @property id names this attempt in [Transport.cancel].
 * @property url the address.
 * @property headers all headers except those the transport sets itself: `host`, `content-length`, `user-agent`.
 * @property body the exact bytes to send.
 * @property timeoutMillis for the whole attempt.
 */
public class HttpRequest(
    public val id: Long,
    public val url: String,
    public val headers: List<HttpHeader>,
    public val body: ByteArray,
    public val timeoutMillis: Long,
) {
    override fun toString(): String = "HttpRequest($id)"
}

/**
 * An answer whose status line was read.
 *
 * ```kotlin
 * HttpResponse(503, listOf(HttpHeader("retry-after", "120")))
 * ```
 *
 * @property status the status code.
 * @property headers the headers of the answer.
 * @property body at most the first 4 KiB of the answer's body, if the transport has it; the core decides without it.
 */
public class HttpResponse(
    public val status: Int,
    public val headers: List<HttpHeader> = emptyList(),
    public val body: ByteArray = ByteArray(0),
) {
    override fun toString(): String = "HttpResponse($status)"
}

/**
 * The outcome of a request.
 *
 * ```kotlin
 * HttpOutcome.Failed(TransportFailure(FailureKind.NoNetwork, Phase.CONNECT, RequestSent.NO, "airplane mode"))
 * ```
 */
public sealed interface HttpOutcome {
    /**
     * A status line was read, with any status.
     *
     * @property response the answer.
     */
    public class Answered(public val response: HttpResponse) : HttpOutcome

    /**
     * No status line was read.
     *
     * @property failure why, how far it came, and whether the request may have arrived. When in doubt, say that it may.
     */
    public class Failed(public val failure: TransportFailure) : HttpOutcome
}
