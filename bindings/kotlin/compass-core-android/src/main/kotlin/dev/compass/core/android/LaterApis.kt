package dev.compass.core.android

import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.net.Network
import android.os.Build

/** Everything of Android that is newer than API 26, each behind its version. No other file names any of it. */
@LaterApi
internal object LaterApis {
    /** The network of a job, from Android 9 (API 28). */
    fun network(parameters: JobParameters): Network? =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) parameters.network else null

    /** Why a job is stopped, as a number of `JobParameters`, from Android 12 (API 31). */
    fun stopReason(parameters: JobParameters): Int? =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) parameters.stopReason else null

    /** The scheduler in which this namespace has its own job numbers, from Android 14 (API 34). */
    fun own(scheduler: JobScheduler, namespace: String): JobScheduler =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.UPSIDE_DOWN_CAKE) scheduler.forNamespace(namespace) else scheduler
}

/** Excludes a class from the check against API 26: it checks the version itself. */
@Retention(AnnotationRetention.BINARY)
@Target(AnnotationTarget.CLASS)
internal annotation class LaterApi
