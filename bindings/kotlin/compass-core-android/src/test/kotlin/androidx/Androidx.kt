// What the guide uses of AndroidX, which cannot be had here: the same names, and as little behind them as its code needs to be compiled and run.
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.lifecycle

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

abstract class ViewModel {
    /** As AndroidX has it: what nobody catches in it ends the app. A test hands the scope in. */
    var scope: CoroutineScope = CoroutineScope(SupervisorJob() + Dispatchers.Unconfined)
}

val ViewModel.viewModelScope: CoroutineScope get() = scope
