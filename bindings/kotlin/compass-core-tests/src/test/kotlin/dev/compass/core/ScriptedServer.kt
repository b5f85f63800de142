package dev.compass.core

import java.io.BufferedInputStream
import java.io.Closeable
import java.io.InputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import javax.net.ssl.SSLContext
import kotlin.concurrent.thread

/** A server on loopback that runs its script for each connection. */
class ScriptedServer(tls: SSLContext? = null, private val script: Connection.() -> Unit) : Closeable {
    private val server: ServerSocket = InetAddress.getByName("127.0.0.1").let {
        tls?.serverSocketFactory?.createServerSocket(0, 50, it) ?: ServerSocket(0, 50, it)
    }
    private val open: MutableSet<Socket> = ConcurrentHashMap.newKeySet()

    /** The heads of the requests, request line first. */
    val heads = CopyOnWriteArrayList<List<String>>()
    val bodies = CopyOnWriteArrayList<ByteArray>()

    /** The number of connections. */
    val connections: Int get() = accepted
    @Volatile
    private var accepted = 0

    /** Opens at the end of the test; [Connection.hang] waits for it. */
    val end = CountDownLatch(1)
    val port: Int get() = server.localPort
    val url = "${if (tls == null) "http" else "https"}://127.0.0.1:$port/hooks"

    init {
        thread(isDaemon = true) {
            while (!server.isClosed) {
                val socket = runCatching { server.accept() }.getOrNull() ?: break
                accepted++
                open += socket
                thread(isDaemon = true) { socket.use { runCatching { Connection(it).script() } } }
            }
        }
    }

    inner class Connection(val socket: Socket) {
        /** Counts connections from 1. */
        val number = accepted

        /** The last request line that was read. */
        var line = ""
            private set
        private val input: InputStream by lazy { BufferedInputStream(socket.getInputStream()) }

        /** Reads a whole request; null when the connection ended instead. */
        fun read(): ByteArray? {
            val head = generateSequence { line()?.ifEmpty { null } }.toList().ifEmpty { return null }
            heads += head
            line = head.first()
            val length = head.firstOrNull { it.startsWith("content-length:", ignoreCase = true) }?.substringAfter(':')?.trim()?.toInt() ?: 0
            return input.readNBytes(length).also { bodies += it }
        }

        private fun line(): String? {
            val line = StringBuilder()
            while (true) {
                when (val byte = input.read()) {
                    -1 -> return null
                    10 -> return line.toString().trimEnd('\r')
                    else -> line.append(byte.toChar())
                }
            }
        }

        fun write(text: String) {
            socket.getOutputStream().run {
                write(text.toByteArray(Charsets.ISO_8859_1))
                flush()
            }
        }

        /** An answer without a body, that ends the connection. */
        fun answer(status: Int, vararg headers: String) =
            write("HTTP/1.1 $status -\r\ncontent-length: 0\r\nconnection: close\r\n${headers.joinToString("") { "$it\r\n" }}\r\n")

        /** Ends the connection with a reset. */
        fun reset() {
            socket.setSoLinger(true, 0)
            socket.close()
        }

        fun hang() = end.await()
    }

    override fun close() {
        end.countDown()
        server.close()
        for (socket in open) runCatching { socket.close() }
    }
}
