package dev.compass.core

import java.nio.file.Files
import java.nio.file.Path
import java.security.KeyStore
import java.security.cert.Certificate as JavaCertificate
import java.util.Base64
import java.util.concurrent.TimeUnit
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory

/** A certificate for loopback from an authority of its own, made by the JDK's keytool. */
class Certificate(folder: Path, names: String = "ip:127.0.0.1,dns:localhost", begins: String = "-1d", days: Int = 30) {
    private val file = Files.createTempDirectory(folder, "certificate").resolve("store.p12")
    private val store: KeyStore
    private val authority: JavaCertificate

    init {
        generate("authority", "-startdate", "-100d", "-validity", "300", "-ext", "bc:c=ca:true")
        generate("server", "-startdate", begins, "-validity", "$days", "-ext", "san=$names", "-signer", "authority")
        store = KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray())
        // A certificate for both uses would not show which one is checked.
        authority = store.getCertificate("authority")
        store.deleteEntry("authority")
    }

    private fun generate(alias: String, vararg options: String) {
        val keytool = ProcessBuilder(
            listOf(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-keystore", file.toString(),
                "-storetype", "PKCS12", "-storepass", PASSWORD, "-alias", alias, "-keyalg", "EC", "-groupname", "secp256r1",
                "-dname", "CN=$alias",
            ) + options,
        ).redirectErrorStream(true).start()
        val said = keytool.inputStream.readBytes().decodeToString()
        check(keytool.waitFor(60, TimeUnit.SECONDS) && keytool.exitValue() == 0) { said }
    }

    /** For a server that has this certificate. */
    val server: SSLContext = SSLContext.getInstance("TLS").apply {
        val keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm())
        keys.init(store, PASSWORD.toCharArray())
        init(keys.keyManagers, null, null)
    }

    /** For a client that trusts only its authority. */
    val client: SSLContext = SSLContext.getInstance("TLS").apply {
        val trusted = KeyStore.getInstance(KeyStore.getDefaultType()).apply {
            load(null)
            setCertificateEntry("authority", authority)
        }
        val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
        trust.init(trusted)
        init(null, trust.trustManagers, null)
    }

    /** Its authority, in PEM. */
    val pem: String
        get() = "-----BEGIN CERTIFICATE-----\n" +
            Base64.getMimeEncoder(64, byteArrayOf(10)).encodeToString(authority.encoded) +
            "\n-----END CERTIFICATE-----\n"

    private companion object {
        const val PASSWORD = "changeit"
    }
}
