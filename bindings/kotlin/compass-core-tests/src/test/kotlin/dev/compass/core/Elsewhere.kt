package dev.compass.core

import java.io.File
import java.io.IOException
import java.sql.DriverManager
import kotlinx.coroutines.runBlocking

/** What a test does in a process of its own: WHAT PATH. Says what came of it in its last line. */
fun main(arguments: Array<String>) {
    val (what, path) = arguments
    when (what) {
        "hold" -> hold(path)
        "fill" -> fill(path)
        "limit" -> limit(path)
    }
}

/** Holds the write lock until the other process has nothing more to say. */
private fun hold(path: String) = DriverManager.getConnection("jdbc:sqlite:$path").use { database ->
    database.createStatement().use { it.execute("BEGIN IMMEDIATE") }
    println("held")
    System.`in`.readAllBytes()
}

/** Writes until the small disk at this folder is full, and once more. */
private fun fill(folder: String) = runBlocking {
    val compass = Compass.open(CompassOptions(File(folder, "compass.db").path))
    try {
        File(folder, "filler").outputStream().use { while (true) it.write(ByteArray(4096)) }
    } catch (_: IOException) {
        // Full.
    }
    said { repeat(1000) { compass.setIntegrationEnabled(it % 2 == 0) } }
}

/** Lets no file grow beyond a kilobyte, and imports a workflow. */
private fun limit(path: String) = runBlocking {
    val compass = Compass.open(CompassOptions(path))
    val limited = runCatching {
        ProcessBuilder("prlimit", "--pid", "${ProcessHandle.current().pid()}", "--fsize=1024:").start().waitFor() == 0
    }
    if (!limited.getOrDefault(false)) println("no limit") else said { compass.importWorkflow(PUMP_CHECK.toByteArray()) }
}

private suspend fun said(work: suspend () -> Unit) = try {
    work()
    println("nothing failed")
} catch (failed: CompassException) {
    println("${failed.code} ${failed.retryable}")
}
