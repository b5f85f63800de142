package dev.compass.core.android.quickstart

import dev.compass.core.Compass
import dev.compass.core.model.ReplayFilter
import java.time.Instant

// The following code is in docs/embedding-android.md, line for line.
/** The office has lost what arrived since then: how many messages are sent again, and how many no longer can be. */
suspend fun sendAgain(compass: Compass, since: Instant, actor: String): Pair<Int, Int> {
    var again = 0
    var gone = 0
    var page: String? = null
    do {
        val report = compass.replaySent(ReplayFilter("office", sentFrom = since), actor, page)
        again += report.replayed
        gone += report.bodyDropped
        page = report.next
    } while (page != null)
    return again to gone
}
