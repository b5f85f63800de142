package dev.compass.core

import java.io.File
import java.io.IOException
import java.sql.DriverManager
import kotlinx.coroutines.runBlocking

/** Work that a test does in another process: WHAT PATH. The last line of the output is the result. */
fun main(arguments: Array<String>) {
    val (what, path) = arguments
    when (what) {
        "hold" -> hold(path)
        "fill" -> fill(path)
        "limit" -> limit(path, "--fsize=1024:")
        "memory" -> limit(path, "--as=${usedMemory() + (1L shl 29)}:")
    }
}

/** Holds the write lock until the input ends. */
private fun hold(path: String) = DriverManager.getConnection("jdbc:sqlite:$path").use { database ->
    database.createStatement().use { it.execute("BEGIN IMMEDIATE") }
    println("held")
    System.`in`.readAllBytes()
}

/** Fills the small disk at this folder, and then writes to the database. */
private fun fill(folder: String) = runBlocking {
    val compass = Compass.open(CompassOptions(File(folder, "compass.db").path))
    try {
        File(folder, "filler").outputStream().use { while (true) it.write(ByteArray(4096)) }
    } catch (_: IOException) {
        // Full.
    }
    printResult { repeat(1000) { compass.setIntegrationEnabled(it % 2 == 0) } }
}

/** How much memory this process has, in bytes; on other systems than Linux nobody says. */
private fun usedMemory(): Long {
    val status = runCatching { File("/proc/self/status").readLines() }.getOrDefault(emptyList())
    return status.firstOrNull { it.startsWith("VmSize:") }?.filter { it.isDigit() }?.toLong()?.shl(10) ?: 0
}

/** Limits this process, and imports a workflow. */
private fun limit(path: String, limit: String) = runBlocking {
    val compass = Compass.open(CompassOptions(path))
    val limited = runCatching {
        ProcessBuilder("prlimit", "--pid", "${ProcessHandle.current().pid()}", limit).start().waitFor() == 0
    }
    if (!limited.getOrDefault(false)) println("no limit") else printResult { compass.importWorkflow(PUMP_CHECK.toByteArray()) }
}

private suspend fun printResult(work: suspend () -> Unit) = try {
    work()
    println("nothing failed")
} catch (failed: CompassException) {
    println("${failed.code} ${failed.retryable}")
}
