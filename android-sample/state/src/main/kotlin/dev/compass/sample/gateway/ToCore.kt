package dev.compass.sample.gateway

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Change
import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointHeader
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FileManifest
import dev.compass.core.model.Location
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.model.Signing
import dev.compass.core.model.FieldChange as CoreFieldChange
import dev.compass.core.model.SessionFilter as CoreFilter
import dev.compass.core.model.SessionState as CoreSessionState

// From the app's words to the core's.

internal fun FieldChange.core() = CoreFieldChange(
    field,
    when (val to = to) {
        Holding.NotProvided -> Change.Clear
        Holding.Empty -> Change.Set(FieldValue.Text(""))
        Holding.NotApplicable -> Change.NotApplicable
        is Holding.Given -> Change.Set(to.value.core())
    },
)

private fun Value.core(): FieldValue = when (this) {
    is Value.Words -> FieldValue.Text(text)
    is Value.Whole -> FieldValue.Integer(number)
    is Value.Exact -> FieldValue.Decimal(number)
    is Value.YesNo -> FieldValue.Boolean(yes)
    is Value.Day -> FieldValue.Date(date)
    is Value.TimeOfDay -> FieldValue.Time(time)
    is Value.Moment -> FieldValue.DateTime(at)
    is Value.One -> FieldValue.Choice(option)
    is Value.Many -> FieldValue.Choices(options)
    is Value.Place -> FieldValue.Location(Location(latitude, longitude, accuracy, at))
    is Value.File -> FieldValue.File(FileManifest(sha256, mediaType, size, name))
}

internal fun SessionQuery.core() = CoreFilter(
    states.map { it.core() },
    workflow,
    null,
    null,
    won,
    null,
    action?.core(),
    text?.trim()?.ifEmpty { null },
)

private fun SessionState.core() = when (this) {
    SessionState.IN_PROGRESS -> CoreSessionState.IN_PROGRESS
    SessionState.COMPLETED -> CoreSessionState.COMPLETED
    SessionState.ENDED -> CoreSessionState.ENDED
    SessionState.DISCARDED -> CoreSessionState.DISCARDED
}

private fun ActionState.core() = when (this) {
    ActionState.NOT_FIRED -> ActionStatus.NOT_FIRED
    ActionState.PENDING -> ActionStatus.PENDING
    ActionState.SENT -> ActionStatus.SENT
    ActionState.FAILED -> ActionStatus.FAILED
}

/** With the headers it has already, which the app does not show. */
internal fun EndpointLine.core(headers: List<EndpointHeader>) = Endpoint(
    key,
    url,
    secret?.let { Signing.StandardWebhooks(it) } ?: Signing.None,
    headers,
    if (wifiOnly) NetworkPolicy.UNMETERED else NetworkPolicy.ANY,
)
