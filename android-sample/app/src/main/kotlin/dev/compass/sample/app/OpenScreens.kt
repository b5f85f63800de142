package dev.compass.sample.app

import dev.compass.sample.app.device.Exports
import dev.compass.sample.app.device.Places
import dev.compass.sample.app.screens.OpeningView
import dev.compass.sample.app.screens.OutboxView
import dev.compass.sample.app.screens.RecordView
import dev.compass.sample.app.screens.ReviewView
import dev.compass.sample.app.screens.ScreenView
import dev.compass.sample.app.screens.SessionView
import dev.compass.sample.app.screens.SessionsView
import dev.compass.sample.app.screens.SettingsView
import dev.compass.sample.app.screens.Surroundings
import dev.compass.sample.app.screens.WorkflowView
import dev.compass.sample.app.screens.WorkflowsView
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Model
import dev.compass.sample.screen.Workplace
import dev.compass.sample.screen.opening.OpeningEvent
import dev.compass.sample.screen.opening.OpeningModel
import dev.compass.sample.screen.opening.OpeningUiState
import dev.compass.sample.screen.outbox.OutboxModel
import dev.compass.sample.screen.record.RecordEvent
import dev.compass.sample.screen.record.RecordModel
import dev.compass.sample.screen.review.ReviewModel
import dev.compass.sample.screen.session.SessionEvent
import dev.compass.sample.screen.session.SessionModel
import dev.compass.sample.screen.sessions.SessionsModel
import dev.compass.sample.screen.settings.SettingsEvent
import dev.compass.sample.screen.settings.SettingsModel
import dev.compass.sample.screen.status.StatusModel
import dev.compass.sample.screen.workflow.WorkflowModel
import dev.compass.sample.screen.workflows.WorkflowsModel
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** The models of the screens that are open. Outlives a rotation, which makes new views of the same models. Of the main thread. */
class OpenScreens(private val app: SampleApp) {
    private val scope = scope()
    private val open = HashMap<Screen, OpenScreen<*, *>>()

    /** What screens work with, once the database is open. */
    var work: Workplace? = null
        private set

    /** Of which the strip of every screen tells. */
    var status: StatusModel? = null
        private set

    /** Where the phone is; a field that asked hears it after a rotation, too. */
    val places = Places(app)

    /** What came of another app before its screen was there again. */
    private val late = mutableListOf<() -> Unit>()

    private var opening: OpenScreen<OpeningUiState, OpeningEvent>? = null

    /** Opens the database the first time; this is shown until it is open. */
    fun opening(saved: String?): OpenScreen<OpeningUiState, OpeningEvent> = opening ?: OpenScreen(
        OpeningModel(app.database, app.secrets, Exports(app), app.preferences, scope) {
            val place = app.workplace(saved)
            work = place
            status = status ?: StatusModel(place, scope)
        },
        scope,
        ::OpeningView,
    ).also { opening = it }

    /** The screen on top; the models of screens that are gone end. */
    fun show(stack: List<Screen>): OpenScreen<*, *> {
        val work = checkNotNull(work) { "nothing is shown before it began" }
        for (gone in open.keys - stack.toSet()) open.remove(gone)?.scope?.cancel()
        val top = open.getOrPut(stack.last()) { make(stack.last(), work) }
        for (it in late) it()
        late.clear()
        return top
    }

    /** Something that came of another app, for the field that asked for it: on the uppermost screen that has fields. */
    fun deliver(event: FieldEvent) = once {
        val screens = work?.navigator?.stack?.value?.screens.orEmpty()
        when (val model = open[screens.lastOrNull { it is Screen.Session || it is Screen.Record }]?.model) {
            is SessionModel -> model.onEvent(SessionEvent.Field(event))
            is RecordModel -> model.onEvent(RecordEvent.Field(event))
            else -> Unit
        }
    }

    /** A workflow file was chosen; none when it could not be read. */
    fun deliver(document: ByteArray?) = once {
        settings(if (document == null) SettingsEvent.FileUnreadable else SettingsEvent.WorkflowChosen(document))
    }

    /** A backup was chosen: the path of a copy of it; none when it could not be read. */
    fun deliverBackup(copy: String?) {
        val opening = opening?.model
        if (work == null && opening?.state?.value?.failure != null) {
            opening.onEvent(if (copy == null) OpeningEvent.FileUnreadable else OpeningEvent.BackupChosen(copy))
        } else {
            once { settings(if (copy == null) SettingsEvent.FileUnreadable else SettingsEvent.BackupChosen(copy)) }
        }
    }

    private fun settings(event: SettingsEvent) {
        (open[Screen.Settings]?.model as? SettingsModel)?.onEvent(event)
    }

    private fun once(deliver: () -> Unit) {
        if (work == null) late += deliver else deliver()
    }

    /** The technician has left the app for good. */
    fun close() {
        places.cancel()
        for (it in open.values) it.scope.cancel()
        scope.cancel()
    }

    private fun make(screen: Screen, work: Workplace): OpenScreen<*, *> {
        val scope = scope()
        return when (screen) {
            Screen.Workflows -> OpenScreen(WorkflowsModel(work, scope), scope, ::WorkflowsView)
            Screen.Sessions -> OpenScreen(SessionsModel(work, scope), scope, ::SessionsView)
            Screen.Outbox -> OpenScreen(OutboxModel(work, scope), scope, ::OutboxView)
            Screen.Settings -> OpenScreen(SettingsModel(work, app.secrets, Exports(app), scope), scope, ::SettingsView)
            is Screen.Workflow -> OpenScreen(WorkflowModel(screen.key, work, scope), scope, ::WorkflowView)
            is Screen.Session -> OpenScreen(SessionModel(screen.key, work, scope), scope, ::SessionView)
            is Screen.Review -> OpenScreen(ReviewModel(screen.key, work, scope), scope, ::ReviewView)
            is Screen.Record -> OpenScreen(RecordModel(screen.key, work, scope), scope, ::RecordView)
        }
    }

    private fun scope() = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
}

/** A screen's model, and how its view is made. */
class OpenScreen<S, E>(
    val model: Model<S, E>,
    val scope: CoroutineScope,
    private val make: (Surroundings, (E) -> Unit) -> ScreenView<S, E>,
) {
    /** A view that follows the model for as long as [views] lasts. */
    fun view(around: Surroundings, views: CoroutineScope): ScreenView<S, E> {
        val view = make(around, model::onEvent)
        view.bind(model.state.value)
        views.launch { model.state.collect(view::bind) }
        return view
    }
}
