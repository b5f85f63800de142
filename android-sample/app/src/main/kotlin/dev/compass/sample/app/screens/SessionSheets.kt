package dev.compass.sample.app.screens

import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.Page
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.TextLines
import dev.compass.sample.app.kit.Words
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.say
import dev.compass.sample.field.Keyboard
import dev.compass.sample.screen.session.SessionDialog
import dev.compass.sample.screen.session.SessionEvent
import dev.compass.sample.screen.session.SessionUiState
import dev.compass.sample.screen.session.StepUi

/** What lies over a session: a response, a note, the way back, and the two ways out of it. */
internal class SessionSheets(
    private val kit: Kit,
    private val words: Words,
    private val sheet: (CharSequence, () -> Unit) -> Page,
    private val send: (SessionEvent) -> Unit,
) {
    private val response by lazy { ResponseSheet() }
    private val note by lazy {
        Writing(R.string.session_note, R.string.note_hint, R.string.note_save, { send(SessionEvent.NoteTyped(it)) }) { send(SessionEvent.NoteSaved) }
    }
    private val steps by lazy { StepsSheet() }
    private val end by lazy {
        Writing(R.string.session_end, R.string.end_question, R.string.session_end, { send(SessionEvent.ReasonTyped(it)) }) { send(SessionEvent.EndConfirmed) }
    }
    private val discard by lazy { discardPage() }

    /** The page that is to be shown, if any. */
    fun bind(state: SessionUiState): Page? = when (val dialog = state.dialog) {
        null -> null
        is SessionDialog.Response -> response.bind(dialog)
        is SessionDialog.Note -> note.bind(dialog.text, dialog.text.isNotBlank() && !state.moving)
        is SessionDialog.Steps -> steps.bind(state.path)
        is SessionDialog.End -> end.bind(dialog.reason, dialog.canEnd && !state.moving)
        is SessionDialog.Discard -> discard
    }

    private fun leave() = send(SessionEvent.Dismissed)

    private fun string(resource: Int) = words.string(resource)

    private inner class ResponseSheet {
        private val page = sheet(string(R.string.session_responses), ::leave)
        private val name = kit.title()
        private val content = TextLines(kit, gap = 10)

        init {
            page.content.below(name)
            page.content.below(content.view)
            page.foot.below(kit.secondary(string(R.string.close), act = ::leave))
            page.foot.below(kit.primary(string(R.string.response_used)) { send(SessionEvent.ResponseUsed) })
        }

        fun bind(dialog: SessionDialog.Response): Page {
            name.say(words.of(dialog.response.label))
            content.bind(dialog.response.paragraphs)
            return page
        }
    }

    /** A line to write in, and a button. */
    private inner class Writing(title: Int, question: Int, confirm: Int, typed: (String) -> Unit, act: () -> Unit) {
        private val page = sheet(string(title), ::leave)
        private val line = Line(kit, string(question), typed)
        private val done = kit.primary(string(confirm), act)

        init {
            line.keyboard(Keyboard.TEXT, multiline = true)
            page.content.below(kit.asked(string(question), line))
            page.foot.below(kit.secondary(string(R.string.cancel), act = ::leave))
            page.foot.below(done)
        }

        fun bind(text: String, can: Boolean): Page {
            line.bind(text)
            done.isEnabled = can
            return page
        }
    }

    private inner class StepsSheet {
        private val page = sheet(string(R.string.session_steps), ::leave)
        private val rows = Rows<StepUi>(kit, key = { it.visit }) { first ->
            val button = kit.secondary(icon = R.drawable.ic_back) { send(SessionEvent.WentBackTo(first.visit)) }
            bound(button) {
                val name = if (it.answer == null) it.name else "${it.name}: ${it.answer}"
                button.say(if (it.current) words.string(R.string.step_here, name) else name)
                button.isEnabled = !it.current
            }
        }

        init {
            page.content.below(kit.body(string(R.string.steps_hint)))
            page.content.below(rows.view)
            page.foot.below(kit.secondary(string(R.string.close), act = ::leave))
        }

        fun bind(path: List<StepUi>): Page {
            rows.bind(path)
            return page
        }
    }

    private fun discardPage(): Page = sheet(string(R.string.session_discard), ::leave).also {
        it.content.below(kit.body(string(R.string.discard_question)))
        it.foot.below(kit.danger(string(R.string.discard_confirm)) { send(SessionEvent.DiscardConfirmed) })
        it.foot.below(kit.primary(string(R.string.discard_keep), ::leave))
    }
}
