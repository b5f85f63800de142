package dev.compass.sample.screen.status

import dev.compass.sample.text.Text

/** The sign of the strip; each has a form of its own, so that colour alone says nothing. */
enum class StatusIcon { OPENING, NO_SIGNAL, WAITING, ALL_SENT, NEEDS_PERSON }

/**
 * The strip on every screen: a sign, words and a number.
 *
 * @property text what is so: "No signal: 3 saved, will send".
 * @property attention what needs a person, beside it; the outbox shows what.
 * @property simulated whether "no signal" is played.
 */
data class StatusUiState(
    val icon: StatusIcon,
    val text: Text,
    val attention: Text? = null,
    val simulated: Text? = null,
)

/** What a technician does to the strip. */
sealed interface StatusEvent {
    /** Tapped: opens the outbox. */
    data object Opened : StatusEvent
}
