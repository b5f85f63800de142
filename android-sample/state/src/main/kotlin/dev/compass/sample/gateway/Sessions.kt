package dev.compass.sample.gateway

import java.time.Instant

/** Where a session stands. */
enum class SessionState { IN_PROGRESS, COMPLETED, ENDED, DISCARDED }

/** A field of the current section with what it holds; [draft] is half-typed text that was kept. */
data class SessionField(
    val info: FieldInfo,
    val holding: Holding = Holding.NotProvided,
    val draft: String? = null,
    val source: String? = null,
)

/** An answer of the current section. */
data class SessionAnswer(val key: String, val name: String)

/** The two sorts of responses. */
enum class ResponseKind { OBJECTION, CUSTOMER_QUESTION }

/** Words to meet an objection or a question with. */
data class SessionResponse(val key: String, val name: String, val kind: ResponseKind, val content: String)

/** A step of the path that led here. */
data class Step(val visit: Int, val section: String, val name: String, val answer: String?)

/** A note. [number] names it within its session. */
data class SessionNote(val number: Int, val at: Instant, val text: String, val actor: String?, val edited: Boolean)

/** A message that completing the session would send. */
data class PlannedMessage(val action: String, val name: String, val endpoint: String)

/** A session as its screen shows it; [noteDraft] is a half-typed note that was kept. */
data class SessionNow(
    val key: String,
    val workflow: WorkflowName,
    val state: SessionState,
    val startedAt: Instant,
    val visit: Int,
    val section: String,
    val sectionName: String,
    val content: String,
    val isEnd: Boolean,
    val win: Boolean,
    val fields: List<SessionField>,
    val answers: List<SessionAnswer>,
    val responses: List<SessionResponse>,
    val path: List<Step>,
    val notes: List<SessionNote>,
    val problems: List<FieldProblem>,
    val canComplete: Boolean,
    val completionProblems: List<FieldProblem>,
    val messages: List<PlannedMessage>,
    val noteDraft: String? = null,
)

/** What a command did: the session now, and whether it changed (a double tap does not). */
data class Done(val session: SessionNow, val changed: Boolean)

/** A session in a list. */
data class SessionItem(
    val key: String,
    val workflow: WorkflowName,
    val state: SessionState,
    val won: Boolean,
    val actor: String?,
    val startedAt: Instant,
    val finishedAt: Instant?,
    val sectionName: String,
    val notFired: Int,
    val pending: Int,
    val sent: Int,
    val failed: Int,
)

/** Which sessions to list; every condition that is given must hold. [text] is searched in notes, values and names. */
data class SessionQuery(
    val states: Set<SessionState> = emptySet(),
    val workflow: String? = null,
    val won: Boolean? = null,
    val action: ActionState? = null,
    val text: String? = null,
)

/** Sessions, newest first, and whether there are more. */
data class SessionList(val sessions: List<SessionItem>, val more: Boolean)
