package dev.compass.sample.text

/**
 * The messages of the app that do not depend on a number: each is a string resource of the same name in small letters. The comment is its
 * English; `%1$s` and so on stand for its arguments.
 */
enum class TextId {
    // The status strip: an icon, words and a number ----------------------------------------------------------------------------------
    STATUS_NO_SIGNAL, // No signal: everything is saved
    STATUS_ALL_SENT, // Everything is sent
    STATUS_OPENING, // Opening
    STATUS_SIMULATED, // Offline is simulated

    // Fields -------------------------------------------------------------------------------------------------------------------------
    NOT_PROVIDED, // Not provided
    EMPTY, // Empty
    NOT_APPLICABLE, // Not applicable
    YES, // Yes
    NO, // No
    LOCATION_VALUE, // %1$s, %2$s
    LOCATION_VALUE_ACCURACY, // %1$s, %2$s, within %3$s m
    FILE_VALUE, // %1$s (%2$s)
    PREFILLED_FROM, // From %1$s
    SAVED_ON_PHONE, // Saved on this phone
    SAVING, // Saving
    NOT_SAVED_YET, // Not saved yet: see the field
    FILE_STAYS, // The file stays on this phone; only its name, size and checksum are sent
    FILE_UNREADABLE, // The file could not be read. Take it again.
    LOCATION_SEARCHING, // Looking for your position
    LOCATION_DENIED, // This app may not know your position
    LOCATION_NOT_FOUND, // Your position was not found. Try outside.

    // Problems of fields -------------------------------------------------------------------------------------------------------------
    PROBLEM_REQUIRED, // An answer is needed here
    PROBLEM_NOT_A_NUMBER, // Write a number
    PROBLEM_NOT_A_DATE, // Write a date
    PROBLEM_NOT_A_TIME, // Write a time
    PROBLEM_EMAIL, // Write an e-mail address
    PROBLEM_PHONE, // Write a telephone number
    PROBLEM_URL, // Write a web address that begins with http:// or https://
    PROBLEM_TOO_SMALL, // At least %1$s
    PROBLEM_TOO_LARGE, // At most %1$s
    PROBLEM_DECIMAL_PLACES, // At most %1$s digits after the point
    PROBLEM_TOO_EARLY, // %1$s or later
    PROBLEM_TOO_LATE, // %1$s or earlier
    PROBLEM_TOO_SHORT, // At least %1$s characters
    PROBLEM_TOO_LONG, // At most %1$s characters
    PROBLEM_PATTERN, // This does not have the form that is needed
    PROBLEM_CHARACTERS, // There are characters in it that cannot be used
    PROBLEM_TOO_FEW, // Choose at least %1$s
    PROBLEM_TOO_MANY, // Choose at most %1$s
    PROBLEM_NOT_AN_OPTION, // Choose one of the options
    PROBLEM_ACCURACY, // The position must be known to %1$s m. Try outside.
    PROBLEM_FILE_TOO_LARGE, // The file is too large
    PROBLEM_FILE_TYPE, // This sort of file is not accepted
    PROBLEM_NOT_APPLICABLE, // “Not applicable” cannot be chosen here
    PROBLEM_OTHER, // This is not accepted: %1$s

    // Findings of workflows ----------------------------------------------------------------------------------------------------------
    FINDING_UNLINKED_ANSWER, // In “%1$s” the answer “%2$s” leads nowhere yet
    FINDING_UNREACHABLE_SECTION, // No answer leads to “%1$s”
    FINDING_OTHER, // %1$s

    // Actions: status ----------------------------------------------------------------------------------------------------------------
    ACTION_NOT_FIRED, // Not fired
    ACTION_PENDING, // Pending
    ACTION_SENT, // Sent
    ACTION_FAILED, // Failed
    ACTION_SENT_AT, // Sent %1$s
    ACTION_NEXT_ATTEMPT, // Next try %1$s
    ACTION_LOCKED, // It failed too often to be sent again from this phone
    ACTION_MAYBE_DELIVERED, // The receiver may have it already
    ACTION_OLDER_DELIVERED, // The office has an older version
    ACTION_OLDER_WAITS, // This message has the values from before the edit
    ATTEMPT_SENT, // Try %1$s, %2$s: sent (HTTP %3$s)
    ATTEMPT_ANSWERED, // Try %1$s, %2$s: %3$s (HTTP %4$s)
    ATTEMPT_FAILED, // Try %1$s, %2$s: %3$s

