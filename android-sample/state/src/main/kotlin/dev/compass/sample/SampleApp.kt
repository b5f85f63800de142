package dev.compass.sample

import dev.compass.sample.nav.Screen
import dev.compass.sample.port.ExportFolder
import dev.compass.sample.port.SecretVault
import dev.compass.sample.screen.Workplace
import dev.compass.sample.screen.outbox.OutboxModel
import dev.compass.sample.screen.record.RecordModel
import dev.compass.sample.screen.review.ReviewModel
import dev.compass.sample.screen.session.SessionModel
import dev.compass.sample.screen.sessions.SessionsModel
import dev.compass.sample.screen.settings.SettingsModel
import dev.compass.sample.screen.status.StatusModel
import dev.compass.sample.screen.workflow.WorkflowModel
import dev.compass.sample.screen.workflows.WorkflowsModel
import kotlinx.coroutines.CoroutineScope

/** The model of the screen that is shown. */
sealed interface Shown {
    class Workflows(val model: WorkflowsModel) : Shown
    class Workflow(val model: WorkflowModel) : Shown
    class Session(val model: SessionModel) : Shown
    class Review(val model: ReviewModel) : Shown
    class Record(val model: RecordModel) : Shown
    class Sessions(val model: SessionsModel) : Shown
    class Outbox(val model: OutboxModel) : Shown
    class Settings(val model: SettingsModel) : Shown
}

/**
 * The app without its views.
 *
 * ```kotlin
 * val app = SampleApp(Workplace(gateway, Navigator(saved), preferences), vault, exports)
 * app.work.navigator.stack.collectLatest { stack ->
 *     coroutineScope { draw(app.show(stack.top, this)) }
 * }
 * ```
 */
class SampleApp(val work: Workplace, private val vault: SecretVault, private val exports: ExportFolder) {
    /** The model of a screen, for as long as [scope] lives. */
    fun show(screen: Screen, scope: CoroutineScope): Shown = when (screen) {
        Screen.Workflows -> Shown.Workflows(WorkflowsModel(work, scope))
        Screen.Sessions -> Shown.Sessions(SessionsModel(work, scope))
        Screen.Outbox -> Shown.Outbox(OutboxModel(work, scope))
        Screen.Settings -> Shown.Settings(SettingsModel(work, vault, exports, scope))
        is Screen.Workflow -> Shown.Workflow(WorkflowModel(screen.key, work, scope))
        is Screen.Session -> Shown.Session(SessionModel(screen.key, work, scope))
        is Screen.Review -> Shown.Review(ReviewModel(screen.key, work, scope))
        is Screen.Record -> Shown.Record(RecordModel(screen.key, work, scope))
    }

    /** The strip on every screen, for as long as [scope] lives. */
    fun status(scope: CoroutineScope): StatusModel = StatusModel(work, scope)
}
