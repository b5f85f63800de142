package dev.compass.sample.app

import java.io.File
import java.util.concurrent.CountDownLatch
import org.junit.Test

/** The process that [DeathTest] destroys. Says when it has got there, and waits for its end. */
class LastMoments : Technician() {
    @Test
    fun `works until the battery dies`() {
        prepared()
        opensTheApp()
        taps("Start: Pump check")
        sees("Find the pump.")
        types("Site", "Mill La")
        phone.recreate()
        until("the half word") { line("Site")?.text.toString() == "Mill La" }
        types("Site", "Mill Lane")
        types("Pressure", "2.")
        taps("Add a note")
        types("What should be remembered?", "Beware of the")
        val session = wait { app.compass().sessions().sessions.single().key }
        until("the draft to be kept") { wait { app.compass().session(session) }.fields.any { it.draft == "2." } }
        until("the note to be kept") { wait { app.compass().session(session) }.noteDraft == "Beware of the" }
        until("the place in the app to be kept") { File(PhoneApp.flash, "technician.xml").let { it.exists() && "session/" in it.readText() } }
        println(REACHED)
        System.out.flush()
        CountDownLatch(1).await()
    }

    companion object {
        const val REACHED = "the battery may die now"
    }
}
