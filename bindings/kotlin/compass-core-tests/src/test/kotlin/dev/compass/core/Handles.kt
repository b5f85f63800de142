package dev.compass.core

import dev.compass.core.internal.FfiConverterTypeChangeListener

/** Objects that the generated code keeps alive for the core. */
object Handles {
    /** The number of listeners. */
    val listeners: Int
        get() {
            val map = FfiConverterTypeChangeListener.javaClass.methods.first { it.name.startsWith("getHandleMap") }
                .invoke(FfiConverterTypeChangeListener)
            return map.javaClass.getMethod("getSize").invoke(map) as Int
        }
}
