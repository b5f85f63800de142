package dev.compass.core

/**
 * The codes of [CompassException] in this release. They are open strings: a newer core may have more.
 *
 * ```kotlin
 * if (failed.code == ErrorCode.DISK_FULL) askForRoom()
 * ```
 */
public object ErrorCode {
    // The handle -------------------------------------------------------------------------------------------------------------------

    /** This process has the same file open already; share that handle. */
    public const val ALREADY_OPEN: String = "already_open"

    /** The handle was closed. */
    public const val CLOSED: String = "closed"

    /** The call would wait for itself: it was made from inside a port. */
    public const val REENTRANT: String = "reentrant"

    /** An option is not acceptable. */
    public const val INVALID_OPTION: String = "invalid_option"

    // The file ---------------------------------------------------------------------------------------------------------------------

    /** The file cannot be opened or read now, for instance before the first unlock of the phone. It has not changed; try again later. */
    public const val CANNOT_OPEN: String = "cannot_open"

    /** Another process held the database for too long, or quiescing interrupted the call. Try again. */
    public const val LOCKED: String = "locked"

    /** There is no space left on the device. Try again when there is. */
    public const val DISK_FULL: String = "disk_full"

    /** There was not enough memory for the call. Try again when there is. */
    public const val OUT_OF_MEMORY: String = "out_of_memory"

    /** The file is damaged, or was changed by something else. It is not changed, so that a person can rescue it; see [Compass.restore]. */
    public const val CORRUPT: String = "corrupt"

    /** The file is not a database of this library. */
    public const val NOT_A_DATABASE: String = "not_a_database"

    /** A newer release has written the file. Update the app; the file has not changed. */
    public const val NEWER_SCHEMA: String = "newer_schema"

    /** The system failed to read or write the file. */
    public const val IO: String = "io"

    // Workflows --------------------------------------------------------------------------------------------------------------------

    /** The document has findings of severity error. */
    public const val INVALID_WORKFLOW: String = "invalid_workflow"

    /** This version exists already with other content. Publish a new version. */
    public const val WORKFLOW_CONFLICT: String = "workflow_conflict"

    /** There is no such workflow or version, or every version is retired. */
    public const val UNKNOWN_WORKFLOW: String = "unknown_workflow"

    /** The workflow is incomplete: it can be imported and listed, but not started. */
    public const val NOT_STARTABLE: String = "not_startable"

    /** Sessions use this version, finished ones included, so it cannot be removed. Delete or purge them first. */
    public const val WORKFLOW_IN_USE: String = "workflow_in_use"

    /**
     * The workflow requires something that this release does not know. It and its sessions can be read, but not changed. Update the app.
     */
    public const val REQUIRES_NEWER_CORE: String = "requires_newer_core"

    /** A change of a document was refused. */
    public const val AUTHORING: String = "authoring"

    /** The stored workflow contradicts the session. */
    public const val BROKEN_WORKFLOW: String = "broken_workflow"

    // Sessions ---------------------------------------------------------------------------------------------------------------------

    /** There is no such session. */
    public const val UNKNOWN_SESSION: String = "unknown_session"

    /** There was such a session; it was purged or deleted. */
    public const val DELETED_SESSION: String = "deleted_session"

    /** The session is not in progress. */
    public const val NOT_IN_PROGRESS: String = "not_in_progress"

    /** The session is neither completed nor ended. */
    public const val NOT_FINISHED: String = "not_finished"

    /** The session is completed or ended. */
    public const val ALREADY_FINISHED: String = "already_finished"

    /** The session was discarded. */
    public const val DISCARDED: String = "discarded"

    /** The path has no such visit. */
    public const val UNKNOWN_VISIT: String = "unknown_visit"

    /** The visit to go back to is the current one. */
    public const val ALREADY_THERE: String = "already_there"

    /** The section has no such answer. */
    public const val UNKNOWN_ANSWER: String = "unknown_answer"

    /** The answer leads to no section. */
    public const val UNLINKED_ANSWER: String = "unlinked_answer"

    /** The workflow has no such response. */
    public const val UNKNOWN_RESPONSE: String = "unknown_response"

    /** The record has no such note. */
    public const val UNKNOWN_NOTE: String = "unknown_note"

    /** One call changes the same note twice. */
    public const val DUPLICATE_NOTE: String = "duplicate_note"

    /** The workflow has no such field. */
    public const val UNKNOWN_FIELDS: String = "unknown_fields"

    /** The field is on no section of the path. */
    public const val FIELDS_NOT_ON_PATH: String = "fields_not_on_path"

    /** One call changes the same field twice. */
    public const val DUPLICATE_FIELDS: String = "duplicate_fields"

    /** The call names nothing to change. */
    public const val NOTHING_GIVEN: String = "nothing_given"

    /** Only an end section can complete a session. */
    public const val NOT_AN_END_SECTION: String = "not_an_end_section"

    /** Fields are missing or not acceptable; `problems` says which and why. */
    public const val FIELD_PROBLEMS: String = "field_problems"

    /** A text that must not be blank is blank. */
    public const val BLANK: String = "blank"

    /** A text is too long. */
    public const val TOO_LONG: String = "too_long"

    /** A text holds a control character. */
    public const val CONTROL_CHARACTER: String = "control_character"

    /** The command id was used before for something else. */
    public const val COMMAND_ID_REUSED: String = "command_id_reused"

    /** A session in progress cannot be deleted; discard it first. */
    public const val NOT_DELETABLE: String = "not_deletable"

    /**
     * The session, or the database that would be replaced or removed, holds messages that were neither delivered nor abandoned, or is too
     * damaged to count them.
     */
    public const val UNDELIVERED: String = "undelivered"

    // Actions and endpoints --------------------------------------------------------------------------------------------------------

    /** The session has no such action, or is not finished. */
    public const val UNKNOWN_ACTION: String = "unknown_action"

    /** This cannot be done with an action of this status. */
    public const val ACTION_STATUS: String = "action_status"

    /** Too many sends failed; the action cannot be sent again from the phone. */
    public const val ACTION_LOCKED: String = "action_locked"

    /** The message would be larger than 256 KiB. Nothing was changed. Shorten a value, and send the message corrected. */
    public const val PAYLOAD_TOO_LARGE: String = "payload_too_large"

    /** The values are the same as in an earlier message. */
    public const val NOTHING_CORRECTED: String = "nothing_corrected"

    /** The body of the delivered message was dropped after its retention, or redacted. Nothing was changed. */
    public const val BODY_DROPPED: String = "body_dropped"

    /** There is no such message. */
    public const val UNKNOWN_DELIVERY: String = "unknown_delivery"

    /** There is no such endpoint. */
    public const val UNKNOWN_ENDPOINT: String = "unknown_endpoint"

    /** The endpoint is not acceptable. */
    public const val INVALID_ENDPOINT: String = "invalid_endpoint"

    // Anything else ----------------------------------------------------------------------------------------------------------------

    /** An argument is not acceptable. */
    public const val INVALID_ARGUMENT: String = "invalid_argument"

    /** An error in this library. Please report it. */
    public const val INTERNAL: String = "internal"
}
