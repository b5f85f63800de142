package dev.compass.sample.app.screens

import dev.compass.sample.app.kit.visible

/** A screen that is one of the four, with the tabs to the others. */
abstract class RootView<S, E>(around: Surroundings, tab: Tab, send: (E) -> Unit) : ScreenView<S, E>(around, send) {
    init {
        page.head(string(tab.label), goBack = null)
        for (it in Tab.entries) page.tabs.add(it.icon, string(it.label), chosen = it == tab) { around.phone.openTab(it) }
        page.tabs.visible(true)
    }
}
