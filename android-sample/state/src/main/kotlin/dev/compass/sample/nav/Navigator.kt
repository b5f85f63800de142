package dev.compass.sample.nav

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.update

/** Where the technician is. Models move it; the one activity shows its top and saves it. */
class Navigator(saved: String? = null) {
    private val current = MutableStateFlow(BackStack.restore(saved))

    /** The screens, the shown one last. */
    val stack: StateFlow<BackStack> get() = current

    /** Opens a screen above this one. */
    fun open(screen: Screen): Unit = current.update { it.open(screen) }

    /** Opens a screen right above the root: there is no way back to what lay between. */
    fun openOnRoot(screen: Screen): Unit = current.update { it.openOnRoot(screen) }

    /** One back; false when that leaves the app. */
    fun back(): Boolean {
        if (!current.value.canGoBack) return false
        current.update { it.back() }
        return true
    }

    /** What to keep when the process may die. */
    fun save(): String = current.value.save()
}
