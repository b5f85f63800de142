package dev.compass.core

import java.util.UUID

/**
 * A new id for a command that adds something: the same command with the same id is carried out once, however often it is called.
 *
 * The functions that need an id make one. Make it yourself, and keep it, when a call may be repeated after the app died.
 */
public fun newCommandId(): String = UUID.randomUUID().toString()
