package dev.compass.sample.screen

import dev.compass.core.Compass
import dev.compass.sample.core.PhoneNetwork
import dev.compass.sample.nav.Navigator
import dev.compass.sample.port.Database
import dev.compass.sample.port.PreferenceStore
import java.util.Locale

/**
 * What every screen's model works with. One per process.
 *
 * @property locale how people type numbers now; asked each time, because it can change.
 */
class Workplace(
    val compass: Compass,
    val database: Database,
    val network: PhoneNetwork,
    val navigator: Navigator,
    val preferences: PreferenceStore,
    val locale: () -> Locale = Locale::getDefault,
) {
    /** Who works; none when no name was given. */
    val actor: String? get() = preferences.preferences.value.actor.trim().ifEmpty { null }
}
