package dev.compass.core

import dev.compass.core.model.ActionDefinition
import dev.compass.core.model.Finding
import dev.compass.core.internal.AuthoredDocument as CoreAuthoredDocument

/**
 * A changed workflow document.
 *
 * ```kotlin
 * val changed = WorkflowDocument.removeAction(document, section = "done", key = "report")
 * if (changed.findings.isEmpty()) compass.importWorkflow(changed.document)
 * ```
 *
 * @property document the new document: JSON, with the next local revision.
 * @property findings all findings about it; an error among them means that it would not be imported.
 */
public class AuthoredDocument(public val document: ByteArray, public val findings: List<Finding>)

/**
 * Work on workflow documents without a database. Nothing here reads or writes a file; a document takes milliseconds.
 *
 * ```kotlin
 * val findings = WorkflowDocument.lint(document, endpoints = listOf("office"))
 * ```
 */
public object WorkflowDocument {
    /**
     * All findings about a document. When the keys of endpoints are given, endpoints that the document names and that are not among them
     * are reported.
     */
    public fun lint(document: ByteArray, endpoints: List<String>? = null): List<Finding> =
        calling { dev.compass.core.internal.lintDocument(document, endpoints) }

    /** Adds an action to a section. */
    public fun addAction(document: ByteArray, section: String, action: ActionDefinition): AuthoredDocument =
        authored { dev.compass.core.internal.addAction(document, section, action) }

    /** Replaces an action of a section. */
    public fun replaceAction(document: ByteArray, section: String, key: String, action: ActionDefinition): AuthoredDocument =
        authored { dev.compass.core.internal.replaceAction(document, section, key, action) }

    /** Removes an action from a section. */
    public fun removeAction(document: ByteArray, section: String, key: String): AuthoredDocument =
        authored { dev.compass.core.internal.removeAction(document, section, key) }

    private inline fun authored(work: () -> CoreAuthoredDocument): AuthoredDocument =
        calling(work).let { AuthoredDocument(it.document, it.findings) }
}
