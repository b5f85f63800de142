package dev.compass.core.testing

import java.io.File
import java.security.KeyStore
import java.security.cert.Certificate
import java.util.Base64
import java.util.concurrent.TimeUnit
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLSocketFactory
import javax.net.ssl.TrustManagerFactory
import kotlin.io.path.createTempDirectory

/**
 * Makes a new certificate for `127.0.0.1` with the JDK's `keytool`, and settings that trust only it: for a [WebhookSink] with HTTPS, and
 * for clients of it. Needs a JDK, and takes about a second.
 *
 * ```kotlin
 * val tls = loopbackTls()
 * HttpsURLConnection.setDefaultSSLSocketFactory(tls.socketFactory) // the platform's transport uses it
 * WebhookSink(tls).use { office -> … }
 * ```
 *
 * @throws IllegalStateException with the output of `keytool`, when that fails.
 */
public fun loopbackTls(): LoopbackTls {
    val folder = createTempDirectory("loopback-tls").toFile()
    try {
        val file = File(folder, "office.p12")
        make(file)
        val store = KeyStore.getInstance(file, PASSWORD.toCharArray())
        val keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(store, PASSWORD.toCharArray()) }
        val trusted = KeyStore.getInstance(KeyStore.getDefaultType()).apply {
            load(null)
            setCertificateEntry(ALIAS, store.getCertificate(ALIAS))
        }
        val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(trusted) }
        val context = SSLContext.getInstance("TLS").apply { init(keys.keyManagers, trust.trustManagers, null) }
        return LoopbackTls(context, pem(store.getCertificate(ALIAS)))
    } finally {
        folder.deleteRecursively()
    }
}

/**
 * The result of [loopbackTls].
 *
 * ```kotlin
 * val tls = loopbackTls()
 * val compass = Compass.open(CompassOptions(path, secrets, extraRoots = listOf(tls.pem)))
 * ```
 *
 * @property context serves with the certificate, and trusts only it.
 * @property pem the authority, in PEM: for `extraRoots` of the core's own transport.
 */
public class LoopbackTls internal constructor(public val context: SSLContext, public val pem: String) {
    /** Of [context], for the platform's transport. */
    public val socketFactory: SSLSocketFactory get() = context.socketFactory
}

private fun pem(certificate: Certificate): String {
    val encoded = Base64.getMimeEncoder(PEM_LINE, byteArrayOf('\n'.code.toByte())).encodeToString(certificate.encoded)
    return "-----BEGIN CERTIFICATE-----\n$encoded\n-----END CERTIFICATE-----\n"
}

private fun make(file: File) {
    val keytool = ProcessBuilder(
        File(System.getProperty("java.home"), "bin/keytool").path, "-genkeypair", "-alias", ALIAS, "-keyalg", "EC",
        "-dname", "CN=$ALIAS", "-ext", "san=ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", file.path, "-storepass", PASSWORD,
    ).redirectErrorStream(true).start()
    val said = keytool.inputStream.readBytes().decodeToString()
    check(keytool.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS) && keytool.exitValue() == 0) { said }
}

private const val ALIAS = "office"

// Of a file that is removed before the function returns.
private const val PASSWORD = "changeit"
private const val PEM_LINE = 64
private const val TIMEOUT_SECONDS = 60L
