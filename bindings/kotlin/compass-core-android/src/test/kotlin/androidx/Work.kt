// Like Androidx.kt, for WorkManager.
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.work

import android.content.Context
import android.net.Network

class WorkerParameters(val network: Network? = null)

abstract class ListenableWorker(val applicationContext: Context, private val parameters: WorkerParameters) {
    val network: Network? get() = parameters.network

    sealed class Result {
        data object Success : Result()
        data object Retry : Result()

        companion object {
            fun success(): Result = Success
            fun retry(): Result = Retry
        }
    }
}

abstract class CoroutineWorker(context: Context, parameters: WorkerParameters) : ListenableWorker(context, parameters) {
    abstract suspend fun doWork(): Result
}

enum class NetworkType { CONNECTED }
enum class ExistingWorkPolicy { REPLACE }

class Constraints {
    class Builder {
        fun setRequiredNetworkType(type: NetworkType) = this
        fun build() = Constraints()
    }
}

class OneTimeWorkRequest {
    class Builder {
        fun setConstraints(constraints: Constraints) = this
        fun build() = OneTimeWorkRequest()
    }
}

inline fun <reified W : ListenableWorker> OneTimeWorkRequestBuilder() = OneTimeWorkRequest.Builder()

/** Keeps the last request. */
class WorkManager {
    var enqueued: OneTimeWorkRequest? = null

    fun enqueueUniqueWork(name: String, policy: ExistingWorkPolicy, request: OneTimeWorkRequest) {
        enqueued = request
    }

    companion object {
        private val one = WorkManager()
        fun getInstance(context: Context) = one
    }
}
