package dev.compass.sample.screen.settings

import dev.compass.core.CompassException
import dev.compass.core.DiscardUndelivered
import dev.compass.core.ErrorCode
import dev.compass.sample.port.Database
import dev.compass.sample.port.ExportFolder
import dev.compass.sample.screen.Notice
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text

/**
 * Puts a backup in the place of what is on the phone, or erases it, after the questions that this takes: for the settings, and for a
 * database that does not open.
 *
 * @param actor who works, where that is known.
 * @param erased does what else there is to do once the database is gone.
 */
internal class Replacement(
    private val database: Database,
    private val exports: ExportFolder,
    private val actor: () -> String?,
    private val erased: suspend () -> Unit,
) {
    /** Yes to this question: [ask] shows the next one, or none. Gives what to say once it is done. */
    suspend fun confirm(question: DataQuestion, ask: (DataQuestion?) -> Unit): Notice? {
        when (question) {
            is DataQuestion.PutBack -> return replace(question, null, ask)
            is DataQuestion.Erase -> if (question.sure) return replace(question, null, ask) else ask(DataQuestion.Erase(sure = true))
            is DataQuestion.Undelivered ->
                if (question.canDiscard) return replace(question.change, question.discard, ask)
        }
        return null
    }

    /** The question was left: the copy of a backup that it was about goes. */
    suspend fun forget(question: DataQuestion?): Unit = when (question) {
        is DataQuestion.PutBack -> exports.remove(question.copy)
        is DataQuestion.Undelivered -> forget(question.change)
        is DataQuestion.Erase, null -> Unit
    }

    private suspend fun replace(change: DataQuestion, discard: DiscardUndelivered?, ask: (DataQuestion?) -> Unit): Notice? {
        try {
            if (change is DataQuestion.PutBack) database.putBack(change.copy, discard) else erase(discard)
        } catch (failure: CompassException) {
            if (failure.code == ErrorCode.UNDELIVERED && discard == null) {
                ask(undelivered(change, failure))
                return null
            }
            forget(change)
            ask(null)
            throw failure
        }
        forget(change)
        ask(null)
        return Notice(text(if (change is DataQuestion.PutBack) TextId.NOTICE_PUT_BACK else TextId.NOTICE_ERASED))
    }

    private suspend fun erase(discard: DiscardUndelivered?) {
        database.erase(discard)
        erased()
    }

    private fun undelivered(change: DataQuestion, failure: CompassException): DataQuestion {
        val count = failure.undelivered?.toInt()
        val lost = count?.let { Text.Count(CountId.UNDELIVERED, it) } ?: text(TextId.UNDELIVERED_UNKNOWN)
        return DataQuestion.Undelivered(change, lost, reason = "", actor = actor().orEmpty(), asksActor = actor() == null)
    }

    companion object {
        /** What could still be read of a database that does not open. */
        const val SAVED = "compass-saved.jsonl"
    }
}
