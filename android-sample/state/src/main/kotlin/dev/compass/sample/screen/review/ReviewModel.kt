package dev.compass.sample.screen.review

import dev.compass.core.CompassException
import dev.compass.core.back
import dev.compass.core.complete
import dev.compass.core.model.FieldState
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionState
import dev.compass.core.model.SessionView
import dev.compass.core.model.Workflow
import dev.compass.core.workflow
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.combine

/** Review and complete. Completing needs no signal: what is to be sent is saved with it. */
class ReviewModel(private val session: String, private val work: Workplace, scope: CoroutineScope) :
    StateModel<ReviewUiState, ReviewEvent>(ReviewUiState(), scope) {
    private val compass = work.compass
    private var known: SessionView? = null
    private var workflow: Workflow? = null

    init {
        val told = combine(compass.observeSession(session), compass.observeRecord(session), compass.observeIntegration(), ::Triple)
        follow(told) { (view, record, on) ->
            val names = workflow ?: compass.workflow(view.workflow).also { workflow = it }
            known = view
            show { drawn(view, record, names, on) }
        }
    }

    override fun ReviewUiState.saying(notice: Notice?) = copy(notice = notice)

    override suspend fun take(event: ReviewEvent) {
        when (event) {
            ReviewEvent.Completed -> complete()
            is ReviewEvent.MissingOpened -> openMissing(event.field)
            ReviewEvent.Left -> work.navigator.back()
            ReviewEvent.NoticeShown -> say(null)
        }
    }

    private suspend fun complete() {
        val view = known ?: return
        show { copy(completing = true) }
        try {
            compass.complete(view, work.actor)
            // There is no way back into a session that is over.
            work.navigator.openOnRoot(Screen.Record(session))
        } catch (failure: CompassException) {
            say(Notice(failure.words(), failed = true))
        } finally {
            show { copy(completing = false) }
        }
    }

    private suspend fun openMissing(field: String) {
        val view = known ?: return
        val visit = now.missing.firstOrNull { it.field == field }?.visit
        if (visit != null && visit != view.visit) compass.back(view, visit, work.actor)
        work.navigator.back()
    }
}

private fun ReviewUiState.drawn(view: SessionView, record: SessionRecord, workflow: Workflow, integrationOn: Boolean): ReviewUiState {
    val definitions = workflow.fields.associateBy { it.key }
    return copy(
        loading = false,
        workflowName = view.workflow.name,
        sectionName = view.section.name,
        win = view.section.win,
        fields = record.fields.filter { it.section != null }
            .map { ReviewField(it.definition.name, it.state.words(it.definition), it.state is FieldState.Provided) },
        messages = view.wouldFire,
        willSend = if (view.wouldFire.isEmpty()) null else Text.Count(CountId.WILL_SEND, view.wouldFire.size),
        integrationOff = !integrationOn && view.wouldFire.isNotEmpty(),
        missing = view.completionProblems.map { problem ->
            val definition = definitions[problem.field]
            MissingField(problem.field, definition?.name ?: problem.field, problem.words(definition), problem.visit)
        },
        canComplete = view.canComplete && view.state == SessionState.IN_PROGRESS,
    )
}
