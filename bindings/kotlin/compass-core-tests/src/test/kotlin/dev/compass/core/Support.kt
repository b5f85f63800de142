package dev.compass.core

import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointHeader
import dev.compass.core.model.FieldValue
import dev.compass.core.model.SecretLookup
import dev.compass.core.model.SessionKey
import dev.compass.core.model.SessionView
import dev.compass.core.model.Signing
import java.math.BigDecimal
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.fail

/** A workflow of two sections: a required text and a decimal, and a webhook at its end. */
const val PUMP_CHECK = """{
  "format": 1, "key": "pump-check", "version": 1, "name": "Pump check", "start": "arrive",
  "fields": [
    { "key": "site", "name": "Site", "type": "text", "required": true },
    { "key": "pressure", "name": "Pressure", "type": "decimal" }
  ],
  "responses": [ { "key": "why", "name": "Why now?", "kind": "customer_question", "content": "It is due." } ],
  "sections": [
    { "key": "arrive", "name": "Arrive", "content": "Find the pump.", "fields": ["site", "pressure"],
      "answers": [ { "key": "on", "name": "Go on", "next": "done" } ] },
    { "key": "done", "name": "Done", "content": "Good bye.", "win": true,
      "actions": [ { "key": "report", "name": "Report", "integration": "webhooks", "kind": "send_message", "endpoint": "office" } ] }
  ]
}"""

const val SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

/** A test that hangs fails. */
fun test(within: Duration = 30.seconds, body: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(within, body) }

fun endpoint(url: String, signing: Signing = Signing.StandardWebhooks("office-secret"), headers: List<EndpointHeader> = emptyList()) =
    Endpoint("office", url, signing, headers)

val secrets = SecretStore { _, _ -> SecretLookup.Found(SECRET, null) }

private val files = AtomicInteger()

fun Path.options(
    secrets: SecretStore? = dev.compass.core.secrets,
    transport: Transport? = null,
    name: String = "compass-${files.incrementAndGet()}.db",
    clock: TestClock? = null,
) = CompassOptions(resolve(name).toString(), secrets, transport, allowPlainHttpToLoopback = true, clock = clock)

/** An open handle with the workflow, the integration on, and an endpoint. */
suspend fun Path.ready(options: CompassOptions = options(), url: String = "https://office.test/hooks"): Compass =
    Compass.open(options).apply {
        importWorkflow(PUMP_CHECK.toByteArray())
        setIntegrationEnabled(true)
        putEndpoint(endpoint(url))
    }

/** Starts a session, fills it in and moves to its end section. */
suspend fun Compass.atTheEnd(): SessionView {
    val session = start("pump-check", actor = "jo").view.key
    setField(session, "site", FieldValue.Text("Mill Lane"))
    return answer(setField(session, "pressure", FieldValue.Decimal(BigDecimal("2.50"))).view, "on").view
}

suspend fun Compass.completed(): SessionKey = complete(atTheEnd()).view.key

suspend fun assertCode(code: String, call: suspend () -> Any?): CompassException {
    try {
        call()
    } catch (failed: CompassException) {
        assertEquals(code, failed.code, failed.message)
        return failed
    }
    fail<Nothing>("nothing was thrown, instead of $code")
    error("never")
}
