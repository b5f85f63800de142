package dev.compass.core.android

import android.content.Context
import android.net.Network
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
 * What an Android app needs beside [Compass]: where the database belongs, the platform's way to send, and delivery from a background job.
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
    /** How long [flush] goes on unless told otherwise. Android ends a job after ten minutes; this leaves it time to finish by itself. */
    public val JOB_TIME: Duration = 8.minutes

    /**
     * Opens the app's database, or creates it: [databaseFile]. Callable on the main thread; all the work is done elsewhere. Delivery goes
     * through [transport].
     *
     * @param options makes the options of the database's path and the transport; here an app adds its secrets. Called on another thread.
     * @throws dev.compass.core.CompassException as [Compass.open] does.
     */
    public suspend fun open(
        context: Context,
        options: (path: String, transport: Transport) -> CompassOptions = { path, transport ->
            CompassOptions(path, transport = transport)
        },
    ): Compass {
        // Android makes this folder when it is first asked for: that is work for another thread, too.
        val given = withContext(Dispatchers.IO) { options(databaseFile(context).apply { parentFile?.mkdirs() }.path, transport()) }
        return Compass.open(given)
    }

    /**
     * A handle that is there at once and opens the app's database at its first use, as [open] does: for Hilt, Koin or a property of the
     * `Application`. [LazyCompass] says when it opens again. Nothing is done here, so a main thread may call it.
     *
     * @param options as of [open]; called at each opening.
     */
    public fun lazy(
        context: Context,
        options: (path: String, transport: Transport) -> CompassOptions = { path, transport ->
            CompassOptions(path, transport = transport)
        },
    ): LazyCompass = Compass.lazy { open(context, options) }

    /**
     * The app's database: `no_backup/compass/compass.db` in its private storage. No backup takes it along, because a copy on a second phone
     * would send again what the first has sent. Touches the disk: not for the main thread.
     */
    public fun databaseFile(context: Context): File = File(File(context.noBackupFilesDir, "compass"), "compass.db")

    /**
     * The platform's transport: it knows the phone's proxies, the certificate authorities of its administrator and the app's network
     * security configuration. While a job runs it uses the network that the job was given.
     */
    public fun transport(): HttpTransport = HttpTransport { url -> JobNetwork.current?.openConnection(url) ?: url.openConnection() }

    /**
     * Delivers what is due, from a background job: holds the handle, tells the core what network there is, and lets go. What
     * [FlushJobService] does, for apps that bring a scheduler of their own (WorkManager). Cancelling it gives running attempts up and returns
     * within two seconds.
     *
     * @param network the network the job was given; the default one when null.
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
            // Nobody watches from here on, and the next job is a new chance for all that waited for a network.
            if (!foreground) withContext(NonCancellable) { setConnectivity(Connectivity.Unknown) }
        }
    }

    internal fun connectivity(context: Context, network: Network?): Connectivity {
        val manager = context.connectivityManager()
        return (network?.let(manager::look) ?: manager.look()).connectivity
    }
}

/** One that is closed meanwhile stays so, and is not opened again for what is left to do. */
internal suspend fun Compass.ofNow(): Compass = if (this is LazyCompass) opened() else this
