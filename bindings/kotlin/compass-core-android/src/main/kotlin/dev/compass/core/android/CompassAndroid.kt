package dev.compass.core.android

import android.annotation.SuppressLint
import android.content.Context
import android.net.Network
import android.provider.Settings
import dev.compass.core.Compass
import dev.compass.core.CompassOptions
import dev.compass.core.HttpTransport
import dev.compass.core.LazyCompass
import dev.compass.core.Transport
import dev.compass.core.held
import dev.compass.core.model.Connectivity
import dev.compass.core.model.FlushReport
import java.io.File
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/**
 * What an Android app needs beside [Compass]: the place of the database, the platform's transport, and delivery from a background job.
 *
 * ```kotlin
 * class FieldApp : Application(), CompassHost {
 *     val compass = CompassAndroid.lazy(this)
 *     override suspend fun compass(): Compass = compass
 *     override fun onCreate() {
 *         super.onCreate()
 *         AutomaticDelivery.start(this)
 *     }
 * }
 * ```
 */
public object CompassAndroid {
    /** The default deadline of [flush]. Android ends a job after ten minutes; with this deadline it ends before. */
    public val JOB_TIME: Duration = 8.minutes

    /**
     * Opens the app's database, or creates it: [databaseFile]. May be called on the main thread; the work is done on other threads.
     * [transport] sends the messages. The device is named by `Settings.Secure.ANDROID_ID` if the options do not name it
     * ([CompassOptions.device]): the id never leaves the phone, and only its hash is stored.
     *
     * @param options makes the options from the path of the database and the transport; an app adds its secrets here. Called on another
     *   thread.
     * @throws dev.compass.core.CompassException as [Compass.open] does.
     */
    public suspend fun open(
        context: Context,
        options: (path: String, transport: Transport) -> CompassOptions = { path, transport ->
            CompassOptions(path, transport = transport)
        },
    ): Compass {
        // Android creates this folder at the first call, and is asked for the id, so that runs on another thread, too.
        val given = withContext(Dispatchers.IO) { given(context, options).apply { device = device ?: deviceId(context) } }
        return Compass.open(given)
    }

    private fun given(context: Context, options: (path: String, transport: Transport) -> CompassOptions) =
        options(databaseFile(context).apply { parentFile?.mkdirs() }.path, transport())

    // It stays on the phone: the core stores its hash alone.
    @SuppressLint("HardwareIds")
    private fun deviceId(context: Context): String? =
        Settings.Secure.getString(context.contentResolver, Settings.Secure.ANDROID_ID)

    /**
     * Returns at once a handle that opens the app's database at its first use, as [open] does: for Hilt, Koin or a property of the
     * `Application`. [LazyCompass] says when it opens again. This call does no work, so a main thread may make it.
     *
     * @param options as for [open]; called at each opening, and for the path of the file that `whileClosed`, `restore` and `erase` work on.
     */
    public fun lazy(
        context: Context,
        options: (path: String, transport: Transport) -> CompassOptions = { path, transport ->
            CompassOptions(path, transport = transport)
        },
    ): LazyCompass = Compass.lazy({ given(context, options).path }) { open(context, options) }

    /**
     * The app's database: `no_backup/compass/compass.db` in its private storage. It is in no backup, because a copy on a second phone would
     * send messages again that the first has sent. Uses the disk: do not call it on the main thread.
     */
    public fun databaseFile(context: Context): File = File(File(context.noBackupFilesDir, "compass"), "compass.db")

    /**
     * The platform's transport: it uses the phone's proxies, the certificate authorities of its administrator and the app's network
     * security configuration. While a job runs it uses the network of the job.
     */
    public fun transport(): HttpTransport = HttpTransport { url -> JobNetwork.current?.openConnection(url) ?: url.openConnection() }

    /**
     * Delivers due messages from a background job: holds the handle, reports the network to the core, and releases the hold.
     * [FlushJobService] does this; it is for apps that use another scheduler (WorkManager). Cancelling it cancels running attempts and
     * returns within two seconds.
     *
     * @param network the network of the job; the default one when null.
     */
    public suspend fun flush(
        context: Context,
        compass: Compass,
        network: Network? = null,
        deadline: Duration = JOB_TIME,
    ): FlushReport = compass.ofNow().held {
        val foreground = AutomaticDelivery.watchesNetwork
        if (!foreground) setConnectivity(connectivity(context, network))
        try {
            JobNetwork.using(network) { flush(deadline) }
        } finally {
            // The network is not watched from here on, and the next job shall try all messages that waited for a network.
            if (!foreground) withContext(NonCancellable) { setConnectivity(Connectivity.Unknown) }
        }
    }

    internal fun connectivity(context: Context, network: Network?): Connectivity {
        val manager = context.connectivityManager()
        return (network?.let(manager::look) ?: manager.look()).connectivity
    }
}

/** The handle that is open now: if it is closed meanwhile, remaining work does not open it again. */
internal suspend fun Compass.ofNow(): Compass = if (this is LazyCompass) opened() else this
