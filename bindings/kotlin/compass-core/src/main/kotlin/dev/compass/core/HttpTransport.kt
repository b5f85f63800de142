package dev.compass.core

import dev.compass.core.model.FailureKind
import dev.compass.core.model.Phase
import dev.compass.core.model.RequestSent
import dev.compass.core.model.TransportFailure
import java.io.IOException
import java.net.Authenticator
import java.net.HttpRetryException
import java.net.HttpURLConnection
import java.net.URL
import java.net.URLConnection
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ScheduledThreadPoolExecutor
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread

/**
 * Sends requests through `HttpURLConnection`: with the platform's proxies, certificate authorities and network security settings.
 *
 * It streams with a fixed length, follows no redirect, retries nothing and keeps connections as the platform does, until [renew].
 * The credentials of the process (`Authenticator`) are not sent. Its cookies are: where the app has set a `CookieHandler`, the stack asks it
 * for those of the receiver's domain, and gives it those that the receiver sets. `docs/http-transport.md` says what to do then, and lists the
 * failures that it cannot distinguish.
 *
 * ```kotlin
 * val compass = Compass.open(CompassOptions(path, transport = HttpTransport()))
 * // On Android, bound to the network of a job:
 * val bound = HttpTransport { url -> network.openConnection(url) }
 * ```
 *
 * @param open opens a connection without connecting it; must return an [HttpURLConnection]. Called once per request.
 */
public class HttpTransport(private val open: (URL) -> URLConnection = URL::openConnection) : Transport {
    private val running = ConcurrentHashMap<Long, HttpAttempt>()
    private val kept = KeptConnections()

    override fun send(request: TransportRequest): TransportOutcome {
        val attempt = HttpAttempt(request) { url -> kept.share(open(url)) }
        running[request.id] = attempt
        try {
            return attempt.send()
        } finally {
            running -= request.id
        }
    }

    override fun cancel(id: Long) {
        running[id]?.cut(FailureKind.Cancelled)
    }

    override fun renew(): Unit = kept.forget()
}

/** One request, which a timeout or [Transport.cancel] may end early. */
private class HttpAttempt(private val request: TransportRequest, private val open: (URL) -> URLConnection) {
    @Volatile
    private var phase = Phase.CONNECT

    private val cutFor = AtomicReference<FailureKind?>()

    @Volatile
    private var connection: HttpURLConnection? = null
    private val over = CountDownLatch(1)

    fun send(): TransportOutcome {
        val limit = watch.schedule({ cut(FailureKind.Timeout) }, request.timeout.inWholeMilliseconds, TimeUnit.MILLISECONDS)
        return try {
            exchange()
        } catch (failed: Exception) {
            TransportOutcome.Failed(failure(failed))
        } finally {
            over.countDown()
            limit.cancel(false)
        }
    }

    /** Ends the attempt, at the latest when it begins its next phase: some stacks cannot interrupt a connect. */
    fun cut(kind: FailureKind) {
        if (!cutFor.compareAndSet(null, kind)) return
        // Closing may wait for the thread that is writing. Closing once is not enough: between two phases a stack may connect again.
        thread(isDaemon = true, name = "compass-http-cut") {
            do runCatching { connection?.disconnect() } while (!over.await(CUT_MILLIS, TimeUnit.MILLISECONDS))
        }
    }

    private fun exchange(): TransportOutcome {
        val http = open(URL(request.url)) as? HttpURLConnection ?: throw IOException("the opened connection is not HTTP")
        connection = http
        prepare(http)
        proceed()
        http.connect()
        proceed()
        phase = Phase.SEND
        http.outputStream.use { it.write(request.body) }
        phase = Phase.RECEIVE
        proceed()
        val status = http.status()
        if (status !in 0..MAX_STATUS) throw NotHttp()
        val response = TransportResponse(status, http.answerHeaders())
        http.closeUnread()
        return TransportOutcome.Answered(response)
    }

    private fun proceed() {
        if (cutFor.get() != null) throw IOException("cut short")
    }

    private fun prepare(http: HttpURLConnection) {
        http.requestMethod = "POST"
        http.instanceFollowRedirects = false
        http.useCaches = false
        runCatching { setAuthenticator?.invoke(http, NoCredentials) }
        http.doOutput = true
        // Without it the stack would keep the body and send it again automatically.
        http.setFixedLengthStreamingMode(request.body.size)
        http.connectTimeout = minOf(CONNECT_MILLIS, request.timeout.inWholeMilliseconds).toInt()
        http.readTimeout = minOf(HEAD_MILLIS, request.timeout.inWholeMilliseconds).toInt()
        http.setRequestProperty("user-agent", USER_AGENT)
        http.setRequestProperty("accept", "*/*")
        // The body is not read, so it need not be compressed.
        http.setRequestProperty("accept-encoding", "identity")
        for (header in request.headers) http.addRequestProperty(header.name, header.value)
    }

    /** The status. After 401 and 407 the stack wants to repeat the request and throws, because a streamed request cannot be repeated. */
    private fun HttpURLConnection.status(): Int = try {
        responseCode
    } catch (challenged: HttpRetryException) {
        challenged.responseCode()
    }

    private fun HttpURLConnection.answerHeaders(): List<TransportHeader> = headerFields.entries
        // The status line has no name.
        .filter { it.key != null }
        .flatMap { (name, values) -> values.map { TransportHeader(name.lowercase(), it) } }

    /**
     * The core looks only at the status and the headers. When a short body is closed unread, the connection can be used for the next
     * request. The status has been read and decides, so nothing here may make the attempt fail or wait: some stacks wait for the other side
     * to close too.
     */
    private fun HttpURLConnection.closeUnread() {
        thread(isDaemon = true, name = "compass-http-close") {
            runCatching { (errorStream ?: inputStream).close() }.onFailure { disconnect() }
        }.join(CLOSE_MILLIS)
    }

    private fun failure(failed: Exception): TransportFailure {
        val kind = cutFor.get() ?: failureKind(failed)
        // A certificate is checked before a request is written, and the stack writes the request only after `connect`.
        val sent = if (phase == Phase.CONNECT) RequestSent.NO else RequestSent.MAYBE
        val where = if (kind is FailureKind.Dns) Phase.RESOLVE else phase
        // Only names: the text of an exception may contain an address.
        val causes = generateSequence<Throwable>(failed) { it.cause }.take(DEPTH)
        return TransportFailure(kind, where, sent, causes.joinToString(" < ") { it.javaClass.simpleName })
    }

    private companion object {
        // The same as in the core's own transport.
        const val CONNECT_MILLIS = 10_000L
        const val HEAD_MILLIS = 20_000L

        // Long enough for a connection to be free for the next request.
        const val CLOSE_MILLIS = 100L
        const val CUT_MILLIS = 50L
        const val MAX_STATUS = 65_535
        const val DEPTH = 5
        const val USER_AGENT = "compass-core-kotlin"

        /** One thread that waits, and ends when nothing was sent for a minute. */
        val watch = ScheduledThreadPoolExecutor(1) { work ->
            thread(start = false, isDaemon = true, name = "compass-http-watch") { work.run() }
        }.apply {
            setKeepAliveTime(1, TimeUnit.MINUTES)
            allowCoreThreadTimeOut(true)
            removeOnCancelPolicy = true
        }
    }
}

/** Those of the process are for other servers: nobody is asked for any. */
private object NoCredentials : Authenticator()

/** From Java 9. Android's stack has no such method, and asks for no credentials where the body is streamed. */
private val setAuthenticator =
    runCatching { HttpURLConnection::class.java.getMethod("setAuthenticator", Authenticator::class.java) }.getOrNull()
