package dev.compass.core

import dev.compass.core.internal.Secrets
import dev.compass.core.model.SecretLookup
import kotlin.time.Duration.Companion.milliseconds
import dev.compass.core.internal.HttpHeader as CoreHeader
import dev.compass.core.internal.HttpOutcome as CoreOutcome
import dev.compass.core.internal.HttpRequest as CoreRequest
import dev.compass.core.internal.HttpResponse as CoreResponse
import dev.compass.core.internal.Transport as CoreTransport

/** The app's store of secrets, as the core calls it. */
internal class SecretsOfCore(private val store: SecretStore) : Secrets {
    override fun get(name: String, origin: String): SecretLookup = store.get(name, origin)

    override fun refused(name: String, origin: String) = store.refused(name, origin)
}

/** The app's transport, as the core calls it. */
internal class TransportOfCore(private val transport: Transport) : CoreTransport {
    override fun send(request: CoreRequest): CoreOutcome = when (val outcome = transport.send(request.forApp())) {
        is TransportOutcome.Answered -> CoreOutcome.Answered(outcome.response.forCore())
        is TransportOutcome.Failed -> CoreOutcome.Failed(outcome.failure)
    }

    override fun cancel(id: Long) = transport.cancel(id)

    override fun renew() = transport.renew()

    private fun CoreRequest.forApp() =
        TransportRequest(id, url, headers.map { TransportHeader(it.name, it.value) }, body, timeoutMs.milliseconds)

    private fun TransportResponse.forCore() =
        CoreResponse(status.coerceIn(0, 0xffff), headers.map { CoreHeader(it.name, it.value) }, body)
}
