package dev.compass.sample.app

import java.io.Closeable
import java.io.File
import java.security.KeyStore
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import kotlin.io.path.createTempDirectory

/** A certificate for `localhost`, and a phone that trusts it for as long as it is open. */
class Certificates private constructor(val context: SSLContext, private val before: javax.net.ssl.SSLSocketFactory) : Closeable {
    override fun close() = HttpsURLConnection.setDefaultSSLSocketFactory(before)

    companion object {
        private const val PASSWORD = "changeit"

        fun trusted(): Certificates {
            val file = File(createTempDirectory("certificate").toFile(), "localhost.p12")
            val tool = ProcessBuilder(
                "${System.getProperty("java.home")}/bin/keytool", "-genkeypair", "-keyalg", "EC", "-alias", "localhost", "-dname", "CN=localhost",
                "-ext", "san=dns:localhost,ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", file.path, "-storepass", PASSWORD, "-validity", "2",
            ).redirectErrorStream(true).start()
            val said = tool.inputStream.readBytes().decodeToString()
            check(tool.waitFor() == 0) { said }
            val keys = KeyStore.getInstance("PKCS12").apply { file.inputStream().use { load(it, PASSWORD.toCharArray()) } }
            val own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(keys, PASSWORD.toCharArray()) }
            val trust = KeyStore.getInstance("PKCS12").apply {
                load(null, null)
                setCertificateEntry("localhost", keys.getCertificate("localhost"))
            }
            val trusting = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(trust) }
            // The JDK's own TLS, beside whatever else is registered here.
            val context = SSLContext.getInstance("TLS", "SunJSSE").apply { init(own.keyManagers, trusting.trustManagers, null) }
            val before = HttpsURLConnection.getDefaultSSLSocketFactory()
            HttpsURLConnection.setDefaultSSLSocketFactory(context.socketFactory)
            return Certificates(context, before)
        }
    }
}
