package dev.compass.sample.app.screens

import android.view.View
import android.widget.FrameLayout
import dev.compass.core.model.ActionStatus
import dev.compass.sample.app.R
import dev.compass.sample.app.field.FieldTools
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Page
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.Words
import dev.compass.sample.app.kit.visible
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.status.StatusIcon
import dev.compass.sample.screen.status.StatusUiState

/** What a screen's view is made with. */
class Surroundings(val kit: Kit, val words: Words, val tools: FieldTools, val phone: Phone)

/** What screens ask of the activity besides: other apps and the outbox behind the strip. */
interface Phone {
    /** The outbox. */
    fun openOutbox()

    /** Another of the four. */
    fun openTab(tab: Tab)

    /** Opens the phone's chooser for a workflow file. */
    fun chooseWorkflow()

    /** Opens the phone's chooser for a backup. */
    fun chooseBackup()

    /** Hands an exported file to another app. */
    fun share(path: String)
}

/**
 * Shows a state and tells what is done to it; knows nothing else. A question or a form lies over it as a page of its own.
 *
 * @param S the state.
 * @param E what a technician does.
 * @param leadsToOutbox whether a tap on the strip opens the outbox.
 */
abstract class ScreenView<S, E>(protected val around: Surroundings, protected val send: (E) -> Unit, private val leadsToOutbox: Boolean = true) {
    protected val kit: Kit = around.kit
    protected val words: Words = around.words
    protected val page = Page(kit)
    private val sheets = mutableListOf<Page>()
    private var status: StatusUiState? = null

    /** The whole of it. */
    val view = FrameLayout(kit.context).apply { addView(page) }

    /** Shows this. */
    abstract fun bind(state: S)

    /** What the strip says. */
    fun status(state: StatusUiState) {
        status = state
        for (it in listOf(page) + sheets) it.tell(state)
    }

    private fun Page.tell(state: StatusUiState) {
        val said = listOfNotNull(words.of(state.text), words.orNull(state.attention), words.orNull(state.simulated)).joinToString(" · ")
        strip.bind(state.icon.resource, said, state.icon.tone)
        if (leadsToOutbox) strip.setOnClickListener { around.phone.openOutbox() }
    }

    /** Does what the button of the bar does; false when there is none. */
    fun goBack(): Boolean {
        val top = sheets.lastOrNull { it.visibility == View.VISIBLE } ?: page
        return top.goBack?.invoke() != null
    }

    /** A page over the screen, hidden at first; [dismiss] is its way back. */
    protected fun sheet(title: CharSequence, dismiss: () -> Unit): Page = Page(kit).also {
        it.head(title, dismiss)
        status?.let { known -> it.tell(known) }
        it.visible(false)
        sheets += it
        view.addView(it)
    }

    /** Shows this page of those over the screen, or none. */
    protected fun over(shown: Page?) {
        for (it in sheets) {
            val appears = it === shown && it.visibility != View.VISIBLE
            it.visible(it === shown)
            if (appears) it.arrive()
        }
        page.visible(shown == null)
    }

    protected fun notice(state: Notice?, forget: () -> Unit) {
        for (it in listOf(page) + sheets) it.notice.bind(words.orNull(state?.text), state?.failed == true, forget)
    }

    protected fun string(resource: Int, vararg arguments: Any): String = words.string(resource, *arguments)
}

internal val StatusIcon.resource: Int
    get() = when (this) {
        StatusIcon.OPENING -> R.drawable.ic_waiting
        StatusIcon.NO_SIGNAL -> R.drawable.ic_no_signal
        StatusIcon.WAITING -> R.drawable.ic_outbox
        StatusIcon.ALL_SENT -> R.drawable.ic_sent
        StatusIcon.NEEDS_PERSON -> R.drawable.ic_attention
    }

internal val StatusIcon.tone: Tone
    get() = when (this) {
        StatusIcon.OPENING -> Tone.PLAIN
        StatusIcon.NO_SIGNAL, StatusIcon.WAITING -> Tone.WAITING
        StatusIcon.ALL_SENT -> Tone.GOOD
        StatusIcon.NEEDS_PERSON -> Tone.BAD
    }

internal val ActionStatus.resource: Int
    get() = when (this) {
        ActionStatus.NOT_FIRED -> R.drawable.ic_not_sent
        ActionStatus.PENDING -> R.drawable.ic_waiting
        ActionStatus.SENT -> R.drawable.ic_sent
        ActionStatus.FAILED -> R.drawable.ic_attention
    }

internal val ActionStatus.tone: Tone
    get() = when (this) {
        ActionStatus.NOT_FIRED -> Tone.PLAIN
        ActionStatus.PENDING -> Tone.WAITING
        ActionStatus.SENT -> Tone.GOOD
        ActionStatus.FAILED -> Tone.BAD
    }

