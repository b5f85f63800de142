package dev.compass.core

import dev.compass.core.internal.DiscardUndelivered as CoreDiscardUndelivered
import dev.compass.core.internal.RestoreOptions as CoreRestoreOptions

/**
 * How a database is replaced with a copy.
 *
 * ```kotlin
 * compass.shutDown()
 * Compass.restore(copy.path, RestoreOptions(path = File(folder, "compass.db").path))
 * ```
 *
 * @property path the database that is replaced.
 * @property discardUndelivered a person abandons the messages that are not delivered and not in the copy. Without it the copy is refused
 *   when there are such messages.
 */
public class RestoreOptions(
    public val path: String,
    public val discardUndelivered: DiscardUndelivered? = null,
) {
    internal fun forCore() = CoreRestoreOptions(path, discardUndelivered?.forCore())
}

/**
 * Who abandons undelivered messages, and why. Neither may be blank.
 *
 * ```kotlin
 * Compass.erase(path, DiscardUndelivered(actor = "Mia", reason = "The office has them on paper"))
 * ```
 *
 * @property actor the person.
 * @property reason the reason.
 */
public data class DiscardUndelivered(public val actor: String, public val reason: String) {
    override fun toString(): String = "DiscardUndelivered"

    internal fun forCore() = CoreDiscardUndelivered(actor, reason)
}
