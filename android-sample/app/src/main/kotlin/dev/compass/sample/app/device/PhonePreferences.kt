package dev.compass.sample.app.device

import android.content.Context
import android.content.SharedPreferences
import android.os.StrictMode
import dev.compass.sample.port.PreferenceStore
import dev.compass.sample.port.Preferences
import dev.compass.sample.port.TextSize
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.withContext

/** What the technician chose, in the app's shared preferences; and where in the app a session was open, for a battery that dies. */
class PhonePreferences(context: Context) : PreferenceStore {
    private val file: SharedPreferences
    private val chosen: MutableStateFlow<Preferences>

    init {
        // The first screen needs its theme before it can be drawn: a small file, read once.
        val before = StrictMode.allowThreadDiskReads()
        file = context.getSharedPreferences("technician", Context.MODE_PRIVATE)
        chosen = MutableStateFlow(read())
        StrictMode.setThreadPolicy(before)
    }

    override val preferences: StateFlow<Preferences> get() = chosen

    /** The screens above which a session was open; none when none was. */
    var screens: String?
        get() = file.getString(SCREENS, null)
        set(value) = file.edit().putString(SCREENS, value).apply()

    override suspend fun set(preferences: Preferences) {
        chosen.value = preferences
        withContext(Dispatchers.IO) {
            file.edit()
                .putString(ACTOR, preferences.actor)
                .putString(TEXT_SIZE, preferences.textSize.name)
                .putBoolean(HIGH_CONTRAST, preferences.highContrast)
                .putBoolean(KEEP_SCREEN_ON, preferences.keepScreenOn)
                .commit()
        }
    }

    private fun read(): Preferences {
        val fresh = Preferences()
        return Preferences(
            actor = file.getString(ACTOR, null) ?: fresh.actor,
            textSize = TextSize.entries.firstOrNull { it.name == file.getString(TEXT_SIZE, null) } ?: fresh.textSize,
            highContrast = file.getBoolean(HIGH_CONTRAST, fresh.highContrast),
            keepScreenOn = file.getBoolean(KEEP_SCREEN_ON, fresh.keepScreenOn),
        )
    }

    private companion object {
        const val ACTOR = "actor"
        const val TEXT_SIZE = "text_size"
        const val HIGH_CONTRAST = "high_contrast"
        const val KEEP_SCREEN_ON = "keep_screen_on"
        const val SCREENS = "screens"
    }
}
