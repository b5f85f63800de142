package dev.compass.core

import dev.compass.core.model.FailureKind
import java.io.EOFException
import java.net.ConnectException
import java.net.NoRouteToHostException
import java.net.ProtocolException
import java.net.SocketException
import java.net.SocketTimeoutException
import java.net.UnknownHostException
import java.security.cert.CertPathValidatorException
import java.security.cert.CertificateException
import java.security.cert.CertificateExpiredException
import java.security.cert.CertificateNotYetValidException
import javax.net.ssl.SSLException
import javax.net.ssl.SSLPeerUnverifiedException

/** The answer was not HTTP. */
internal class NotHttp : ProtocolException("the answer is not HTTP")

/**
 * The meaning of an exception of the platform's HTTP stack. It is read from the type, and from the message only where the type does not
 * decide.
 */
internal fun failureKind(failed: Throwable): FailureKind {
    val chain = generateSequence(failed) { it.cause }.take(MAX_CAUSES).toList()
    return when {
        // A refused certificate closes the connection too, so it is looked at first.
        chain.any { it is CertificateException || it is CertPathValidatorException || it is SSLPeerUnverifiedException } ->
            FailureKind.Certificate(chain.any { it is CertificateExpiredException || it is CertificateNotYetValidException })
        chain.any { it is UnknownHostException } -> FailureKind.Dns
        chain.any { it is SocketTimeoutException } -> FailureKind.Timeout
        chain.any { it is NoRouteToHostException } -> FailureKind.NoNetwork
        chain.any { it is ConnectException } -> if (chain.any(::hasNoNetwork)) FailureKind.NoNetwork else FailureKind.Refused
        chain.any { it is SocketException && hasNoNetwork(it) } -> FailureKind.NoNetwork
        chain.any { it is ProtocolException } -> FailureKind.Protocol
        chain.any { it is SocketException || it is EOFException } -> FailureKind.Closed
        chain.any { it is SSLException } -> FailureKind.Tls
        else -> FailureKind.Other
    }
}

// Messages of the JVM and of Android: both have one exception for "refused" and "no network".
private fun hasNoNetwork(failed: Throwable): Boolean =
    listOf("unreachable", "ENETUNREACH", "ENETDOWN", "EHOSTUNREACH").any { failed.message.orEmpty().contains(it, ignoreCase = true) }

private const val MAX_CAUSES = 16
