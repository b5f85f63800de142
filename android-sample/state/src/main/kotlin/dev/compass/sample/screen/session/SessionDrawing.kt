package dev.compass.sample.screen.session

import dev.compass.core.model.SessionState
import dev.compass.core.model.SessionView
import dev.compass.core.model.Workflow
import dev.compass.sample.field.FieldDrawer
import dev.compass.sample.field.Typing
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.words

// From a session to what its screen shows.

/** Without what only the model knows. [tried]: an answer was tried, so that what is missing is said. */
internal fun SessionView.draw(content: Workflow?, drawer: FieldDrawer, typing: Typing, tried: Boolean): SessionUiState {
    val inProgress = state == SessionState.IN_PROGRESS
    val missing = if (tried) problems.associateBy { it.field } else emptyMap()
    val wrong = fields.count { it.definition.key in missing || it.definition.key in typing.problems }
    return SessionUiState(
        loading = false,
        workflowName = workflow.name,
        sectionName = section.name,
        visit = visit,
        paragraphs = section.content.paragraphs(),
        progress = Progress(path.size.coerceAtLeast(1), content?.stepsLeft(section.key) ?: 0),
        fields = fields.map { drawer.draw(it, typing, missing[it.definition.key]) },
        answers = if (inProgress) answers else emptyList(),
        responses = responses.map { ResponseUi(it.key, it.kind.words(it.name), it.content.paragraphs()) },
        notes = notes.map { NoteUi(it.text.orEmpty(), Text.Moment(it.at)) },
        path = path.map { StepUi(it.visit, it.sectionName, it.answerName, it.visit == visit) },
        canGoBack = inProgress && path.size > 1,
        canReview = inProgress && section.isEnd,
        problems = if (tried && wrong > 0) Text.Count(CountId.PROBLEMS, wrong) else null,
        closed = !inProgress,
    )
}

/** Paragraphs are separated by blank lines. */
internal fun String.paragraphs(): List<String> = split(BLANK_LINES).map { it.trim() }.filter { it.isNotEmpty() }

private val BLANK_LINES = Regex("\\n\\s*\\n")

/** How many sections lie at least between this one and an end. */
internal fun Workflow.stepsLeft(section: String): Int {
    val byKey = sections.associateBy { it.key }
    val seen = mutableSetOf(section)
    var ring = listOf(section)
    var steps = 0
    while (ring.isNotEmpty()) {
        val here = ring.mapNotNull { byKey[it] }
        if (here.any { it.answers.isEmpty() }) return steps
        ring = here.flatMap { it.answers }.mapNotNull { it.next }.filter { seen.add(it) }
        steps += 1
    }
    return 0
}
