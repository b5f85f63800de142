package dev.compass.core

import dev.compass.core.model.CoreException
import java.nio.charset.CharacterCodingException

/** Makes a call into the core; everything it throws becomes a [CompassException]. */
internal inline fun <T> calling(call: () -> T): T = try {
    call()
} catch (failed: Exception) {
    throw failed.asCompassException()
} catch (missing: LinkageError) {
    val kind = missing.javaClass.name
    throw CompassException(ErrorCode.INTERNAL, detail = "the library of the core is missing or of another version ($kind)")
}

internal fun Exception.asCompassException(): CompassException = when (this) {
    is CompassException -> this
    is CoreException.Failed -> CompassException(code, retryable, place, detail, problems, findings, undelivered)
    // The generated object was destroyed.
    is IllegalStateException -> CompassException(ErrorCode.CLOSED, detail = "the handle is closed")
    is CharacterCodingException -> CompassException(ErrorCode.INVALID_ARGUMENT, detail = "a text ends in the middle of a character")
    // Its message may quote a value.
    else -> CompassException(ErrorCode.INTERNAL, detail = "the call into the core failed: ${javaClass.name}")
}
