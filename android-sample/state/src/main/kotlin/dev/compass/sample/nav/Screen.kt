package dev.compass.sample.nav

/** Where a technician can be. */
sealed interface Screen {
    /** The four that are always one tap away. */
    sealed interface Root : Screen

    data object Workflows : Root
    data object Sessions : Root
    data object Outbox : Root
    data object Settings : Root

    /** A workflow, by key. */
    data class Workflow(val key: String) : Screen

    /** A session in progress, by key. */
    data class Session(val key: String) : Screen

    /** Review and complete a session, by key. */
    data class Review(val key: String) : Screen

    /** The record of a session, by key. */
    data class Record(val key: String) : Screen
}
