/// The codes of this release. The set is open: a newer core may have more.
extension CompassError.Code {
    // The handle --------------------------------------------------------------------------------------------------------------------------

    /// This process has the same file open already; share that handle.
    public static let alreadyOpen: Self = "already_open"

    /// The handle was closed.
    public static let closed: Self = "closed"

    /// The call would wait for itself: it was made from inside a port.
    public static let reentrant: Self = "reentrant"

    /// An option is not acceptable.
    public static let invalidOption: Self = "invalid_option"

    // The file ----------------------------------------------------------------------------------------------------------------------------

    /// The file cannot be opened or read now, for instance before the first unlock of the phone. It has not changed; try again later.
    public static let cannotOpen: Self = "cannot_open"

    /// Another process held the database for too long, or quiescing interrupted the call. Try again.
    public static let locked: Self = "locked"

    /// There is no space left on the device. Try again when there is.
    public static let diskFull: Self = "disk_full"

    /// There was not enough memory for the call. Try again when there is.
    public static let outOfMemory: Self = "out_of_memory"

    /// The file is damaged, or was changed by something else. It is not changed, so that a person can rescue it; see
    /// ``Compass/restore(from:options:)``.
    public static let corrupt: Self = "corrupt"

    /// The file is not a database of this library.
    public static let notADatabase: Self = "not_a_database"

    /// A newer release has written the file. Update the app; the file has not changed.
    public static let newerSchema: Self = "newer_schema"

    /// The system failed to read or write the file.
    public static let io: Self = "io"

    // Workflows ---------------------------------------------------------------------------------------------------------------------------

    /// The document has findings of severity error: see ``CompassError/findings``.
    public static let invalidWorkflow: Self = "invalid_workflow"

    /// This version exists already with other content. Publish a new version.
    public static let workflowConflict: Self = "workflow_conflict"

    /// There is no such workflow or version, or every version is retired.
    public static let unknownWorkflow: Self = "unknown_workflow"

    /// The workflow is incomplete: it can be imported and listed, but not started; see ``CompassError/findings``.
    public static let notStartable: Self = "not_startable"

    /// Sessions use this version, finished ones included, so it cannot be removed. Delete or purge them first.
    public static let workflowInUse: Self = "workflow_in_use"

    /// The workflow requires something that this release does not know. It and its sessions can be read, but not changed. Update the app.
    public static let requiresNewerCore: Self = "requires_newer_core"

    /// A change of a document was refused.
    public static let authoring: Self = "authoring"

    /// The stored workflow contradicts the session.
    public static let brokenWorkflow: Self = "broken_workflow"

    // Sessions ----------------------------------------------------------------------------------------------------------------------------

    /// There is no such session.
    public static let unknownSession: Self = "unknown_session"

    /// There was such a session; it was purged or deleted.
    public static let deletedSession: Self = "deleted_session"

    /// The session is not in progress.
    public static let notInProgress: Self = "not_in_progress"

    /// The session is neither completed nor ended.
    public static let notFinished: Self = "not_finished"

    /// The session is completed or ended.
    public static let alreadyFinished: Self = "already_finished"

    /// The session was discarded.
    public static let discarded: Self = "discarded"

    /// The path has no such visit.
    public static let unknownVisit: Self = "unknown_visit"

    /// The visit to go back to is the current one.
    public static let alreadyThere: Self = "already_there"

    /// The section has no such answer.
    public static let unknownAnswer: Self = "unknown_answer"

    /// The answer leads to no section.
    public static let unlinkedAnswer: Self = "unlinked_answer"

    /// The workflow has no such response.
    public static let unknownResponse: Self = "unknown_response"

    /// The record has no such note.
    public static let unknownNote: Self = "unknown_note"

    /// One call changes the same note twice.
    public static let duplicateNote: Self = "duplicate_note"

    /// The workflow has no such field.
    public static let unknownFields: Self = "unknown_fields"

    /// The field is on no section of the path.
    public static let fieldsNotOnPath: Self = "fields_not_on_path"

    /// One call changes the same field twice.
    public static let duplicateFields: Self = "duplicate_fields"

    /// The call names nothing to change.
    public static let nothingGiven: Self = "nothing_given"

    /// Only an end section can complete a session.
    public static let notAnEndSection: Self = "not_an_end_section"

    /// Fields are missing or not acceptable; ``CompassError/problems`` says which and why.
    public static let fieldProblems: Self = "field_problems"

    /// A text that must not be blank is blank.
    public static let blank: Self = "blank"

    /// A text is too long.
    public static let tooLong: Self = "too_long"

    /// A text holds a control character.
    public static let controlCharacter: Self = "control_character"

    /// The command id was used before for something else.
    public static let commandIdReused: Self = "command_id_reused"

    /// A session in progress cannot be deleted; discard it first.
    public static let notDeletable: Self = "not_deletable"

    /// The session, or the database that would be replaced or removed, holds messages that were neither delivered nor abandoned, or is too
    /// damaged to count them.
    public static let undelivered: Self = "undelivered"

    // Actions and endpoints ---------------------------------------------------------------------------------------------------------------

    /// The session has no such action, or is not finished.
    public static let unknownAction: Self = "unknown_action"

    /// This cannot be done with an action of this status.
    public static let actionStatus: Self = "action_status"

    /// Too many sends failed; the action cannot be sent again from the phone.
    public static let actionLocked: Self = "action_locked"

    /// The message would be larger than 256 KiB. Nothing was changed. Shorten a value, and send the message corrected.
    public static let payloadTooLarge: Self = "payload_too_large"

    /// The values are the same as in an earlier message.
    public static let nothingCorrected: Self = "nothing_corrected"

    /// The body of the delivered message was dropped after its retention, or redacted. Nothing was changed.
    public static let bodyDropped: Self = "body_dropped"

    /// There is no such message.
    public static let unknownDelivery: Self = "unknown_delivery"

    /// There is no such endpoint.
    public static let unknownEndpoint: Self = "unknown_endpoint"

    /// The endpoint is not acceptable.
    public static let invalidEndpoint: Self = "invalid_endpoint"

    // Anything else -----------------------------------------------------------------------------------------------------------------------

    /// An argument is not acceptable.
    public static let invalidArgument: Self = "invalid_argument"

    /// An error in this library. Please report it.
    public static let `internal`: Self = "internal"
}