    // The messages of an action, in order -----------------------------------------------------------------------------------------------
    VERSION_FIRST, // Version %1$s, %2$s  (number, what became of it)
    VERSION_CORRECTION, // Version %1$s (correction), %2$s
    VERSION_SENT, // sent %1$s
    VERSION_WAITS, // waiting since %1$s
    VERSION_FAILED, // failed: %1$s
    VERSION_REPLACED, // replaced before it was sent
    REPLAY_SENT, // Sent again %1$s
    REPLAY_WAITS, // To be sent again, waiting since %1$s
    REPLAY_FAILED, // Not sent again: %1$s

    // Actions: reasons ---------------------------------------------------------------------------------------------------------------
    REASON_ABANDONED, // Given up by a person
    REASON_AUTH, // The receiver does not accept our credentials
    REASON_BAD_URL, // The address of the endpoint cannot be used
    REASON_CAPTIVE_PORTAL, // This network wants you to sign in
    REASON_CLOCK_SKEW, // The phone’s clock is wrong
    REASON_CONFLICT, // The receiver says it has a conflict
    REASON_CORRUPT, // The message is damaged
    REASON_DNS, // The receiver’s name was not found
    REASON_EARLIER_REVISION, // An earlier version is still being sent
    REASON_ENDPOINT_ARCHIVED, // The endpoint was taken out of use
    REASON_ENDPOINT_CORRUPT, // The endpoint’s settings are damaged: save them again
    REASON_ENDPOINT_DISABLED, // The endpoint is switched off
    REASON_ENDPOINT_PAUSED, // Waiting: sending failed several times
    REASON_ENDPOINT_UNKNOWN, // This phone does not know the endpoint yet
    REASON_EXHAUSTED, // The receiver failed too often
    REASON_GONE, // The receiver is gone
    REASON_IN_FLIGHT, // Being sent now
    REASON_INTEGRATION_OFF, // Webhooks are switched off
    REASON_INTERRUPTED, // Interrupted; goes on by itself
    REASON_NEEDS_UNMETERED, // Waiting for Wi-Fi
    REASON_NOT_FOUND, // The receiver does not know this address
    REASON_OFFLINE, // No signal
    REASON_PAYLOAD_TOO_LARGE, // The message is too large
    REASON_PROTOCOL, // The receiver did not answer properly
    REASON_PROXY, // This network’s proxy wants a login: sign in, or use another network
    REASON_RATE_LIMITED, // The receiver asked us to wait
    REASON_REDIRECT, // The receiver has moved
    REASON_REJECTED, // The receiver refused the message
    REASON_SECRET_INVALID, // The secret cannot be used
    REASON_SECRET_MISSING, // The secret is missing
    REASON_SECRET_UNAVAILABLE, // Unlock the phone: the secret cannot be read
    REASON_SERVER_ERROR, // The receiver has trouble
    REASON_SESSION_ENDED, // The session was ended early
    REASON_SUPERSEDED, // A corrected message took its place
    REASON_TIMEOUT, // No answer came
    REASON_TLS, // No secure connection
    REASON_UNREACHABLE, // The receiver was not reached
    REASON_OTHER, // Reason: %1$s

    // Sessions: state ----------------------------------------------------------------------------------------------------------------
    SESSION_IN_PROGRESS, // In progress
    SESSION_COMPLETED, // Completed
    SESSION_WON, // Won
    SESSION_ENDED, // Ended early
    SESSION_DISCARDED, // Discarded

    // Responses: what a customer says -------------------------------------------------------------------------------------------------
    RESPONSE_OBJECTION, // Objection: %1$s
    RESPONSE_QUESTION, // Question: %1$s

