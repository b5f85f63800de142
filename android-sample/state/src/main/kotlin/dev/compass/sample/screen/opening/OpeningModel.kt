package dev.compass.sample.screen.opening

import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.sample.port.Database
import dev.compass.sample.port.ExportFolder
import dev.compass.sample.port.PreferenceStore
import dev.compass.sample.port.SecretVault
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.settings.DataQuestion
import dev.compass.sample.screen.settings.Replacement
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope

/**
 * Opens the database. Where it does not open because it is damaged, what can be read of it is saved, a backup takes its place, or the
 * phone starts over.
 *
 * @param open opens it; a [CompassException] says why it cannot.
 */
class OpeningModel(
    private val database: Database,
    private val vault: SecretVault,
    private val exports: ExportFolder,
    private val preferences: PreferenceStore,
    scope: CoroutineScope,
    private val open: suspend () -> Unit,
) : StateModel<OpeningUiState, OpeningEvent>(OpeningUiState(), scope) {
    private val replacement = Replacement(database, exports, { preferences.preferences.value.actor.trim().ifEmpty { null } }, ::erased)

    init {
        inTurn { begin() }
    }

    override fun OpeningUiState.saying(notice: Notice?) = copy(notice = notice)

    override suspend fun take(event: OpeningEvent) {
        // The last taps on a screen that is gone.
        if (now.open) return
        when (event) {
            OpeningEvent.Retried -> begin()
            OpeningEvent.SaveTapped -> working { save() }
            is OpeningEvent.BackupChosen -> show { copy(question = DataQuestion.PutBack(event.copy)) }
            OpeningEvent.FileUnreadable -> say(Notice(text(TextId.FAILURE_UNREADABLE), failed = true))
            OpeningEvent.StartOverTapped -> show { copy(question = DataQuestion.Erase()) }
            is OpeningEvent.DiscardReasonTyped -> show { copy(question = question?.typed(reason = event.reason)) }
            is OpeningEvent.DiscardActorTyped -> show { copy(question = question?.typed(actor = event.actor)) }
            OpeningEvent.Confirmed -> now.question?.let { working { confirm(it) } }
            OpeningEvent.Dismissed -> {
                replacement.forget(now.question)
                show { copy(question = null) }
            }
            OpeningEvent.NoticeShown -> say(null)
        }
    }

    private suspend fun begin() {
        show { copy(failure = null, canSave = false, canReplace = false) }
        try {
            open()
            show { copy(open = true) }
        } catch (failure: CompassException) {
            val damaged = failure.code in DAMAGED
            // Of a file that is none of ours, the words about a backup would say too little.
            val why = if (damaged) text(TextId.FAILURE_DATA_DAMAGED) else failure.words()
            show { copy(failure = why, canSave = damaged || failure.code == ErrorCode.NEWER_SCHEMA, canReplace = damaged) }
        }
    }

    private suspend fun save() {
        val path = exports.path(Replacement.SAVED)
        val salvaged = database.salvage(path)
        val gaps = if (salvaged.gaps == 0L) null else text(TextId.SAVED_WITH_GAPS)
        show { copy(saved = SavedData(path, Text.Count(CountId.SAVED_UNSENT, salvaged.unsent.toInt()), gaps)) }
        say(Notice(text(TextId.NOTICE_EXPORTED, Text.Plain(Replacement.SAVED))))
    }

    private suspend fun confirm(question: DataQuestion) {
        val done = replacement.confirm(question) { show { copy(question = it) } } ?: return
        say(done)
        begin()
    }

    private suspend fun erased() {
        vault.removeAll()
        // What was saved is for the office; the settings share it.
        exports.clear(keep = Replacement.SAVED)
        preferences.set(preferences.preferences.value.copy(actor = ""))
    }

    private suspend fun working(work: suspend () -> Unit) {
        show { copy(working = true) }
        try {
            work()
        } finally {
            show { copy(working = false) }
        }
    }

    private companion object {
        /** What does not pass by waiting. */
        val DAMAGED = setOf(ErrorCode.CORRUPT, ErrorCode.NOT_A_DATABASE, ErrorCode.IO)
    }
}
