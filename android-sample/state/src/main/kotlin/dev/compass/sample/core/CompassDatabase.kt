package dev.compass.sample.core

import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.DiscardUndelivered
import dev.compass.core.LazyCompass
import dev.compass.core.RestoreOptions
import dev.compass.core.model.SalvageReport
import dev.compass.sample.port.Database
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/**
 * The database under the app's handle.
 *
 * @param path where it is; it need not open.
 */
class CompassDatabase(private val compass: LazyCompass, private val path: suspend () -> String) : Database {
    override suspend fun putBack(copy: String, discard: DiscardUndelivered?) =
        replace { Compass.restore(copy, RestoreOptions(it, discard)) }

    override suspend fun erase(discard: DiscardUndelivered?) = replace { Compass.erase(it, discard) }

    private suspend fun replace(work: suspend (path: String) -> Unit) {
        var done = false
        try {
            compass.whileClosed { work(path()) }
            done = true
        } finally {
            // Also after a refusal, and for screens that outlive this one: the app goes on with what is there now. Where that does not open,
            // the refusal is what there is to say.
            withContext(NonCancellable) {
                try {
                    compass.opened()
                } catch (closed: CompassException) {
                    if (done) throw closed
                }
            }
        }
    }

    override suspend fun salvage(to: String): SalvageReport = Compass.salvage(path(), to)
}