    // The timeline: what happened ----------------------------------------------------------------------------------------------------
    TIMELINE_STARTED, // Started in “%1$s”
    TIMELINE_FIELD_SET, // %1$s: %2$s
    TIMELINE_ANSWERED, // “%1$s”: %2$s
    TIMELINE_SUPERSEDED, // “%1$s”: %2$s (taken back later)
    TIMELINE_WENT_BACK, // Went back to “%1$s”
    TIMELINE_OBJECTION, // Objection met: %1$s
    TIMELINE_QUESTION, // Question answered: %1$s
    TIMELINE_NOTED, // Note: %1$s
    TIMELINE_COMPLETED, // Completed in “%1$s”
    TIMELINE_COMPLETED_WON, // Won: completed in “%1$s”
    TIMELINE_ENDED, // Ended early in “%1$s”: %2$s
    TIMELINE_DISCARDED, // Discarded
    TIMELINE_FIELD_EDITED, // %1$s changed from %2$s to %3$s
    TIMELINE_NOTE_EDITED, // Note changed to: %1$s
    TIMELINE_EDIT_REASON, // Reason for the edit: %1$s
    TIMELINE_SEND_REQUESTED, // %1$s: asked to be sent
    TIMELINE_SEND_CORRECTED, // %1$s: asked to be sent with corrections
    TIMELINE_REPLAYED, // %1$s: asked to send again what was delivered
    TIMELINE_ABANDONED, // %1$s: given up (%2$s)
    TIMELINE_BY, // %1$s, by %2$s  (when, who)

    // What a screen says after an event ----------------------------------------------------------------------------------------------
    NOTICE_ACTION_ADDED, // Added. New version %1$s on this phone
    NOTICE_ACTION_REMOVED, // Removed. New version %1$s on this phone
    NOTICE_IMPORTED, // Imported: %1$s
    NOTICE_IMPORTED_ALREADY, // It was here already: %1$s
    NOTICE_RESPONSE_USED, // Noted that it was used
    NOTICE_NOTE_SAVED, // Note saved
    NOTICE_FIELDS_SAVED, // Changes saved
    NOTICE_SENDING, // Will be sent
    NOTICE_NOTHING_TO_SEND, // Nothing to send now
    NOTICE_REPLAYED_IN_PART, // %1$s. %2$s.  (what will be sent again, what cannot)
    NOTICE_STILL_OFFLINE, // No signal. It will be sent by itself.
    NOTICE_ENDPOINT_SAVED, // Endpoint saved
    NOTICE_SECRET_SAVED, // Secret saved
    NOTICE_TEST_DELIVERED, // The test message was accepted (HTTP %1$s)
    NOTICE_TEST_REFUSED, // The test message was not accepted: %1$s
    NOTICE_EXPORTED, // Written: %1$s
    NOTICE_PUT_BACK, // The backup is back
    NOTICE_ERASED, // Everything is erased
    NOTICE_MAY_ARRIVE, // Given up. It was on its way already and may still arrive.
    NOTICE_MOVED_ON, // The session had moved on already

    // What is asked before the database is replaced or erased --------------------------------------------------------------------------
    UNDELIVERED_UNKNOWN, // What is on this phone is damaged. It may hold messages that would be lost.

    // What was saved of a database that does not open ----------------------------------------------------------------------------------
    SAVED_WITH_GAPS, // Some of it could not be read and is missing.

    // What went wrong ----------------------------------------------------------------------------------------------------------------
    FAILURE_DISK_FULL, // There is no room left on this phone
    FAILURE_NOT_FOUND, // It is not on this phone any more
    FAILURE_NOT_STARTABLE, // This workflow is not complete yet
    FAILURE_BAD_FILE, // This is not a workflow that can be used
    FAILURE_UNREADABLE, // The file could not be read
    FAILURE_CONFLICT, // This version is here already with other content
    FAILURE_NOT_ALLOWED, // This cannot be done now
    FAILURE_NOTHING_CORRECTED, // Change a value first: the message would be the same
    FAILURE_BODY_DROPPED, // This message is no longer on the phone
    FAILURE_BAD_ENDPOINT, // This endpoint cannot be used: check its name and address
    FAILURE_FIELDS, // Some answers are not accepted
    FAILURE_NEWER_CORE, // This workflow needs a newer version of this app
    FAILURE_NEWER_SCHEMA, // A newer version of this app has written this. Update the app.
    FAILURE_IN_USE, // Sessions on this phone need this workflow
    FAILURE_DAMAGED, // The file is damaged. It was left as it is.
    FAILURE_DATA_DAMAGED, // What is saved on this phone is damaged
    FAILURE_NOT_OURS, // This file is not a backup of this app
    FAILURE_UNDELIVERED, // Messages that are not delivered would be lost
    FAILURE_LOCKED, // Something else is using what is saved. Try again.
    FAILURE_OTHER, // That did not work (%1$s). Nothing was lost.
}
