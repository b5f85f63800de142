package dev.compass.sample.app.device

import android.app.Activity
import android.content.Context
import android.os.Build
import android.view.View
import android.view.WindowInsets
import android.view.accessibility.AccessibilityManager
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher

/** Everything of Android that is newer than API 26, each behind its version. No other file names any of it. */
@LaterApi
internal object LaterApis {
    /** Screen readers jump from heading to heading, from Android 9 (API 28). */
    fun heading(view: View) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) view.isAccessibilityHeading = true
    }

    /** The name of a screen, read out when it appears, from Android 9 (API 28). */
    fun paneTitle(view: View, title: CharSequence) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) view.accessibilityPaneTitle = title
    }

    /**
     * The way back, from Android 13 (API 33); before, Android calls `onBackPressed`. While it [leads] nowhere in the app, Android shows
     * what lies behind it as the gesture begins. Gives what takes the way away again.
     */
    fun back(activity: Activity, leads: Boolean, before: Any?, go: () -> Unit): Any? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU || leads == (before != null)) return before
        if (before != null) {
            activity.onBackInvokedDispatcher.unregisterOnBackInvokedCallback(before as OnBackInvokedCallback)
            return null
        }
        return OnBackInvokedCallback { go() }.also {
            activity.onBackInvokedDispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, it)
        }
    }

    /** How long words stay that one has to read, from Android 10 (API 29); [usual] before. In milliseconds. */
    fun timeToRead(context: Context, usual: Int): Long {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return usual.toLong()
        val manager = context.getSystemService(AccessibilityManager::class.java) ?: return usual.toLong()
        val content = AccessibilityManager.FLAG_CONTENT_TEXT or AccessibilityManager.FLAG_CONTENT_CONTROLS
        return manager.getRecommendedTimeoutMillis(usual, content).toLong()
    }

    /** What the system's bars, a cut-out and the keyboard cover: left, top, right, bottom, in pixels. */
    fun covered(insets: WindowInsets): IntArray =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            val all = insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime())
            intArrayOf(all.left, all.top, all.right, all.bottom)
        } else {
            @Suppress("DEPRECATION")
            insets.run { intArrayOf(systemWindowInsetLeft, systemWindowInsetTop, systemWindowInsetRight, systemWindowInsetBottom) }
        }

    /** Draws behind the system's bars, as every app does from Android 15 (API 35). */
    fun edgeToEdge(activity: Activity) {
        // From Android 15 (API 35) on it is so in any case.
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.VANILLA_ICE_CREAM) return
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            @Suppress("DEPRECATION")
            activity.window.setDecorFitsSystemWindows(false)
        } else {
            @Suppress("DEPRECATION")
            activity.window.decorView.systemUiVisibility = activity.window.decorView.systemUiVisibility or
                View.SYSTEM_UI_FLAG_LAYOUT_STABLE or View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN or View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION
        }
    }
}

/** Lets the check against API 26 pass what is guarded by hand. */
@Retention(AnnotationRetention.BINARY)
@Target(AnnotationTarget.CLASS)
internal annotation class LaterApi
