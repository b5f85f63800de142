package dev.compass.core

import java.net.InetAddress
import java.net.Socket
import java.net.URLConnection
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.SSLSocketFactory

/**
 * Decides which kept connections may be used again. The platform's pool is nobody's to empty, but it gives a connection only to a request
 * with the very socket factory that the connection was made with. So one factory is put around the platform's until [forget]; those who
 * come later get a new one, and what was kept for the old one closes when nobody has used it for a while.
 */
internal class KeptConnections {
    @Volatile
    private var current: OwnFactory? = null

    /** Nothing that was kept until now is used again. What runs goes on. */
    fun forget() {
        current = null
    }

    /** Lets this connection, which was not used yet, share those of its generation. Plain HTTP, which is for tests, is left as it is. */
    fun share(connection: URLConnection): URLConnection {
        if (connection is HttpsURLConnection) {
            val platforms = connection.sslSocketFactory
            val own = current?.takeIf { it.inner === platforms } ?: OwnFactory(platforms).also { current = it }
            connection.sslSocketFactory = own
        }
        return connection
    }
}

/** Another factory than [inner] to code that compares factories, and the same in all it does. */
private class OwnFactory(val inner: SSLSocketFactory) : SSLSocketFactory() {
    override fun getDefaultCipherSuites(): Array<String> = inner.defaultCipherSuites

    override fun getSupportedCipherSuites(): Array<String> = inner.supportedCipherSuites

    override fun createSocket(): Socket = inner.createSocket()

    override fun createSocket(over: Socket, host: String, port: Int, autoClose: Boolean): Socket =
        inner.createSocket(over, host, port, autoClose)

    override fun createSocket(host: String, port: Int): Socket = inner.createSocket(host, port)

    override fun createSocket(host: String, port: Int, from: InetAddress, fromPort: Int): Socket =
        inner.createSocket(host, port, from, fromPort)

    override fun createSocket(host: InetAddress, port: Int): Socket = inner.createSocket(host, port)

    override fun createSocket(host: InetAddress, port: Int, from: InetAddress, fromPort: Int): Socket =
        inner.createSocket(host, port, from, fromPort)
}
