package dev.compass.sample.gateway

/** Names one version of a workflow; [label] is `3`, or `3.1` for a change made on this phone. */
data class WorkflowName(val key: String, val name: String, val version: Int, val revision: Int = 0) {
    /** The version for people. */
    val label: String get() = if (revision == 0) "$version" else "$version.$revision"
}

/** How bad a finding is. */
enum class Severity { ERROR, INCOMPLETE, WARNING }

/**
 * Something that is wrong with a workflow.
 *
 * @property place where in the document, as a JSON pointer.
 * @property detail what, in English.
 * @property section name of the section it is about, where it is about one; [answer] the same.
 */
data class WorkflowFinding(
    val severity: Severity,
    val code: String,
    val place: String,
    val detail: String,
    val section: String? = null,
    val answer: String? = null,
)

/** A workflow in the list, in its current version. */
data class WorkflowItem(
    val workflow: WorkflowName,
    val description: String?,
    val startable: Boolean,
    val findings: List<WorkflowFinding> = emptyList(),
)

/** An answer of a section; [next] is the section it leads to, none while it is not linked. */
data class OutlineAnswer(val name: String, val next: String?)

/** A "Send Message" action of a section. */
data class OutlineAction(val key: String, val name: String, val endpoint: String)

/** A section of the outline. */
data class OutlineSection(
    val key: String,
    val name: String,
    val fields: List<FieldInfo> = emptyList(),
    val answers: List<OutlineAnswer> = emptyList(),
    val actions: List<OutlineAction> = emptyList(),
    val win: Boolean = false,
)

/** A workflow with its sections, in the author's order. */
data class WorkflowOutline(val item: WorkflowItem, val start: String, val sections: List<OutlineSection>)

/** What an import did; [imported] is false when the same document was there already. */
data class Imported(val imported: Boolean, val workflow: WorkflowItem)
