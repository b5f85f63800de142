package dev.compass.core.android.quickstart

import android.content.Context
import androidx.work.Constraints
import androidx.work.CoroutineWorker
import androidx.work.ExistingWorkPolicy
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import dev.compass.core.CompassException
import dev.compass.core.android.CompassAndroid
import dev.compass.core.android.CompassHost

// The following code is in docs/embedding-android.md, line for line.
class FlushWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result = try {
        val compass = (applicationContext as CompassHost).compass()
        CompassAndroid.flush(applicationContext, compass, network)
        // What needs a person is not due, however often it is tried.
        val due = compass.nextDue()
        if (due.at == null && due.atNeedsUnmetered == null && due.whenOnline == null) Result.success() else Result.retry()
    } catch (failed: CompassException) {
        Result.retry()
    }
}

/** After each `complete` and `send`, and when the app goes. One that waits out a pause, or runs, makes room. */
fun deliverLater(context: Context) {
    val network = Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build()
    val work = OneTimeWorkRequestBuilder<FlushWorker>().setConstraints(network).build()
    WorkManager.getInstance(context).enqueueUniqueWork("compass", ExistingWorkPolicy.REPLACE, work)
}
