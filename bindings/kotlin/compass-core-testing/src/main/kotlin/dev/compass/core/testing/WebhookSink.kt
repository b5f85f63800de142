package dev.compass.core.testing

import java.io.Closeable
import java.io.InputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.Base64
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec
import javax.net.ssl.SSLContext
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * A receiver of webhooks on loopback that keeps what it gets.
 *
 * Plain HTTP without [tls]; open the handle with `allowPlainHttpToLoopback`, and register [url] as the endpoint's.
 *
 * ```kotlin
 * WebhookSink().use { office ->
 *     compass.putEndpoint(Endpoint("office", office.url, Signing.StandardWebhooks("office-secret")))
 *     compass.flush()
 *     assertTrue(office.await().isSignedWith("whsec_…"))
 * }
 * ```
 *
 * @param tls serves HTTPS with this certificate.
 * @param answer gives the answer to a webhook; may block. 202 by default.
 */
public class WebhookSink(
    tls: SSLContext? = null,
    private val answer: (ReceivedWebhook) -> SinkAnswer = { SinkAnswer(ACCEPTED) },
) : Closeable {
    /** Serves HTTPS with this certificate. */
    public constructor(tls: LoopbackTls, answer: (ReceivedWebhook) -> SinkAnswer = { SinkAnswer(ACCEPTED) }) : this(tls.context, answer) {
        authority = tls.pem
    }

    /** The authority of a sink with [LoopbackTls], in PEM: for `extraRoots` of the core's own transport. */
    public var authority: String? = null
        private set

    private val server: ServerSocket = run {
        val loopback = InetAddress.getByName("127.0.0.1")
        tls?.serverSocketFactory?.createServerSocket(0, BACKLOG, loopback) ?: ServerSocket(0, BACKLOG, loopback)
    }
    private val open: MutableSet<Socket> = ConcurrentHashMap.newKeySet()
    private val waiting = LinkedBlockingQueue<ReceivedWebhook>()
    private val all = CopyOnWriteArrayList<ReceivedWebhook>()

    /** Where it listens. */
    public val url: String = "${if (tls == null) "http" else "https"}://127.0.0.1:${server.localPort}/hooks"

    /** Everything it got, in order. */
    public val received: List<ReceivedWebhook> get() = all

    init {
        thread(isDaemon = true, name = "webhook-sink") {
            while (!server.isClosed) {
                val socket = runCatching { server.accept() }.getOrNull() ?: break
                open += socket
                thread(isDaemon = true, name = "webhook-sink-connection") { serve(socket) }
            }
        }
    }

    /**
     * The next webhook that was not awaited yet. Blocks; throws [AssertionError] if none comes in time. The core reads the answer, and records
     * it, a moment later: wait for `observeRecord` before you look at the status or erase the database.
     */
    public fun await(within: Duration = 10.seconds): ReceivedWebhook =
        waiting.poll(within.inWholeMilliseconds, TimeUnit.MILLISECONDS) ?: throw AssertionError("no webhook came within $within")

    override fun close() {
        server.close()
        for (socket in open) runCatching { socket.close() }
    }

    private fun serve(socket: Socket) {
        try {
            socket.use {
                val request = read(it.getInputStream()) ?: return
                all += request
                waiting += request
                val said = answer(request)
                val head = buildString {
                    append("HTTP/1.1 ${said.status} -\r\nconnection: close\r\ncontent-length: ${said.body.size}\r\n")
                    for ((name, value) in said.headers) append("$name: $value\r\n")
                    append("\r\n")
                }
                it.getOutputStream().run {
                    write(head.toByteArray() + said.body)
                    flush()
                }
            }
        } catch (_: Exception) {
            // The caller closed the connection: tests do that too.
        } finally {
            open -= socket
        }
    }

    private fun read(stream: InputStream): ReceivedWebhook? {
        val path = stream.line()?.split(' ')?.getOrNull(1) ?: return null
        val headers = generateSequence { stream.line()?.ifEmpty { null } }
            .associate { it.substringBefore(':').trim().lowercase() to it.substringAfter(':').trim() }
        return ReceivedWebhook(path, headers, stream.exactly(headers["content-length"]?.toIntOrNull() ?: 0))
    }

    private fun InputStream.line(): String? {
        val line = StringBuilder()
        while (true) {
            when (val byte = read()) {
                -1 -> return null
                '\n'.code -> return line.toString().trimEnd('\r')
                else -> line.append(byte.toChar())
            }
        }
    }

    private fun InputStream.exactly(length: Int): ByteArray {
        val bytes = ByteArray(length)
        var done = 0
        while (done < length) {
            val read = read(bytes, done, length - done)
            if (read < 0) break
            done += read
        }
        return bytes.copyOf(done)
    }

    private companion object {
        const val ACCEPTED = 202
        const val BACKLOG = 50
    }
}

/**
 * A webhook that was received.
 *
 * ```kotlin
 * assertEquals("1", office.await().headers["compass-attempt"])
 * ```
 *
 * @property path of the request.
 * @property headers by their lower-case names.
 * @property body the exact bytes.
 */
public class ReceivedWebhook(public val path: String, public val headers: Map<String, String>, public val body: ByteArray) {
    /** [body] as text. */
    public val text: String get() = body.decodeToString()

    /** The same in every attempt for the same message. */
    public val id: String get() = headers.getValue("webhook-id")

    /**
     * Whether one of its signatures is that of [secret] (`whsec_` and base64), as Standard Webhooks defines it. The time is not checked.
     */
    public fun isSignedWith(secret: String): Boolean {
        val mac = Mac.getInstance("HmacSHA256")
        mac.init(SecretKeySpec(Base64.getDecoder().decode(secret.removePrefix("whsec_")), "HmacSHA256"))
        mac.update("$id.${headers["webhook-timestamp"]}.".toByteArray())
        val expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))
        return headers["webhook-signature"].orEmpty().split(' ').contains(expected)
    }
}

/**
 * The answer of a [WebhookSink].
 *
 * ```kotlin
 * WebhookSink { SinkAnswer(503, mapOf("retry-after" to "120")) }
 * ```
 *
 * @property status the status code.
 * @property headers other than those of the connection.
 * @property body of the answer.
 */
public class SinkAnswer(
    public val status: Int,
    public val headers: Map<String, String> = emptyMap(),
    public val body: ByteArray = ByteArray(0),
)
