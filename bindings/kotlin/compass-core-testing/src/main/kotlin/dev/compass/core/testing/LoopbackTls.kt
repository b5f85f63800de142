package dev.compass.core.testing

import java.io.File
import java.security.KeyStore
import java.util.concurrent.TimeUnit
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import kotlin.io.path.createTempDirectory

/**
 * A certificate for `127.0.0.1`, made anew by the JDK's `keytool`, and the trust in it alone: for a [WebhookSink] with HTTPS, and for who
 * posts to it. Needs a JDK, and takes about a second.
 *
 * ```kotlin
 * val tls = loopbackTls()
 * HttpsURLConnection.setDefaultSSLSocketFactory(tls.socketFactory) // the platform's transport takes it from there
 * WebhookSink(tls).use { office -> … }
 * ```
 *
 * @throws IllegalStateException with what `keytool` said, when it makes none.
 */
public fun loopbackTls(): SSLContext {
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
        return SSLContext.getInstance("TLS").apply { init(keys.keyManagers, trust.trustManagers, null) }
    } finally {
        folder.deleteRecursively()
    }
}

private fun make(file: File) {
    val keytool = ProcessBuilder(
        File(System.getProperty("java.home"), "bin/keytool").path, "-genkeypair", "-alias", ALIAS, "-keyalg", "EC",
        "-dname", "CN=$ALIAS", "-ext", "san=ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", file.path, "-storepass", PASSWORD,
    ).redirectErrorStream(true).start()
    val said = keytool.inputStream.readBytes().decodeToString()
    check(keytool.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) && keytool.exitValue() == 0) { said }
}

private const val ALIAS = "office"

// Of a file that is gone when the function returns.
private const val PASSWORD = "changeit"
private const val PATIENCE_SECONDS = 60L
