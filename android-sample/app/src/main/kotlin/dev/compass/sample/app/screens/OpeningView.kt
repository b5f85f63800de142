package dev.compass.sample.app.screens

import dev.compass.sample.app.R
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.screen.opening.OpeningEvent
import dev.compass.sample.screen.opening.OpeningUiState
import dev.compass.sample.screen.status.StatusIcon
import dev.compass.sample.screen.status.StatusUiState
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text

/** Before there is anything else to show: that it is being opened, or why it does not open and what can be done. */
class OpeningView(around: Surroundings, send: (OpeningEvent) -> Unit) :
    ScreenView<OpeningUiState, OpeningEvent>(around, send, leadsToOutbox = false) {
    private val said = kit.body()
    private val save = kit.secondary(string(R.string.opening_save), R.drawable.ic_outbox) { send(OpeningEvent.SaveTapped) }
    private val saved = kit.card(12)
    private val unsent = kit.strong()
    private val gaps = kit.body()
    private val share = kit.secondary(string(R.string.settings_share), R.drawable.ic_send) { path?.let(around.phone::share) }
    private val putBack = kit.secondary(string(R.string.opening_put_back), R.drawable.ic_back) { around.phone.chooseBackup() }
    private val startOver = kit.danger(string(R.string.opening_start_over)) { send(OpeningEvent.StartOverTapped) }
    private val again = kit.primary(string(R.string.again)) { send(OpeningEvent.Retried) }
    private val answers = DataAnswers(
        confirm = { send(OpeningEvent.Confirmed) },
        leave = { send(OpeningEvent.Dismissed) },
        reason = { send(OpeningEvent.DiscardReasonTyped(it)) },
        actor = { send(OpeningEvent.DiscardActorTyped(it)) },
    )
    private val questions = DataSheets(kit, words, ::sheet, opens = false, answers)
    private var path: String? = null

    init {
        page.head(string(R.string.app_name), goBack = null)
        saved.below(kit.heading(string(R.string.opening_saved)))
        for (it in listOf(unsent, gaps, kit.body(string(R.string.opening_saved_hint)), share)) saved.below(it)
        for (it in listOf(said, save, saved, putBack, startOver)) page.content.below(it)
        page.foot.below(again)
    }

    override fun bind(state: OpeningUiState) {
        val failure = state.failure
        status(
            if (failure == null) StatusUiState(StatusIcon.OPENING, text(TextId.STATUS_OPENING)) else StatusUiState(StatusIcon.NEEDS_PERSON, failure),
        )
        said.say(
            string(
                when {
                    failure == null -> R.string.loading
                    state.canReplace -> R.string.cannot_open_damaged
                    else -> R.string.cannot_open
                },
            ),
        )
        path = state.saved?.path
        save.visible(state.canSave)
        saved.visible(state.saved != null)
        unsent.say(words.orNull(state.saved?.unsent))
        gaps.visible(state.saved?.gaps != null)
        gaps.say(words.orNull(state.saved?.gaps))
        for (button in listOf(putBack, startOver)) button.visible(state.canReplace)
        again.visible(failure != null)
        for (button in listOf(save, putBack, startOver, again)) button.isEnabled = !state.working
        over(questions.bind(state.question, state.working))
        notice(state.notice) { send(OpeningEvent.NoticeShown) }
    }
}
