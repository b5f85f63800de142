package dev.compass.sample.core

import dev.compass.core.AuthoredDocument
import dev.compass.core.Compass
import dev.compass.core.WorkflowDocument
import dev.compass.core.model.ActionDefinition
import dev.compass.core.model.ActionKind
import dev.compass.core.model.Finding
import dev.compass.core.model.Integration
import dev.compass.core.model.WorkflowRef
import dev.compass.core.workflow
import dev.compass.sample.text.Text
import dev.compass.sample.text.words
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** The version for people: `3`, or `3.1` for a change made on this phone. */
val WorkflowRef.label: String get() = if (localRevision == 0) "$version" else "$version.$localRevision"

/** Findings of a workflow, in words. Few have any, and their names cost a read of it. */
suspend fun Compass.words(findings: List<Finding>, of: WorkflowRef): List<Text> =
    if (findings.isEmpty()) emptyList() else workflow(of).let { workflow -> findings.map { it.words(workflow) } }

/** Adds a "Send Message" action to a section: a new revision on this phone. */
suspend fun Compass.addMessage(workflow: String, section: String, name: String, endpoint: String): WorkflowRef {
    val taken = workflow(workflow).sections.flatMapTo(HashSet()) { each -> each.actions.map { it.key } }
    val key = generateSequence(1) { it + 1 }.map { "message-$it" }.first { it !in taken }
    val action = ActionDefinition(key, name, Integration.WEBHOOKS, ActionKind.SEND_MESSAGE, endpoint)
    return change(workflow) { WorkflowDocument.addAction(it, section, action) }
}

/** Removes an action from a section: a new revision on this phone. */
suspend fun Compass.removeAction(workflow: String, section: String, action: String): WorkflowRef =
    change(workflow) { WorkflowDocument.removeAction(it, section, action) }

private suspend fun Compass.change(workflow: String, author: (ByteArray) -> AuthoredDocument): WorkflowRef {
    val document = workflowDocument(workflow)
    val changed = withContext(Dispatchers.Default) { author(document) }
    return importWorkflow(changed.document).workflow.workflow
}
