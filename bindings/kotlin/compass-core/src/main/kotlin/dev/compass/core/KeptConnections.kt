package dev.compass.core

import java.net.InetAddress
import java.net.Socket
import java.net.URLConnection
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.SSLSocketFactory

/**
 * Decides which kept connections may be used again. The platform's pool cannot be emptied from outside, but it gives a connection only to a
 * request with the same socket factory that the connection was made with. So one factory of our own is used around the platform's until
 * [forget]; later requests get a new one, and connections kept for the old one close when they are not used for a while.
 */
internal class KeptConnections {
    @Volatile
    private var current: OwnFactory? = null

    /** No connection that was kept until now is used again. Running requests go on. */
    fun forget() {
        current = null
    }

    /**
     * Lets this unused connection share the connections that were kept since the last [forget]. Plain HTTP, which is for tests, is not
     * changed.
     */
    fun share(connection: URLConnection): URLConnection {
        if (connection is HttpsURLConnection) {
            val platforms = connection.sslSocketFactory
            val own = current?.takeIf { it.inner === platforms } ?: OwnFactory(platforms).also { current = it }
            connection.sslSocketFactory = own
        }
        return connection
    }
}

/** Does the same as [inner], but is not equal to it for code that compares factories. */
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
