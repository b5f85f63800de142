// The parts of AndroidX that the guide uses: AndroidX is not available here. They have the same names and only what the guide's code needs
// to be compiled and run.
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.lifecycle

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

abstract class ViewModel {
    /** As in AndroidX: an uncaught error in it ends the app. A test sets the scope. */
    var scope: CoroutineScope = CoroutineScope(SupervisorJob() + Dispatchers.Unconfined)
}

val ViewModel.viewModelScope: CoroutineScope get() = scope
