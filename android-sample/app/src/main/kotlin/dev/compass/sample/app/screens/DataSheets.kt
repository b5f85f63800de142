package dev.compass.sample.app.screens

import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.Page
import dev.compass.sample.app.kit.Words
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.field.Keyboard
import dev.compass.sample.screen.settings.DataQuestion

/** What is done to a [DataQuestion]. */
internal class DataAnswers(
    val confirm: () -> Unit,
    val leave: () -> Unit,
    val reason: (String) -> Unit,
    val actor: (String) -> Unit,
)

/** What lies over a screen before what is on the phone is replaced or erased; [opens] where it can be opened. */
internal class DataSheets(
    private val kit: Kit,
    private val words: Words,
    private val sheet: (CharSequence, () -> Unit) -> Page,
    private val opens: Boolean,
    private val answers: DataAnswers,
) {
    private val putBack by lazy {
        Question(if (opens) R.string.settings_put_back else R.string.opening_put_back, R.string.put_back_question, R.string.put_back_confirm)
    }
    private val erase by lazy {
        if (opens) {
            Question(R.string.settings_erase, R.string.erase_question, R.string.erase_confirm)
        } else {
            Question(R.string.opening_start_over, R.string.opening_start_over_question, R.string.erase_confirm)
        }
    }
    private val sure by lazy { Question(R.string.erase_sure_title, R.string.erase_sure_question, R.string.erase_sure_confirm) }
    private val undelivered by lazy { UndeliveredPage() }

    /** The page that is to be shown, if any. */
    fun bind(question: DataQuestion?, working: Boolean): Page? = when (question) {
        null -> null
        is DataQuestion.PutBack -> putBack.bind(working)
        is DataQuestion.Erase -> (if (question.sure) sure else erase).bind(working)
        is DataQuestion.Undelivered -> undelivered.bind(question, working)
    }

    private fun string(resource: Int) = words.string(resource)

    private inner class Question(title: Int, question: Int, confirm: Int) {
        private val page = sheet(string(title), answers.leave)
        private val yes = kit.danger(string(confirm), answers.confirm)

        init {
            page.content.below(kit.body(string(question)))
            page.foot.below(yes)
            page.foot.below(kit.primary(string(R.string.cancel), answers.leave))
        }

        fun bind(working: Boolean): Page {
            yes.isEnabled = !working
            return page
        }
    }

    private inner class UndeliveredPage {
        private val page = sheet(string(R.string.undelivered_title), answers.leave)
        private val lost = kit.strong()
        private val why = Line(kit, string(R.string.abandon_reason), typed = answers.reason)
        private val who = Line(kit, string(R.string.settings_actor), typed = answers.actor)
        private val asksWho = kit.asked(string(R.string.settings_actor), who)
        private val give = kit.danger(string(R.string.undelivered_confirm), answers.confirm)

        init {
            for (line in listOf(why, who)) line.keyboard(Keyboard.TEXT)
            page.content.below(lost)
            page.content.below(kit.body(string(if (opens) R.string.undelivered_question else R.string.opening_undelivered_question)))
            for (part in listOf(kit.asked(string(R.string.abandon_reason), why), asksWho)) page.content.below(part)
            page.foot.below(give)
            page.foot.below(kit.primary(string(R.string.cancel), answers.leave))
        }

        fun bind(asked: DataQuestion.Undelivered, working: Boolean): Page {
            lost.say(words.of(asked.lost))
            why.bind(asked.reason)
            asksWho.visible(asked.asksActor)
            who.bind(asked.actor)
            give.isEnabled = asked.canDiscard && !working
            return page
        }
    }
}
