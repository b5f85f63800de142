package dev.compass.sample.port

import dev.compass.core.CompassException
import dev.compass.core.DiscardUndelivered
import dev.compass.core.model.SalvageReport
import kotlinx.coroutines.flow.StateFlow

/** How large the app's text is, over what the phone says. */
enum class TextSize { NORMAL, LARGE, LARGEST }

/**
 * What the technician chose for this phone. The defaults are those of a new phone.
 *
 * @property actor the technician's name; goes into records.
 * @property keepScreenOn whether the screen stays on in a session.
 */
data class Preferences(
    val actor: String = "",
    val textSize: TextSize = TextSize.NORMAL,
    val highContrast: Boolean = false,
    val keepScreenOn: Boolean = true,
)

/** Keeps [Preferences]; the app does so in its shared preferences. Setting returns when they are kept. */
interface PreferenceStore {
    /** What is chosen now. */
    val preferences: StateFlow<Preferences>

    /** Chooses something else. */
    suspend fun set(preferences: Preferences)
}

/** Keeps secrets, and shows none again; the app does so in Android's key store. What cannot be kept is thrown as a [CompassException]. */
interface SecretVault {
    /** Stores a secret under a name. */
    suspend fun put(name: String, secret: String)

    /** Whether there is one. */
    suspend fun has(name: String): Boolean

    /** Forgets every secret. */
    suspend fun removeAll()
}

/** Where exports go: a folder of the app that it shares from. What cannot be written is thrown as a [CompassException]. */
interface ExportFolder {
    /** The path of a file of this name that is not there yet. */
    suspend fun path(name: String): String

    /** Writes a text file; gives its path. */
    suspend fun write(name: String, text: String): String

    /** Removes the file at this path; when there is none, does nothing. */
    suspend fun remove(path: String)

    /** The path of a file of this name that is there. */
    suspend fun find(name: String): String?

    /** Removes every file that the app keeps beside its database: exports, photos, signatures; but not the export of the name [keep]. */
    suspend fun clear(keep: String? = null)
}

/** What can be done to the database whether or not it opens. */
interface Database {
    /**
     * Puts a backup in the place of the database, all of it. Refused with `undelivered` where messages would be lost, unless a person
     * gives them up. The flows go on with what is there then, also after a refusal.
     */
    suspend fun putBack(copy: String, discard: DiscardUndelivered? = null)

    /** Removes the database; an empty one takes its place. Refused as [putBack] is. */
    suspend fun erase(discard: DiscardUndelivered? = null)

    /** Writes what can still be read of the database to a file that is not there yet, unsent messages first. It stays as it is. */
    suspend fun salvage(to: String): SalvageReport
}
