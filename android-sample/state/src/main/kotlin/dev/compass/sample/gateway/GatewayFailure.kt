package dev.compass.sample.gateway

/**
 * Why a call changed nothing. Holds nothing that a technician typed, and no secret.
 *
 * @property code the core's stable name of the error.
 */
class GatewayFailure(
    val code: String,
    val problems: List<FieldProblem> = emptyList(),
    val findings: List<WorkflowFinding> = emptyList(),
) : Exception(code)
