package dev.compass.sample.screen

import kotlinx.coroutines.flow.StateFlow

/**
 * A screen without its view: what it shows, and what may be done to it.
 *
 * ```kotlin
 * scope.launch { model.state.collect(view::show) }
 * button.setOnClickListener { model.onEvent(WorkflowsEvent.Started(key)) }
 * ```
 *
 * A model lives as long as the scope it was given, whose dispatcher is the main thread; it keeps nothing that is not on flash except open
 * dialogs. Events may come from any thread and are taken one after the other.
 */
interface Model<State, Event> {
    /** What the screen shows now. */
    val state: StateFlow<State>

    /** Something was done. Returns at once. */
    fun onEvent(event: Event)
}
