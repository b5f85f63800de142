package dev.compass.sample.app

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.Context
import android.content.Intent
import android.content.res.Configuration
import android.os.Bundle
import android.view.View
import android.view.WindowInsets
import android.view.WindowManager
import android.widget.FrameLayout
import dev.compass.sample.app.device.DeviceTools
import dev.compass.sample.app.device.LaterApis
import dev.compass.sample.app.device.SharedFiles
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Words
import dev.compass.sample.app.screens.Phone
import dev.compass.sample.app.screens.ScreenView
import dev.compass.sample.app.screens.Surroundings
import dev.compass.sample.app.screens.Tab
import dev.compass.sample.nav.BackStack
import dev.compass.sample.nav.Screen
import dev.compass.sample.port.Preferences
import dev.compass.sample.port.TextSize
import dev.compass.sample.screen.Workplace
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.drop
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.launch

/** The one activity: shows the screen on top, keeps out of the system's bars, and talks to other apps. */
class MainActivity : Activity(), Phone {
    private val app: SampleApp get() = application as SampleApp
    private lateinit var screens: OpenScreens
    private lateinit var tools: DeviceTools
    private lateinit var root: FrameLayout
    private lateinit var around: Surroundings
    private var views = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private var work: Workplace? = null
    private var shown: ScreenView<*, *>? = null
    private var shownScreen: Screen? = null
    private var back: Any? = null

    override fun attachBaseContext(base: Context) {
        val size = (base.applicationContext as? SampleApp)?.preferences?.preferences?.value?.textSize ?: TextSize.NORMAL
        val wanted = Configuration(base.resources.configuration).apply {
            // What the phone says already stays; more than twice as large no screen was made for.
            fontScale = maxOf(fontScale, minOf(fontScale * size.factor, LARGEST))
        }
        super.attachBaseContext(base.createConfigurationContext(wanted))
    }

    override fun onCreate(state: Bundle?) {
        setTheme(if (app.preferences.preferences.value.highContrast) R.style.Compass_Strong else R.style.Compass)
        super.onCreate(state)
        LaterApis.edgeToEdge(this)
        @Suppress("DEPRECATION")
        screens = lastNonConfigurationInstance as OpenScreens? ?: OpenScreens(app)
        tools = DeviceTools(this, screens.places, state, screens::deliver, screens::deliver, screens::deliverBackup)
        val kit = Kit(this)
        around = Surroundings(kit, Words(resources), tools, this)
        root = FrameLayout(this)
        root.setBackgroundColor(kit.palette.page)
        root.setOnApplyWindowInsetsListener(::keepOut)
        setContentView(root)
        begin(state?.getString(SCREENS))
    }

    private fun begin(saved: String?) {
        screens.work?.let { return follow(it) }
        val opening = screens.opening(saved)
        val view = opening.view(around, views)
        shown = view
        root.addView(view.view)
        views.launch {
            val open = opening.model.state.onEach { back = LaterApis.back(this@MainActivity, leads = it.question != null, back, ::goBack) }
            open.first { it.open }
            screens.work?.let(::follow)
        }
    }

    private fun follow(place: Workplace) {
        work = place
        views.launch { place.navigator.stack.collect(::show) }
        views.launch {
            // A theme and a text size are of the activity, which is made again.
            place.preferences.preferences.map { it.highContrast to it.textSize }.distinctUntilChanged().drop(1).collect { recreate() }
        }
        views.launch { place.preferences.preferences.collect { keepScreenOn(it, shownScreen) } }
        screens.status?.let { status -> views.launch { status.state.collect { shown?.status(it) } } }
    }

    private fun show(stack: BackStack) {
        val top = screens.show(stack.screens)
        app.preferences.screens = if (stack.screens.any { it is Screen.Session }) stack.save() else null
        back = LaterApis.back(this, leads = stack.canGoBack, back, ::goBack)
        if (stack.top == shownScreen) return
        shownScreen = stack.top
        tools.leave()
        val view = top.view(around, views)
        shown = view
        screens.status?.let { view.status(it.state.value) }
        root.removeAllViews()
        root.addView(view.view)
        keepScreenOn(app.preferences.preferences.value, stack.top)
    }

    private fun keepScreenOn(chosen: Preferences, screen: Screen?) {
        val wanted = chosen.keepScreenOn && (screen is Screen.Session || screen is Screen.Review)
        val flag = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        if (wanted) window.addFlags(flag) else window.clearFlags(flag)
    }

    private fun keepOut(view: View, insets: WindowInsets): WindowInsets {
        val (left, top, right, bottom) = LaterApis.covered(insets)
        view.setPadding(left, top, right, bottom)
        return insets
    }

    @Deprecated("Android 12 and older have no other")
    override fun onBackPressed() {
        @Suppress("DEPRECATION")
        if (!goBack()) super.onBackPressed()
    }

    /** What the button in the bar does; where there is none, to the screen below. False when that leaves the app. */
    private fun goBack(): Boolean = shown?.goBack() == true || work?.navigator?.back() == true

    override fun openOutbox() {
        work?.navigator?.open(Screen.Outbox)
    }

    override fun openTab(tab: Tab) {
        work?.navigator?.open(tab.screen)
    }

    override fun chooseWorkflow() = tools.chooseWorkflow()

    override fun chooseBackup() = tools.chooseBackup()

    override fun share(path: String) {
        val address = SharedFiles.export(this, File(path))
        val share = Intent(Intent.ACTION_SEND).setType("application/octet-stream").putExtra(Intent.EXTRA_STREAM, address)
            .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
        // Without it the chooser itself may not look at what it offers to share.
        share.clipData = ClipData.newRawUri(null, address)
        try {
            startActivity(Intent.createChooser(share, null))
        } catch (_: ActivityNotFoundException) {
            // A phone without any app to share with.
        }
    }

    override fun onResume() {
        super.onResume()
        tools.resumed()
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        work?.let { state.putString(SCREENS, it.navigator.save()) }
        tools.save(state)
    }

    @Deprecated("AndroidX has another; the framework has this")
    override fun onRetainNonConfigurationInstance(): Any = screens

    @Deprecated("AndroidX has another; the framework has this")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) = tools.result(request, result, data)

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) = tools.allowed(request)

    override fun onDestroy() {
        views.cancel()
        tools.leave()
        if (!isChangingConfigurations) screens.close()
        super.onDestroy()
    }

    private val TextSize.factor: Float
        get() = when (this) {
            TextSize.NORMAL -> 1f
            TextSize.LARGE -> 1.3f
            TextSize.LARGEST -> 1.7f
        }

    private companion object {
        const val SCREENS = "screens"
        const val LARGEST = 2f
    }
}
