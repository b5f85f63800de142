package dev.compass.core

import dev.compass.core.model.Connectivity
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.Signing
import java.net.InetAddress
import java.net.ServerSocket
import java.nio.file.Path
import java.time.Instant
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import javax.net.ssl.HttpsURLConnection
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

/** The outcome table of `docs/delivery.md`, through `HttpTransport` and a scripted HTTPS server. */
class OutcomeTableTest {
    private companion object {
        @TempDir
        @JvmStatic
        lateinit var folder: Path

        val certificate by lazy { Certificate(folder) }
        val untrusted by lazy { Certificate(folder) }
        const val ELSEWHERE = "location: https://127.0.0.1:1/"
        const val CHALLENGE = "authenticate: Basic realm=\"r\""
    }

    /** The record after one attempt: its outcome, whether it used budget, whether it may have been delivered. */
    private data class Verdict(val outcome: String, val counted: Boolean, val mayHaveBeenDelivered: Boolean, val state: DeliveryState)

    private fun sent() = Verdict("sent", false, false, DeliveryState.SENT)

    private fun failed(outcome: String) = Verdict(outcome, false, false, DeliveryState.FAILED)

    private fun waits(outcome: String, counted: Boolean = true, maybe: Boolean = false) =
        Verdict(outcome, counted, maybe, DeliveryState.PENDING)

    private fun statuses(vararg codes: Int, verdict: Verdict, headers: List<String> = emptyList()): List<DynamicTest> = codes.map { code ->
        row("$code is ${verdict.outcome}", verdict) { read(); answer(code, *headers.toTypedArray()) }
    }

    private fun row(
        title: String,
        verdict: Verdict,
        validated: Boolean? = true,
        tls: Certificate? = certificate,
        script: ScriptedServer.Connection.() -> Unit,
    ): DynamicTest = dynamicTest(title) {
        ScriptedServer(tls?.server, script).use { server ->
            attempt(server.url.replace("http:", "https:"), verdict, validated)
        }
    }

    private fun attempt(url: String, verdict: Verdict, validated: Boolean?) = test {
        val transport = HttpTransport { address ->
            address.openConnection().also { (it as HttpsURLConnection).sslSocketFactory = certificate.client.socketFactory }
        }
        folder.ready(folder.options(transport = transport)).use { compass ->
            compass.setConnectivity(Connectivity.Online(validated, false, null))
            compass.putEndpoint(endpoint(url, Signing.None))
            val session = compass.completed()
            compass.flush()
            val delivery = compass.record(session).actions.single().deliveries.single()
            val attempt = delivery.lastAttempts.first()
            assertEquals(verdict, Verdict(attempt.outcome, attempt.counted, delivery.mayHaveBeenDelivered, delivery.state))
        }
    }

    @TestFactory
    fun `every answer`(): List<DynamicTest> =
        statuses(200, 201, 202, 204, 206, 226, 299, verdict = sent()) +
            statuses(300, 301, 302, 303, 304, 305, 307, 308, 399, verdict = waits("redirect"), headers = listOf(ELSEWHERE)) +
            statuses(400, 405, 406, 411, 414, 415, 422, 431, 451, 501, 505, verdict = failed("rejected")) +
            statuses(401, 403, verdict = waits("auth"), headers = listOf("www-$CHALLENGE")) +
            statuses(404, verdict = waits("not_found")) +
            statuses(407, 511, verdict = waits("proxy", counted = false), headers = listOf("proxy-$CHALLENGE")) +
            statuses(408, 425, 500, 502, 503, 504, 506, 507, 508, 509, 510, 512, 520, 599, verdict = waits("server_error")) +
            statuses(409, verdict = waits("conflict")) +
            statuses(410, verdict = failed("gone")) +
            statuses(413, verdict = failed("payload_too_large")) +
            statuses(429, verdict = waits("rate_limited"), headers = listOf("retry-after: 120")) +
            statuses(402, 412, 416, 417, 418, 421, 423, 424, 426, 428, 499, verdict = waits("rejected")) +
            statuses(101, 42, 600, 999, verdict = waits("protocol"))

    @TestFactory
    fun `a receiver whose clock differs`(): List<DynamicTest> = listOf(400, 401, 403, 422).map { code ->
        val date = DateTimeFormatter.RFC_1123_DATE_TIME.format(Instant.now().plusSeconds(600).atZone(ZoneOffset.UTC))
        dynamicTest("$code of a receiver whose clock differs is tried again with its time") {
            ScriptedServer(certificate.server) { read(); answer(if (number == 1) code else 200, "date: $date") }.use { server ->
                attempt(server.url, sent(), true)
                assertEquals(2, server.heads.size)
            }
        }
    }

    @TestFactory
    fun `every failure`(): List<DynamicTest> = listOf(
        row("a 2xx whose body is cut off is sent", sent()) { read(); write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut") },
        row("a 2xx with a broken chunk is sent", sent()) { read(); write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n") },
        row("closed in the handshake, with internet", waits("unreachable"), tls = null) { socket.close() },
        row("closed in the handshake, without", waits("offline", counted = false), validated = null, tls = null) { socket.close() },
        row("reset in the handshake, with internet", waits("unreachable"), tls = null) { reset() },
        row("a certificate of somebody else, with internet", waits("tls"), tls = untrusted) { read(); answer(200) },
        row("a certificate of somebody else, without", waits("tls", counted = false), null, untrusted) { read(); answer(200) },
        row("an answer in plain text", waits("tls"), tls = null) { write("HTTP/1.1 400 Bad Request\r\n\r\nthis is plain http") },
        row("closed after the request", waits("timeout", maybe = true)) { read() },
        row("garbage after the request", waits("protocol", maybe = true)) { read(); write("SMTP ready to serve\r\n\r\n") },
        refused("nobody listens, with internet", waits("unreachable"), true),
        refused("nobody listens, without", waits("unreachable", counted = false), null),
        dynamicTest("a name that does not resolve, with internet") { attempt("https://nowhere.invalid/", waits("dns"), true) },
        dynamicTest("a name that does not resolve, without") {
            attempt("https://nowhere.invalid/", waits("dns", counted = false), null)
        },
    )

    private fun refused(title: String, verdict: Verdict, validated: Boolean?) = dynamicTest(title) {
        val port = ServerSocket(0, 1, InetAddress.getByName("127.0.0.1")).use { it.localPort }
        attempt("https://127.0.0.1:$port/", verdict, validated)
    }
}
