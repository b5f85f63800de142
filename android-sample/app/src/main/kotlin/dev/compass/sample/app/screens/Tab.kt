package dev.compass.sample.app.screens

import dev.compass.sample.app.R
import dev.compass.sample.nav.Screen

/** The four that are always one tap away. */
enum class Tab(val screen: Screen.Root, val icon: Int, val label: Int) {
    WORKFLOWS(Screen.Workflows, R.drawable.ic_workflows, R.string.tab_workflows),
    SESSIONS(Screen.Sessions, R.drawable.ic_sessions, R.string.tab_sessions),
    OUTBOX(Screen.Outbox, R.drawable.ic_outbox, R.string.tab_outbox),
    SETTINGS(Screen.Settings, R.drawable.ic_settings, R.string.tab_settings),
}
