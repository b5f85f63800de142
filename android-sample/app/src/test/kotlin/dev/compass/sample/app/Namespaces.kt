package dev.compass.sample.app

import android.app.job.JobScheduler
import java.util.concurrent.ConcurrentHashMap
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.annotation.RealObject
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowJobScheduler
import org.robolectric.util.ReflectionHelpers.ClassParameter

/** The schedulers of namespaces: the same one each time it is asked for, as on a phone. */
@Implements(className = "android.app.JobSchedulerImpl", isInAndroidSdk = false)
class Namespaces : ShadowJobScheduler.ShadowJobSchedulerImpl() {
    @RealObject
    private lateinit var real: JobScheduler
    private val own = ConcurrentHashMap<String, JobScheduler>()

    @Implementation
    fun forNamespace(namespace: String): JobScheduler = own.computeIfAbsent(namespace) {
        Shadow.directlyOn(real, "android.app.JobSchedulerImpl", "forNamespace", ClassParameter.from(String::class.java, it))
    }
}
