package dev.compass.sample.text

/** The messages that depend on a number: each is a plural of the same name in small letters. The number is the first argument. */
enum class CountId {
    /** "No signal: 3 saved, will send". */
    STATUS_NO_SIGNAL_WAITING,

    /** "3 saved, sending". */
    STATUS_WAITING,

    /** "2 need you". */
    STATUS_NEEDS_PERSON,

    /** "3 messages wait". */
    OUTBOX_WAITING,

    /** "1 message needs you". */
    OUTBOX_NEEDS_PERSON,

    /** "2 tries". */
    ATTEMPTS,

    /** "Failed 2 times of …": sends that failed. */
    FAILED_SENDS,

    /** "At least 2 more steps". */
    STEPS_LEFT,

    /** "2 things are missing". */
    PROBLEMS,

    /** "3 messages will be sent". */
    WILL_SEND,

    /** "2 findings". */
    FINDINGS,

    /** "4 fields". */
    FIELDS,

    /** "1 action". */
    ACTIONS,

    /** "2 more sessions in progress". */
    MORE_IN_PROGRESS,

    /** "3 were sent again". */
    SENT_AGAIN,

    /** "2 messages will be sent again". */
    WILL_SEND_AGAIN,

    /** "1 message cannot be sent again: …". */
    CANNOT_SEND_AGAIN,

    /** "12 KB", in kilobytes, rounded up. */
    KILOBYTES,

    /** "3 sent, …" after send now: how many were sent. */
    SENT_NOW,

    /** "3 messages are not delivered and would be lost". */
    UNDELIVERED,

    /** "Saved. 2 messages that were not sent are in it": what was saved of a database that does not open. */
    SAVED_UNSENT,
}
