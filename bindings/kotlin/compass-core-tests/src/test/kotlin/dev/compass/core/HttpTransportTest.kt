package dev.compass.core

import dev.compass.core.model.FailureKind
import dev.compass.core.model.Phase
import dev.compass.core.model.RequestSent
import java.net.Authenticator
import java.net.ConnectException
import java.net.HttpURLConnection
import java.net.InetAddress
import java.net.NoRouteToHostException
import java.net.PasswordAuthentication
import java.net.ServerSocket
import java.net.SocketException
import java.net.URL
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicLong
import javax.net.ssl.HttpsURLConnection
import kotlin.time.Duration.Companion.milliseconds
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTimeoutPreemptively
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class HttpTransportTest {
    private companion object {
        @TempDir
        @JvmStatic
        lateinit var folder: Path

        val certificate by lazy { Certificate(folder) }
        val ids = AtomicLong()
    }

    private fun over(certificate: Certificate = HttpTransportTest.certificate) = HttpTransport { url ->
        url.openConnection().also { (it as? HttpsURLConnection)?.sslSocketFactory = certificate.client.socketFactory }
    }

    private fun post(url: String, body: ByteArray = "{}".toByteArray(), timeoutMillis: Long = 20_000, vararg headers: TransportHeader) =
        TransportRequest(ids.incrementAndGet(), url, headers.toList(), body, timeoutMillis.milliseconds)

    private fun TransportOutcome.response(): TransportResponse = when (this) {
        is TransportOutcome.Answered -> response
        is TransportOutcome.Failed -> throw AssertionError(failure.toString())
    }

    private fun assertFails(outcome: TransportOutcome, kind: FailureKind, phase: Phase, sent: RequestSent) {
        val failure = (outcome as TransportOutcome.Failed).failure
        assertEquals(Triple(kind, phase, sent), Triple(failure.kind, failure.phase, failure.requestSent), failure.detail)
        assertFalse("127.0.0.1" in failure.detail, failure.detail)
    }

    private fun https(script: ScriptedServer.Connection.() -> Unit) = ScriptedServer(certificate.server, script)

    private fun watched(body: () -> Unit) = assertTimeoutPreemptively(Duration.ofSeconds(60), body)

    @Test
    fun `the server gets the exact bytes and headers, once`() = watched {
        https { read(); answer(202, "X-Trace: abc") }.use { server ->
            val body = "{\"städte\":\"Köln\"}".toByteArray()
            val type = TransportHeader("content-type", "application/json; charset=utf-8")
            val answer = over().send(post(server.url, body, 20_000, TransportHeader("webhook-id", "msg_1"), type)).response()
            assertEquals(202, answer.status)
            assertEquals("abc", answer.headers.first { it.name == "x-trace" }.value)
            assertArrayEquals(body, server.bodies.single())
            val head = server.heads.single()
            assertEquals("POST /hooks HTTP/1.1", head.first())
            assertEquals(1, head.count { it.startsWith("webhook-id:", true) })
            assertTrue(head.any { it.equals("content-length: ${body.size}", true) }, head.toString())
            for (own in listOf("transfer-encoding:", "expect:", "user-agent: Java")) assertTrue(head.none { it.startsWith(own, true) }, "$head")
        }
    }

    @Test
    fun `credentials of the process are not sent`() = watched {
        val before = Authenticator.getDefault()
        Authenticator.setDefault(object : Authenticator() {
            override fun getPasswordAuthentication() = PasswordAuthentication("app", "its-password".toCharArray())
        })
        val requests = AtomicLong()
        try {
            ScriptedServer {
                while (read() != null) {
                    val isKnown = requests.incrementAndGet() > 1
                    val challenge = if (isKnown) "" else "www-authenticate: Basic realm=\"r\"\r\n"
                    write("HTTP/1.1 ${if (isKnown) 202 else 401} X\r\n${challenge}content-length: 0\r\n\r\n")
                }
            }.use { server ->
                // The app's own request, after which the stack keeps its credentials for that server.
                assertEquals(202, (URL(server.url).openConnection() as HttpURLConnection).responseCode)
                assertTrue(server.heads.last().any { it.startsWith("authorization:", true) })
                assertEquals(202, HttpTransport().send(post(server.url)).response().status)
                assertTrue(server.heads.last().first().startsWith("POST"))
                assertTrue(server.heads.last().none { it.startsWith("authorization:", true) }, server.heads.last().toString())
            }
        } finally {
            Authenticator.setDefault(before)
        }
    }

    @Test
    fun `an empty body and a large one arrive whole`() = watched {
        https { while (read() != null) write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") }.use { server ->
            val large = ByteArray(256 * 1024) { (it % 251).toByte() }
            val transport = over()
            assertEquals(200, transport.send(post(server.url, ByteArray(0))).response().status)
            assertEquals(200, transport.send(post(server.url, large)).response().status)
            assertArrayEquals(large, server.bodies.last())
        }
    }

    @Test
    fun `a connection is used again`() = watched {
        https { while (read() != null) write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") }.use { server ->
            // With one socket factory per connection this would fail.
            val factory = certificate.client.socketFactory
            val transport = HttpTransport { url -> url.openConnection().also { (it as HttpsURLConnection).sslSocketFactory = factory } }
            repeat(3) { assertEquals(200, transport.send(post(server.url)).response().status) }
            assertEquals(1, server.connections)
        }
    }

    @Test
    fun `after renewing no kept connection is used, and running requests go on`() = watched {
        val (came, answer) = CountDownLatch(1) to CountDownLatch(1)
        https {
            while (read() != null) {
                if ("slow" in line) {
                    came.countDown()
                    answer.await()
                }
                write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            }
        }.use { server ->
            val factory = certificate.client.socketFactory
            val transport = HttpTransport { url -> url.openConnection().also { (it as HttpsURLConnection).sslSocketFactory = factory } }
            assertEquals(200, transport.send(post(server.url)).response().status)
            assertEquals(1, server.connections)
            transport.renew()
            val slow = CompletableFuture.supplyAsync { transport.send(post(server.url.replace("hooks", "slow"))) }
            came.await()
            assertEquals(2, server.connections)
            transport.renew()
            repeat(2) { assertEquals(200, transport.send(post(server.url)).response().status) }
            assertEquals(3, server.connections)
            answer.countDown()
            assertEquals(200, slow.get().response().status)
        }
    }

    @Test
    fun `a connection that the server closed is not used again`() = watched {
        val closed = CountDownLatch(1)
        https {
            read()
            write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            if (number == 1) {
                socket.close()
                closed.countDown()
            }
        }.use { server ->
            val factory = certificate.client.socketFactory
            val transport = HttpTransport { url -> url.openConnection().also { (it as HttpsURLConnection).sslSocketFactory = factory } }
            assertEquals(200, transport.send(post(server.url)).response().status)
            closed.await()
            assertEquals(200, transport.send(post(server.url)).response().status)
            assertEquals(2, server.heads.size)
        }
    }

    @Test
    fun `a kept connection that breaks leaves the outcome open, and nothing is sent twice`() = watched {
        https { read(); write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"); read() }.use { server ->
            val factory = certificate.client.socketFactory
            val transport = HttpTransport { url -> url.openConnection().also { (it as HttpsURLConnection).sslSocketFactory = factory } }
            assertEquals(200, transport.send(post(server.url)).response().status)
            assertFails(transport.send(post(server.url)), FailureKind.Closed, Phase.RECEIVE, RequestSent.MAYBE)
            assertEquals(1 to 2, server.connections to server.heads.size)
        }
    }

    @Test
    fun `every status arrives unchanged`() = watched {
        val statuses = listOf(200, 201, 204, 226, 299) + (300..305) + listOf(307, 308) + (400..426) + listOf(428, 429, 431, 451) + (500..511) +
            listOf(520, 599, 600, 999)
        val next = ArrayDeque(statuses)
        val tempting = arrayOf("Location: https://127.0.0.1:1/", "WWW-Authenticate: Basic realm=\"r\"", "Proxy-Authenticate: Basic realm=\"r\"")
        https { read(); answer(next.removeFirst(), *tempting) }.use { server ->
            val transport = over()
            assertEquals(statuses, statuses.map { transport.send(post(server.url)).response().status })
            assertEquals(statuses.size, server.heads.size)
        }
    }

    @Test
    fun `a challenge without a scheme is an answer too`() = watched {
        for (status in listOf(401, 407)) {
            https { read(); answer(status) }.use { assertEquals(status, over().send(post(it.url)).response().status) }
        }
    }

    @Test
    fun `no redirect is followed`() = watched {
        https { read(); answer(200) }.use { target ->
            for (status in listOf(301, 302, 303, 307, 308)) {
                https { read(); answer(status, "Location: ${target.url}") }.use { server ->
                    val answer = over().send(post(server.url)).response()
                    assertEquals(status, answer.status)
                    assertEquals(target.url, answer.headers.first { it.name == "location" }.value)
                }
            }
            assertEquals(0, target.connections)
        }
    }

    @Test
    fun `no content after the status line makes it a failure`() = watched {
        val answers = listOf(
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nnot hex",
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nbad",
            "HTTP/1.1 200 OK\r\n\r\nuntil the end",
            "HTTP/1.0 200 OK\r\n\r\n",
        )
        for (answer in answers) {
            https { read(); write(answer) }.use { assertEquals(200, over().send(post(it.url)).response().status, answer) }
        }
    }

    @Test
    fun `a long body is not read`() = watched {
        https { read(); write("HTTP/1.1 500 -\r\ncontent-length: 100000000\r\n\r\n"); while (true) write("x".repeat(100_000)) }.use { server ->
            assertEquals(500, over().send(post(server.url)).response().status)
        }
    }

    @Test
    fun `a body that hangs does not delay the answer`() = watched {
        val sent = CountDownLatch(1)
        for (head in listOf("content-length: 5", "transfer-encoding: chunked", "connection: close")) {
            https { read(); write("HTTP/1.1 200 OK\r\n$head\r\n\r\n"); sent.await() }.use { server ->
                assertEquals(200, over().send(post(server.url, timeoutMillis = Long.MAX_VALUE)).response().status)
            }
        }
        sent.countDown()
    }

    @Test
    fun `interim answers of 100 are skipped`() = watched {
        https { read(); write("HTTP/1.1 100 Continue\r\n\r\n"); answer(202) }.use { server ->
            assertEquals(202, over().send(post(server.url)).response().status)
        }
    }

    @Test
    fun `an early answer to a body that is still being sent is seen when the body fits`() = watched {
        https { answer(413); read() }.use { server ->
            assertEquals(413, over().send(post(server.url)).response().status)
        }
    }

    @Test
    fun `without a connection nothing was sent`() = watched {
        val closed = ServerSocket(0, 1, InetAddress.getByName("127.0.0.1")).use { it.localPort }
        assertFails(over().send(post("https://127.0.0.1:$closed/")), FailureKind.Refused, Phase.CONNECT, RequestSent.NO)
        assertFails(over().send(post("https://nowhere.invalid/")), FailureKind.Dns, Phase.RESOLVE, RequestSent.NO)
        ScriptedServer { socket.close() }.use { server ->
            assertFails(over().send(post("https://127.0.0.1:${server.port}/")), FailureKind.Closed, Phase.CONNECT, RequestSent.NO)
        }
        ScriptedServer { reset() }.use { server ->
            assertFails(over().send(post("https://127.0.0.1:${server.port}/")), FailureKind.Closed, Phase.CONNECT, RequestSent.NO)
        }
    }

    @Test
    fun `no message is sent over a connection that is not secure`() = watched {
        val bad = listOf(
            Certificate(folder) to FailureKind.Certificate(false),
            Certificate(folder, begins = "-30d", days = 10).let { it to FailureKind.Certificate(true) },
            Certificate(folder, begins = "+10d").let { it to FailureKind.Certificate(true) },
            Certificate(folder, names = "dns:elsewhere.test").let { it to FailureKind.Certificate(false) },
        )
        for ((index, row) in bad.withIndex()) {
            val (shown, kind) = row
            ScriptedServer(shown.server) { read(); answer(200) }.use { server ->
                // The first is not trusted; the others are trusted, but wrong in another way.
                val transport = if (index == 0) over() else over(shown)
                assertFails(transport.send(post(server.url)), kind, Phase.CONNECT, RequestSent.NO)
                assertEquals(0, server.heads.size)
            }
        }
        ScriptedServer { write("HTTP/1.1 400 Bad Request\r\n\r\nplain http here") }.use { server ->
            assertFails(over().send(post("https://127.0.0.1:${server.port}/")), FailureKind.Tls, Phase.CONNECT, RequestSent.NO)
        }
    }

    @Test
    fun `after bytes were sent the receiver may have the message`() = watched {
        https { read(); socket.close() }.use { server ->
            assertFails(over().send(post(server.url)), FailureKind.Closed, Phase.RECEIVE, RequestSent.MAYBE)
            assertEquals(1, server.heads.size)
        }
        ScriptedServer { read(); reset() }.use { server ->
            assertFails(over().send(post(server.url)), FailureKind.Closed, Phase.RECEIVE, RequestSent.MAYBE)
            assertEquals(1, server.heads.size)
        }
        for (garbage in listOf("SMTP ready to serve\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200000 -\r\n\r\n")) {
            https { read(); write(garbage) }.use { server ->
                assertFails(over().send(post(server.url)), FailureKind.Protocol, Phase.RECEIVE, RequestSent.MAYBE)
            }
        }
    }

    // What docs/http-transport.md says of the JVM's stack. A stack that distinguishes more fails here; then change the page.
    @Test
    fun `this stack does not distinguish what the docs list`() = watched {
        // A head that is cut off after the status counts as that status.
        for (cut in listOf("HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-le")) {
            https { read(); write(cut) }.use { assertEquals(200, over().send(post(it.url)).response().status) }
        }
        // A head that is cut off within the status counts as another status.
        https { read(); write("HTTP/1.1 2") }.use { assertEquals(2, over().send(post(it.url)).response().status) }
        // Eight bytes of garbage or fewer count as a broken connection.
        https { read(); write("\u0000\u0001\u0002") }.use { server ->
            assertFails(over().send(post(server.url)), FailureKind.Closed, Phase.RECEIVE, RequestSent.MAYBE)
        }
        // An interim answer other than 100 is taken for the final one.
        https { read(); write("HTTP/1.1 103 Early Hints\r\n\r\n"); answer(202) }.use { server ->
            assertEquals(103, over().send(post(server.url)).response().status)
        }
    }

    @Test
    fun `an attempt ends at the timeout of its request`() = watched {
        https { read(); hang() }.use { server ->
            assertFails(over().send(post(server.url, timeoutMillis = 500)), FailureKind.Timeout, Phase.RECEIVE, RequestSent.MAYBE)
        }
        // The answer never pauses for a whole second, and never ends.
        https { read(); repeat(10_000) { write("HTTP/1.1 200 OK"[it % 8].toString()); Thread.sleep(100) } }.use { server ->
            assertFails(over().send(post(server.url, timeoutMillis = 1_000)), FailureKind.Timeout, Phase.RECEIVE, RequestSent.MAYBE)
        }
        // A server that does not answer the TLS handshake.
        ScriptedServer { hang() }.use { server ->
            val outcome = over().send(post("https://127.0.0.1:${server.port}/", timeoutMillis = 500))
            assertFails(outcome, FailureKind.Timeout, Phase.CONNECT, RequestSent.NO)
        }
    }

    @Test
    fun `cancel ends an attempt that waits, and no other`() = watched {
        val reached = CountDownLatch(2)
        val answer = CountDownLatch(1)
        https {
            read()
            reached.countDown()
            if ("stays" in line) answer.await() else hang()
            answer(202)
        }.use { server ->
            val transport = over()
            val goes = post(server.url)
            val stays = post(server.url.replace("hooks", "stays"))
            val first = CompletableFuture.supplyAsync { transport.send(goes) }
            val second = CompletableFuture.supplyAsync { transport.send(stays) }
            reached.await()
            transport.cancel(goes.id)
            transport.cancel(999_999)
            assertFails(first.get(), FailureKind.Cancelled, Phase.RECEIVE, RequestSent.MAYBE)
            answer.countDown()
            assertEquals(202, second.get().response().status)
        }
    }

    @Test
    fun `cancel ends an attempt at any time`() = watched {
        https { read(); hang() }.use { server ->
            val transport = over()
            repeat(40) {
                val request = post(server.url)
                val outcome = CompletableFuture.supplyAsync { transport.send(request) }
                // Somewhere between opening the connection and waiting for the answer.
                while (!outcome.isDone) transport.cancel(request.id)
                assertEquals(FailureKind.Cancelled, (outcome.get() as TransportOutcome.Failed).failure.kind)
            }
        }
    }

    @Test
    fun `the messages of a platform without a network are understood`() {
        assertEquals(FailureKind.NoNetwork, failureKind(ConnectException("Network is unreachable (connect failed)")))
        assertEquals(FailureKind.NoNetwork, failureKind(ConnectException("failed to connect to /10.0.0.1: connect failed: ENETUNREACH")))
        assertEquals(FailureKind.NoNetwork, failureKind(NoRouteToHostException("No route to host")))
        assertEquals(FailureKind.NoNetwork, failureKind(SocketException("Network is unreachable")))
        assertEquals(FailureKind.Refused, failureKind(ConnectException("failed to connect: ECONNREFUSED (Connection refused)")))
        assertEquals(FailureKind.Closed, failureKind(SocketException("Software caused connection abort")))
    }

    @Test
    fun `an opened connection that is not HTTP, or cannot be opened, is a failure before anything was sent`() {
        val notHttp = HttpTransport { URL("file:///etc/hostname").openConnection() }
        assertFails(notHttp.send(post("https://office.test/")), FailureKind.Other, Phase.CONNECT, RequestSent.NO)
        val forbidden = HttpTransport { throw SecurityException("missing INTERNET permission") }
        assertFails(forbidden.send(post("https://office.test/")), FailureKind.Other, Phase.CONNECT, RequestSent.NO)
    }

    @Test
    fun `the caller's function opens every connection`() = watched {
        https { read(); answer(200) }.use { server ->
            val opened = mutableListOf<URL>()
            val transport = HttpTransport { url ->
                opened += url
                url.openConnection().also { (it as HttpsURLConnection).sslSocketFactory = certificate.client.socketFactory }
            }
            transport.send(post(server.url))
            assertEquals(listOf(URL(server.url)), opened)
        }
    }
}
