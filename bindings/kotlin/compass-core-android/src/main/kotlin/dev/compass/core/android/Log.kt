package dev.compass.core.android

import android.util.Log as AndroidLog
import dev.compass.core.CompassException

/** The library's own lines in Logcat. They hold codes and classes, never a value, a secret or a URL. */
internal object Log {
    private const val TAG = "Compass"

    fun info(what: String) {
        AndroidLog.i(TAG, what)
    }

    /** Of an error its code, or its class, alone: nobody knows what a message quotes. */
    fun warn(what: String, error: Throwable? = null) {
        AndroidLog.w(TAG, if (error == null) what else "$what: ${(error as? CompassException)?.code ?: error.javaClass.simpleName}")
    }
}
