package dev.compass.core.android

import android.util.Log as AndroidLog
import dev.compass.core.CompassException

/** The library's own lines in Logcat. They contain codes and classes, never a value, a secret or a URL. */
internal object Log {
    private const val TAG = "Compass"

    fun info(what: String) {
        AndroidLog.i(TAG, what)
    }

    /** Logs only the code or the class of an error: its message may quote anything. */
    fun warn(what: String, error: Throwable? = null) {
        AndroidLog.w(TAG, if (error == null) what else "$what: ${(error as? CompassException)?.code ?: error.javaClass.simpleName}")
    }
}
