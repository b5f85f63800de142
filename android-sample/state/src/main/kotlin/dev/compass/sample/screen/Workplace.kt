package dev.compass.sample.screen

import dev.compass.sample.gateway.FieldGateway
import dev.compass.sample.nav.Navigator
import dev.compass.sample.port.PreferenceStore
import java.util.Locale
import java.util.UUID

/**
 * What every screen's model works with. One per process.
 *
 * @property locale how people type numbers now; asked each time, because it can change.
 * @property newCommand makes an id for a command that adds something, so that repeating it is harmless.
 */
class Workplace(
    val gateway: FieldGateway,
    val navigator: Navigator,
    val preferences: PreferenceStore,
    val locale: () -> Locale = Locale::getDefault,
    val newCommand: () -> String = { UUID.randomUUID().toString() },
) {
    /** Who works; none when no name was given. */
    val actor: String? get() = preferences.preferences.value.actor.trim().ifEmpty { null }
}
