package dev.compass.sample.gateway

import java.time.Instant

/** A message that is not delivered. */
data class OutboxLine(
    val session: String,
    val workflow: WorkflowName,
    val action: String,
    val name: String,
    val endpoint: String,
    val state: ActionState,
    val reason: String?,
    val frozenAt: Instant,
    val nextAttemptAt: Instant?,
    val attempts: Int,
    val needsPerson: Boolean,
    val mayHaveBeenDelivered: Boolean,
)

/** The outbox in numbers. */
data class OutboxNumbers(
    val waiting: Int = 0,
    val failed: Int = 0,
    val needsPerson: Int = 0,
    val oldest: Instant? = null,
    val bytes: Long = 0,
)

/** Messages, oldest first, and whether there are more. */
data class OutboxList(val lines: List<OutboxLine>, val more: Boolean)

/** What "send now" did. */
data class Sent(val sent: Int, val waiting: Int, val offline: Boolean)

/** The network, as far as the phone knows. */
enum class Signal { UNKNOWN, NONE, ONLINE }

/**
 * An endpoint of the webhooks integration. [secret] names its signing secret; none when messages are not signed. [failingReason] is why nothing
 * gets through to it, where waiting is no help.
 */
data class EndpointLine(
    val key: String,
    val url: String,
    val secret: String?,
    val wifiOnly: Boolean = false,
    val enabled: Boolean = true,
    val disabledReason: String? = null,
    val failingReason: String? = null,
    val waiting: Int = 0,
)

/** What came of a test message. */
data class TestResult(val delivered: Boolean, val status: Int?, val outcome: String)
