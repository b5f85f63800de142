package dev.compass.sample.app.screens

import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.read
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.screen.outbox.OutboxEvent
import dev.compass.sample.screen.outbox.OutboxRow
import dev.compass.sample.screen.outbox.OutboxUiState

/** What is saved and not delivered: first what needs a person. */
class OutboxView(around: Surroundings, send: (OutboxEvent) -> Unit) : RootView<OutboxUiState, OutboxEvent>(around, Tab.OUTBOX, send) {
    private val waiting = kit.body(string(R.string.loading))
    private val numbers = kit.card(6)
    private val count = kit.title()
    private val oldest = kit.body()
    private val next = kit.body()
    private val empty = kit.badge()
    private val personsHead = kit.heading()
    private val persons = Rows<OutboxRow>(kit, key = { "${it.session} ${it.action}" }, make = ::row)
    private val linesHead = kit.heading(string(R.string.outbox_lines))
    private val lines = Rows<OutboxRow>(kit, key = { "${it.session} ${it.action}" }, make = ::row)
    private val more = kit.secondary(string(R.string.more)) { send(OutboxEvent.MoreAsked) }
    private val again = kit.secondary(string(R.string.outbox_again)) { send(OutboxEvent.SendFailedAgain) }
    private val now = kit.primary { send(OutboxEvent.SendNow) }

    init {
        for (part in listOf(count, oldest, next)) numbers.below(part)
        for (part in listOf(waiting, empty, numbers, personsHead, persons.view, linesHead, lines.view, more)) page.content.below(part)
        page.foot.below(again)
        page.foot.below(now)
    }

    override fun bind(state: OutboxUiState) {
        waiting.visible(state.loading)
        empty.bind(R.drawable.ic_sent, if (state.empty) string(R.string.outbox_empty) else null, Tone.GOOD)
        numbers.visible(state.waiting != null)
        count.say(words.orNull(state.waiting))
        oldest.say(state.oldest?.let { string(R.string.outbox_oldest, words.of(it)) })
        next.say(state.nextAttempt?.let { string(R.string.outbox_next, words.of(it)) })
        personsHead.say(words.orNull(state.needsPerson))
        persons.bind(state.persons)
        linesHead.visible(state.lines.isNotEmpty())
        lines.bind(state.lines)
        more.visible(state.more)
        again.visible(state.canSendFailedAgain)
        again.isEnabled = !state.sending
        now.visible(state.canSendNow || state.sending)
        now.isEnabled = !state.sending
        now.read(string(if (state.sending) R.string.outbox_sending else R.string.outbox_send))
        notice(state.notice) { send(OutboxEvent.NoticeShown) }
    }

    private fun row(first: OutboxRow): Bound<OutboxRow> {
        val name = kit.strong()
        val card = kit.pressableCard(name) { send(OutboxEvent.Opened(first.session)) }
        val status = card.below(kit.badge())
        val of = card.below(kit.body())
        val saved = card.below(kit.quiet())
        val detail = card.below(kit.body())
        val warning = card.below(kit.body())
        return bound(card) {
            name.say(string(R.string.action_to, it.name, it.endpoint))
            status.bind(it.state.resource, listOfNotNull(words.of(it.status), words.orNull(it.reason)).joinToString(": "), it.state.tone)
            of.say(it.workflowName)
            saved.say(string(R.string.outbox_saved, words.of(it.savedAt)))
            detail.say(listOfNotNull(words.orNull(it.attempts), words.orNull(it.detail)).joinToString(" · ").ifEmpty { null })
            warning.say(words.orNull(it.warning))
        }
    }
}
