/// The messages of the app that do not depend on a number. `Localizable.xcstrings` has the words, by `key`.
public enum TextId: String, CaseIterable, Sendable {
    // The status strip: a sign, words and a number
    case statusNoSignal
    case statusAllSent
    case statusOpening
    case statusSimulated

    // Fields
    case notProvided
    case empty
    case notApplicable
    case yes
    case no
    case locationValue
    case locationValueAccuracy
    case fileValue
    case prefilledFrom
    case savedOnPhone
    case saving
    case notSavedYet
    case fileStays
    case fileUnreadable
    case locationSearching
    case locationDenied
    case locationNotFound
    case cameraDenied
    case cameraRestricted
    case cameraMissing

    // Problems of fields
    case problemRequired
    case problemNotANumber
    case problemNotADate
    case problemNotATime
    case problemEmail
    case problemPhone
    case problemUrl
    case problemTooSmall
    case problemTooLarge
    case problemDecimalPlaces
    case problemTooEarly
    case problemTooLate
    case problemTooShort
    case problemTooLong
    case problemPattern
    case problemCharacters
    case problemTooFew
    case problemTooMany
    case problemNotAnOption
    case problemAccuracy
    case problemFileTooLarge
    case problemFileType
    case problemNotApplicable
    case problemOther

    // Findings of workflows
    case findingUnlinkedAnswer
    case findingUnreachableSection
    case findingOther

    // Actions: status
    case actionNotFired
    case actionPending
    case actionSent
    case actionFailed
    case actionSentAt
    case actionNextAttempt
    case actionLocked
    case actionMaybeDelivered
    case attemptSent
    case attemptAnswered
    case attemptFailed

    // Actions: reasons
    case reasonAbandoned
    case reasonAuth
    case reasonBadUrl
    case reasonCaptivePortal
    case reasonClockSkew
    case reasonConflict
    case reasonCorrupt
    case reasonDns
    case reasonEndpointArchived
    case reasonEndpointCorrupt
    case reasonEndpointDisabled
    case reasonEndpointPaused
    case reasonEndpointUnknown
    case reasonExhausted
    case reasonGone
    case reasonInFlight
    case reasonIntegrationOff
    case reasonInterrupted
    case reasonNeedsUnmetered
    case reasonNotFound
    case reasonOffline
    case reasonPayloadTooLarge
    case reasonProtocol
    case reasonProxy
    case reasonRateLimited
    case reasonRedirect
    case reasonRejected
    case reasonSecretInvalid
    case reasonSecretMissing
    case reasonSecretUnavailable
    case reasonServerError
    case reasonSessionEnded
    case reasonSuperseded
    case reasonTimeout
    case reasonTls
    case reasonUnreachable
    case reasonOther

    // Sessions: state
    case sessionInProgress
    case sessionCompleted
    case sessionWon
    case sessionEnded
    case sessionDiscarded

    // The timeline
    case timelineStarted
    case timelineFieldSet
    case timelineAnswered
    case timelineSuperseded
    case timelineWentBack
    case timelineObjection
    case timelineQuestion
    case timelineNoted
    case timelineCompleted
    case timelineCompletedWon
    case timelineEnded
    case timelineDiscarded
    case timelineFieldEdited
    case timelineNoteEdited
    case timelineSendRequested
    case timelineSendCorrected
    case timelineAbandoned
    case timelineBy

    // What a screen says after an act
    case noticeActionAdded
    case noticeActionRemoved
    case noticeImported
    case noticeImportedAlready
    case noticeResponseUsed
    case noticeNoteSaved
    case noticeFieldsSaved
    case noticeSending
    case noticeNothingToSend
    case noticeStillOffline
    case noticeEndpointSaved
    case noticeTestDelivered
    case noticeTestRefused
    case noticeExported
    case noticeMovedOn

    // What went wrong
    case failureDiskFull
    case failureLocked
    case failureNotFound
    case failureNotStartable
    case failureBadFile
    case failureConflict
    case failureNotAllowed
    case failureNothingCorrected
    case failureBadEndpoint
    case failureFields
    case failureOther

    // Titles and buttons
    case tabWorkflows
    case tabSessions
    case tabOutbox
    case tabSettings
    case titleReview
    case titleRecord
    case buttonStart
    case buttonOpen
    case buttonContinue
    case buttonBack
    case buttonReview
    case buttonComplete
    case buttonOpenRecord
    case buttonNote
    case buttonSteps
    case buttonEnd
    case buttonDiscard
    case buttonSave
    case buttonCancel
    case buttonObjection
    case buttonQuestion
    case buttonUsed
    case buttonClear
    case buttonEmpty
    case buttonAddAction
    case buttonAdd
    case buttonRemove
    case buttonEdit
    case buttonSend
    case buttonSendCorrected
    case buttonPreview
    case buttonAbandon
    case buttonSendNow
    case buttonSendFailedAgain
    case buttonMore
    case buttonTest
    case buttonImport
    case buttonAddEndpoint
    case buttonDiagnostics
    case buttonBackup
    case buttonTakePhoto
    case buttonChooseFile
    case buttonSign
    case buttonLocate
    case buttonChoose
    case buttonDone
    case buttonFilter
    case buttonLeave
    case buttonNow
    case buttonShare
    case buttonToday
    case buttonUse
    case buttonPhoneSettings
    case buttonTryAgain
    case headingResume
    case headingFields
    case headingResponses
    case headingNotes
    case headingActions
    case headingTimeline
    case headingWillBeSent
    case headingMissing
    case headingWaiting
    case headingEndpoints
    case headingDisplay
    case headingSupport
    case headingFilter
    case headingPerson
    case labelRequired
    case labelWin
    case labelStartSection
    case labelEndSection
    case labelUnlinked
    case labelSearch
    case labelAll
    case labelName
    case labelAddress
    case labelSecret
    case labelSecretStored
    case labelSecretHint
    case labelSignedHere
    case labelUnsigned
    case labelIncomplete
    case labelEditHint
    case labelSigned
    case labelWifiOnly
    case labelTechnician
    case labelIntegration
    case labelSimulate
    case labelTextSize
    case labelSizeNormal
    case labelSizeLarge
    case labelSizeLargest
    case labelContrast
    case labelKeepOn
    case labelReason
    case labelSince
    case labelNoEndpoints
    case labelOutboxEmpty
    case labelIntegrationOff
    case labelNothingToSend
    case labelSessionOver
    case labelBy
    case labelFinished
    case labelLeadsTo
    case labelLoading
    case labelNoSessions
    case labelNoWorkflows
    case labelPair
    case labelSaved
    case labelScan
    case labelSignHere
    case labelStarted
    case labelStep
    case labelTo
    case labelTypeName
    case labelVersion
    case questionEnd
    case questionDiscard
    case questionRemove
    case questionAbandon

    /// Its name in the catalog: `status_no_signal`.
    public var key: String { rawValue.catalogKey }
}

extension String {
    var catalogKey: String { reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) } }
}
