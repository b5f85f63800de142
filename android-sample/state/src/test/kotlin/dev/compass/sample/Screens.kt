package dev.compass.sample

import dev.compass.core.CompassException
import dev.compass.core.model.Connectivity
import dev.compass.core.testing.FakeState
import dev.compass.sample.core.PhoneNetwork
import dev.compass.sample.nav.Navigator
import dev.compass.sample.port.ExportFolder
import dev.compass.sample.port.PreferenceStore
import dev.compass.sample.port.Preferences
import dev.compass.sample.port.SecretVault
import dev.compass.sample.screen.Model
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import java.util.Locale
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals

class FakePreferences(preferences: Preferences = Preferences(actor = "Jo")) : PreferenceStore {
    override val preferences = MutableStateFlow(preferences)

    override suspend fun set(preferences: Preferences) {
        this.preferences.value = preferences
    }
}

class FakeVault : SecretVault {
    val secrets = mutableMapOf<String, String>()
    var failure: CompassException? = null

    override suspend fun put(name: String, secret: String) {
        failure?.let { throw it }
        secrets[name] = secret
    }

    override suspend fun has(name: String): Boolean = name in secrets

    override suspend fun removeAll() = secrets.clear()
}

class FakeExports : ExportFolder {
    val written = mutableMapOf<String, String>()
    val removed = mutableListOf<String>()
    var cleared = false
    var kept: String? = null

    override suspend fun path(name: String): String = "/exports/$name"

    override suspend fun write(name: String, text: String): String {
        written[name] = text
        return path(name)
    }

    override suspend fun remove(path: String) {
        removed += path
    }

    override suspend fun find(name: String): String? = if (name == kept) "/exports/$name" else null

    override suspend fun clear(keep: String?) {
        cleared = true
        kept = keep
    }
}

/** A technician in front of a phone without a core. */
@OptIn(ExperimentalCoroutinesApi::class)
class Desk(private val test: TestScope, phone: FakeState, locale: Locale, saved: String?) {
    val compass = FakePhone(phone)
    val database = FakeDatabase(compass)
    val network = PhoneNetwork()
    val navigator = Navigator(saved)
    val preferences = FakePreferences()
    val vault = FakeVault()
    val exports = FakeExports()
    val work = Workplace(compass, database, network, navigator, preferences, { locale })
    val scope: CoroutineScope get() = test.backgroundScope

    init {
        network.hear(Connectivity.Online(validated = true, metered = false))
    }

    /** Waits until nothing more happens. */
    fun settle() = test.runCurrent()

    /** Does these things to a screen that is there, one after the other, as fast as it can take them. */
    fun <E> Model<*, E>.tap(vararg events: E) {
        settle()
        events.forEach {
            onEvent(it)
            settle()
        }
    }
}

fun desk(phone: FakeState = atWork(), locale: Locale = Locale.UK, at: String? = null, body: suspend Desk.() -> Unit) =
    runTest { Desk(this, phone, locale, at).body() }

fun assertSays(id: TextId, text: Text?) = assertEquals(id, (text as? Text.Message)?.id, "$text")

fun assertCounts(id: CountId, count: Int, text: Text?) = assertEquals(id to count, (text as? Text.Count)?.let { it.id to it.count }, "$text")
