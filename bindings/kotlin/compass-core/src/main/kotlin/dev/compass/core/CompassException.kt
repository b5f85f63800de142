package dev.compass.core

import dev.compass.core.model.Finding
import dev.compass.core.model.Problem

/**
 * Why a call changed nothing. Its message never contains a secret or a text that a technician typed.
 *
 * ```kotlin
 * try {
 *     compass.complete(view)
 * } catch (refused: CompassException) {
 *     when (refused.code) {
 *         ErrorCode.FIELD_PROBLEMS -> show(refused.problems)
 *         else -> if (refused.retryable) tryAgainLater() else report(refused)
 *     }
 * }
 * ```
 *
 * @property code the stable name of the error. [ErrorCode] has those of this release; new ones may appear.
 * @property retryable whether the same call may succeed later without any change to it.
 * @property place what the error is about, if there is such a place: a field's key, a visit's number, the name of an argument.
 * @property detail for logs and developers, in English.
 * @property problems the fields that are missing or not acceptable, when that is the reason.
 * @property findings the findings about a workflow document, when that is the reason.
 * @property undelivered how many messages would be lost, when that is the reason and they can be counted: [ErrorCode.UNDELIVERED].
 */
public class CompassException(
    public val code: String,
    public val retryable: Boolean = false,
    public val place: String? = null,
    public val detail: String = "",
    public val problems: List<Problem> = emptyList(),
    public val findings: List<Finding> = emptyList(),
    public val undelivered: Long? = null,
) : Exception(if (detail.isEmpty()) code else "$code: $detail")
