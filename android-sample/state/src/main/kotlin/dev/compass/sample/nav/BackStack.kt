package dev.compass.sample.nav

/**
 * The screens under the one that is shown. Never empty, and a root is at its bottom.
 *
 * Saved as a line of text, so that a process that died comes back to where it was:
 *
 * ```kotlin
 * state.putString("screens", stack.save())
 * val stack = BackStack.restore(state.getString("screens"))
 * ```
 */
data class BackStack(val screens: List<Screen> = listOf(Screen.Workflows)) {
    init {
        require(screens.firstOrNull() is Screen.Root) { "a root is at the bottom" }
    }

    /** What is shown. */
    val top: Screen get() = screens.last()

    /** The root below it: which of the four is marked. */
    val root: Screen.Root get() = screens.first() as Screen.Root

    /** Whether back leads to another screen, and not out of the app. */
    val canGoBack: Boolean get() = screens.size > 1 || top != Screen.Workflows

    /** Opens a screen; a root is opened at its beginning, and one that is open already is gone back to. */
    fun open(screen: Screen): BackStack = when {
        screen is Screen.Root -> BackStack(listOf(screen))
        screen in screens -> BackStack(screens.take(screens.indexOf(screen) + 1))
        else -> BackStack(screens + screen)
    }

    /** Opens a screen right above the root: there is no way back to what lay between, for instance to a session that is over. */
    fun openOnRoot(screen: Screen): BackStack = BackStack(listOf(root)).open(screen)

    /** One back: to the screen below, from another root to the first, from the first nowhere. */
    fun back(): BackStack = if (screens.size > 1) BackStack(screens.dropLast(1)) else BackStack()

    /** One line of text. */
    fun save(): String = screens.joinToString(" ") { screen ->
        when (screen) {
            Screen.Workflows -> "workflows"
            Screen.Sessions -> "sessions"
            Screen.Outbox -> "outbox"
            Screen.Settings -> "settings"
            is Screen.Workflow -> "workflow/${screen.key}"
            is Screen.Session -> "session/${screen.key}"
            is Screen.Review -> "review/${screen.key}"
            is Screen.Record -> "record/${screen.key}"
        }
    }

    /** Where stacks come from. */
    companion object {
        /** What [save] wrote; the beginning when it cannot be read. */
        fun restore(saved: String?): BackStack {
            val screens = saved.orEmpty().split(' ').map { screen(it) ?: return BackStack() }
            return if (screens.first() is Screen.Root) BackStack(screens) else BackStack()
        }

        // Keys of workflows and sessions hold neither a blank nor a slash.
        private fun screen(saved: String): Screen? {
            val key = saved.substringAfter('/', "")
            return when (saved.substringBefore('/')) {
                "workflows" -> Screen.Workflows
                "sessions" -> Screen.Sessions
                "outbox" -> Screen.Outbox
                "settings" -> Screen.Settings
                "workflow" -> Screen.Workflow(key)
                "session" -> Screen.Session(key)
                "review" -> Screen.Review(key)
                "record" -> Screen.Record(key)
                else -> null
            }
        }
    }
}
