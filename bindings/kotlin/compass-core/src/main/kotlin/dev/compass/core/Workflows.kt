package dev.compass.core

import dev.compass.core.model.Workflow
import dev.compass.core.model.WorkflowRef
import dev.compass.core.model.WorkflowVersion

/** A workflow in this very version: the one that a session began with, for instance. */
public suspend fun Compass.workflow(exact: WorkflowRef): Workflow = workflow(exact.key, WorkflowVersion(exact.version, exact.localRevision))
