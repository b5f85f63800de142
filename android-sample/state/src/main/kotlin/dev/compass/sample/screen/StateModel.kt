package dev.compass.sample.screen

import dev.compass.core.CompassException
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/** A model that keeps its state in one place, takes events one after the other, and shows what went wrong instead of failing. */
abstract class StateModel<State, Event>(initial: State, protected val scope: CoroutineScope) : Model<State, Event> {
    private val shown = MutableStateFlow(initial)
    private var drafting: Job? = null
    private val turns = Channel<suspend () -> Unit>(Channel.UNLIMITED)

    final override val state: StateFlow<State> get() = shown

    init {
        scope.launch { for (turn in turns) guarded(turn) }
    }

    final override fun onEvent(event: Event): Unit = inTurn { take(event) }

    /** One event. A refusal of the core is shown; it changed nothing. */
    protected abstract suspend fun take(event: Event)

    /** How this screen says something. */
    protected abstract fun State.saying(notice: Notice?): State

    /** What is shown now. */
    protected val now: State get() = shown.value

    /** Shows something else. */
    protected fun show(change: State.() -> State): Unit = shown.update { it.change() }

    /** Says something once. */
    protected fun say(notice: Notice?): Unit = show { saying(notice) }

    /** Follows a flow for as long as the screen is there; its failure is shown. */
    protected fun <T> follow(flow: Flow<T>, take: suspend (T) -> Unit): Job = scope.launch {
        guarded { flow.collect { guarded { take(it) } } }
    }

    /** Work that comes after every event that is there already, and before every later one. */
    protected fun inTurn(work: suspend () -> Unit) {
        turns.trySend(work)
    }

    /** Work that takes long and holds no event up. */
    protected fun background(work: suspend () -> Unit): Job = scope.launch { guarded(work) }

    /** Keeps half-typed text, so that a dead battery costs no more than a letter. In the order of typing, also when the screen goes meanwhile. */
    protected fun keepDraft(save: suspend () -> Unit) {
        drafting = scope.launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                save()
            } catch (_: CompassException) {
                // The session is over, or the disk is full: the next real change says so.
            }
        }
    }

    /** Returns when what was typed is on flash. The last is kept last. */
    protected suspend fun draftsKept() {
        drafting?.join()
    }

    private suspend fun guarded(work: suspend () -> Unit) {
        try {
            work()
        } catch (failure: CompassException) {
            say(Notice(failure.words(), failed = true))
        }
    }
}
