package dev.compass.sample.app

import android.app.Activity
import android.graphics.Bitmap
import android.os.Bundle
import android.view.View
import dev.compass.sample.app.field.FieldTools
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Words
import dev.compass.sample.app.screens.Phone
import dev.compass.sample.app.screens.Surroundings
import dev.compass.sample.app.screens.Tab
import java.time.LocalDate
import java.time.LocalTime
import java.util.TimeZone
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment

/** How the phone and the app are set: everything that a screen must look right in. */
enum class Look(val qualifiers: String, val fontScale: Float = 1f, val strong: Boolean = false, val contrast: Double = 4.5) {
    LIGHT("en-rGB-ldltr-w411dp-h891dp-notnight"),
    DARK("en-rGB-ldltr-w411dp-h891dp-night"),
    STRONG("en-rGB-ldltr-w411dp-h891dp-notnight", strong = true, contrast = 7.0),
    STRONG_DARK("en-rGB-ldltr-w411dp-h891dp-night", strong = true, contrast = 7.0),
    LARGE("en-rGB-ldltr-w411dp-h891dp-notnight", fontScale = 2f),
    LARGE_ON_SMALL("en-rGB-ldltr-w320dp-h568dp-notnight", fontScale = 2f),
    ARABIC("ar-rEG-ldrtl-w411dp-h891dp-notnight"),
    ARABIC_LARGE("ar-rEG-ldrtl-w411dp-h891dp-notnight", fontScale = 2f);

    val arabic: Boolean get() = qualifiers.startsWith("ar")
}

/** An activity with a screen in it, without the rest of the app. */
class Stage : Activity() {
    override fun onCreate(state: Bundle?) {
        setTheme(if (look.strong) R.style.Compass_Strong else R.style.Compass)
        super.onCreate(state)
    }

    companion object {
        private var look = Look.LIGHT

        /** Shows the example of this name; gives what is drawn. */
        fun show(name: String, on: Look, density: String = "mdpi"): View {
            look = on
            TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
            RuntimeEnvironment.setQualifiers("${on.qualifiers}-$density")
            RuntimeEnvironment.setFontScale(on.fontScale)
            val activity = Robolectric.buildActivity(Stage::class.java).setup().get()
            val around = Surroundings(Kit(activity), Words(activity.resources), NoTools, NoPhone)
            val view = Examples(on.arabic).named(name).show(around).view
            activity.setContentView(view)
            org.robolectric.shadows.ShadowLooper.idleMainLooper()
            return view
        }
    }
}

private object NoTools : FieldTools {
    override fun pickDay(begin: LocalDate?, min: LocalDate?, max: LocalDate?, picked: (LocalDate) -> Unit) = Unit
    override fun pickTime(begin: LocalTime?, picked: (LocalTime) -> Unit) = Unit
    override fun locate(field: String) = Unit
    override fun takePhoto(field: String) = Unit
    override fun chooseFile(field: String, mediaTypes: List<String>) = Unit
    override fun keepSignature(field: String, picture: Bitmap) = Unit
}

private object NoPhone : Phone {
    override fun openOutbox() = Unit
    override fun openTab(tab: Tab) = Unit
    override fun chooseWorkflow() = Unit
    override fun chooseBackup() = Unit
    override fun share(path: String) = Unit
}
