package dev.compass.sample.screen

import dev.compass.sample.text.Text

/** Something to say once, below the screen and by the screen reader; [failed] when it went wrong. Ask the model to forget it when shown. */
data class Notice(val text: Text, val failed: Boolean = false)
