package dev.compass.sample.screen.review

import dev.compass.sample.gateway.FieldInfo
import dev.compass.sample.gateway.GatewayFailure
import dev.compass.sample.gateway.Holding
import dev.compass.sample.gateway.RecordNow
import dev.compass.sample.gateway.SessionNow
import dev.compass.sample.gateway.SessionState
import dev.compass.sample.gateway.WorkflowOutline
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
    private var known: SessionNow? = null
    private var outline: WorkflowOutline? = null

    init {
        val gateway = work.gateway
        follow(combine(gateway.session(session), gateway.record(session), gateway.integrationEnabled(), ::Triple)) { (view, record, on) ->
            val names = outline ?: gateway.outlineOf(view).also { outline = it }
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
            work.gateway.complete(session, view.visit, work.actor)
            // There is no way back into a session that is over.
            work.navigator.openOnRoot(Screen.Record(session))
        } catch (failure: GatewayFailure) {
            say(Notice(failure.words(), failed = true))
        } finally {
            show { copy(completing = false) }
        }
    }

    private suspend fun openMissing(field: String) {
        val view = known ?: return
        val visit = now.missing.firstOrNull { it.field == field }?.visit
        if (visit != null && visit != view.visit) work.gateway.back(session, view.visit, visit, work.actor)
        work.navigator.back()
    }
}

private fun ReviewUiState.drawn(view: SessionNow, record: RecordNow, outline: WorkflowOutline, integrationOn: Boolean): ReviewUiState {
    val infos: Map<String, FieldInfo> = outline.sections.flatMap { it.fields }.associateBy { it.key }
    return copy(
        loading = false,
        workflowName = view.workflow.name,
        sectionName = view.sectionName,
        win = view.win,
        fields = record.fields.filter { it.onPath }
            .map { ReviewField(it.info.name, it.holding.words(it.info), it.holding is Holding.Given) },
        messages = view.messages.map { ReviewMessage(it.name, it.endpoint) },
        willSend = if (view.messages.isEmpty()) null else Text.Count(CountId.WILL_SEND, view.messages.size),
        integrationOff = !integrationOn && view.messages.isNotEmpty(),
        missing = view.completionProblems.map { problem ->
            val info = infos[problem.field]
            MissingField(problem.field, info?.name ?: problem.field, problem.words(info), problem.visit)
        },
        canComplete = view.canComplete && view.state == SessionState.IN_PROGRESS,
    )
}
