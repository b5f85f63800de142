package dev.compass.sample.app

import android.app.Activity
import android.content.Intent
import android.net.Uri
import dev.compass.sample.app.Technician.Companion.PUMP_CHECK
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowActivity

// What technicians do on most days.

fun Technician.startsASession() {
    taps("Start: Pump check")
    sees("Find the pump.")
    types("Site", "Mill Lane")
}

fun Technician.completesASession() {
    startsASession()
    taps("It runs")
    sees("Good bye.")
    taps("Review and complete")
    sees("Everything is saved on this phone")
    taps("Complete")
    sees("Won")
}

fun Technician.session(): String = wait { app.compass().sessions().sessions.first().key }

/** The other app that has the screen now. */
fun Technician.otherApp(): ShadowActivity.IntentForResult {
    var asked: ShadowActivity.IntentForResult? = null
    until("another app") { shadowOf(activity).nextStartedActivityForResult.also { asked = it } != null }
    return asked!!
}

fun Technician.chooses(asked: ShadowActivity.IntentForResult, document: Uri) =
    shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(document))

fun Technician.leaves(asked: ShadowActivity.IntentForResult) = shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_CANCELED, null)

/** A workflow with words for objections. */
val WITH_RESPONSE = PUMP_CHECK.replace(
    "\"sections\"",
    """"responses": [ { "key": "price", "name": "It is too expensive", "kind": "objection", "content": "A dry cellar is dearer." } ], "sections"""",
)
