package dev.compass.sample.gateway

/**
 * Why a call changed nothing. Holds nothing that a technician typed, and no secret.
 *
 * @property code the core's stable name of the error.
 * @property count how many messages would be lost, where that is the reason and the file can be read to count them.
 */
class GatewayFailure(
    val code: String,
    val problems: List<FieldProblem> = emptyList(),
    val findings: List<WorkflowFinding> = emptyList(),
    val count: Int? = null,
) : Exception(code)
