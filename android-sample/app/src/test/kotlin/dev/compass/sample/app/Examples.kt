package dev.compass.sample.app

import dev.compass.core.model.ActionDefinition
import dev.compass.core.model.ActionKind
import dev.compass.core.model.ActionPreview
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Answer
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldKind
import dev.compass.core.model.Integration
import dev.compass.core.model.NoteChange
import dev.compass.core.model.ResponseKind
import dev.compass.core.model.SessionState
import dev.compass.core.model.TextRule
import dev.compass.sample.app.screens.OpeningView
import dev.compass.sample.app.screens.OutboxView
import dev.compass.sample.app.screens.RecordView
import dev.compass.sample.app.screens.ReviewView
import dev.compass.sample.app.screens.ScreenView
import dev.compass.sample.app.screens.SessionView
import dev.compass.sample.app.screens.SessionsView
import dev.compass.sample.app.screens.SettingsView
import dev.compass.sample.app.screens.Surroundings
import dev.compass.sample.app.screens.WorkflowView
import dev.compass.sample.app.screens.WorkflowsView
import dev.compass.sample.field.FieldMark
import dev.compass.sample.field.FieldUi
import dev.compass.sample.field.InputUi
import dev.compass.sample.field.Keyboard
import dev.compass.sample.field.OptionUi
import dev.compass.sample.port.TextSize
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.opening.OpeningUiState
import dev.compass.sample.screen.opening.SavedData
import dev.compass.sample.screen.outbox.OutboxRow
import dev.compass.sample.screen.outbox.OutboxUiState
import dev.compass.sample.screen.record.AbandonQuestion
import dev.compass.sample.screen.record.ActionCard
import dev.compass.sample.screen.record.ActionTotal
import dev.compass.sample.screen.record.Editing
import dev.compass.sample.screen.record.MessageLine
import dev.compass.sample.screen.record.PreviewSheet
import dev.compass.sample.screen.record.RecordFieldLine
import dev.compass.sample.screen.record.RecordMenu
import dev.compass.sample.screen.record.RecordNote
import dev.compass.sample.screen.record.RecordUiState
import dev.compass.sample.screen.record.TimelineLine
import dev.compass.sample.screen.record.TimelineSign
import dev.compass.sample.screen.review.MissingField
import dev.compass.sample.screen.review.ReviewField
import dev.compass.sample.screen.review.ReviewUiState
import dev.compass.sample.screen.session.NoteUi
import dev.compass.sample.screen.session.Progress
import dev.compass.sample.screen.session.ResponseUi
import dev.compass.sample.screen.session.SavedMark
import dev.compass.sample.screen.session.SessionDialog
import dev.compass.sample.screen.session.SessionUiState
import dev.compass.sample.screen.session.StepUi
import dev.compass.sample.screen.sessions.SessionRow
import dev.compass.sample.screen.sessions.SessionsUiState
import dev.compass.sample.screen.settings.DataQuestion
import dev.compass.sample.screen.settings.EndpointForm
import dev.compass.sample.screen.settings.EndpointRow
import dev.compass.sample.screen.settings.SettingsUiState
import dev.compass.sample.screen.status.StatusIcon
import dev.compass.sample.screen.status.StatusUiState
import dev.compass.sample.screen.workflow.AddSheet
import dev.compass.sample.screen.workflow.AnswerLine
import dev.compass.sample.screen.workflow.RemoveQuestion
import dev.compass.sample.screen.workflow.SectionCard
import dev.compass.sample.screen.workflow.WorkflowUiState
import dev.compass.sample.screen.workflows.ResumeCard
import dev.compass.sample.screen.workflows.WorkflowCard
import dev.compass.sample.screen.workflows.WorkflowsUiState
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime

/** A screen in a state that it can be in. */
class Example(val name: String, val show: (Surroundings) -> ScreenView<*, *>)

/** Screens of a morning with a boiler, in two languages. */
class Examples(private val arabic: Boolean) {
    private val service = say("Boiler service", "صيانة المرجل")
    private val office = "office"
    private val report = say("Report", "التقرير")
    private val combustion = say("Combustion test", "اختبار الاحتراق")
    private val morning = at("08:12")

    val noSignal = StatusUiState(StatusIcon.NO_SIGNAL, Text.Count(CountId.STATUS_NO_SIGNAL_WAITING, 3))
    val attention = StatusUiState(
        StatusIcon.WAITING, Text.Count(CountId.STATUS_WAITING, 3), attention = Text.Count(CountId.STATUS_NEEDS_PERSON, 1), simulated = text(TextId.STATUS_SIMULATED),
    )

    val all: List<Example> by lazy {
        listOf(
            Example("opening") { OpeningView(it) {}.showing(OpeningUiState()) },
            Example("opening-locked") { OpeningView(it) {}.showing(OpeningUiState(failure = text(TextId.FAILURE_LOCKED))) },
            Example("opening-damaged") { OpeningView(it) {}.showing(damaged) },
            Example("opening-put-back") { OpeningView(it) {}.showing(damaged.copy(question = DataQuestion.PutBack("/exports/chosen"))) },
            Example("opening-start-over") { OpeningView(it) {}.showing(damaged.copy(question = DataQuestion.Erase())) },
            Example("opening-undelivered") { OpeningView(it) {}.showing(damaged.copy(question = unknownLoss)) },
            Example("workflows") { WorkflowsView(it) {}.showing(workflows) },
            Example("workflow") { WorkflowView(it) {}.showing(workflow) },
            Example("workflow-add") {
                WorkflowView(it) {}.showing(workflow.copy(adding = AddSheet("done", combustion, report, listOf(office, "billing"), office)))
            },
            Example("workflow-add-nobody") {
                WorkflowView(it) {}.showing(workflow.copy(adding = AddSheet("done", combustion, report, emptyList(), null)))
            },
            Example("workflow-remove") { WorkflowView(it) {}.showing(workflow.copy(removing = RemoveQuestion("done", "report", report))) },
            Example("session") { SessionView(it) {}.showing(session) },
            Example("session-every-field") { SessionView(it) {}.showing(session.copy(fields = everyField, problems = Text.Count(CountId.PROBLEMS, 2), saved = SavedMark.NOT_YET)) },
            Example("session-many-answers") { SessionView(it) {}.showing(session.copy(fields = emptyList(), answers = manyAnswers)) },
            Example("session-end") { SessionView(it) {}.showing(session.copy(answers = emptyList(), canReview = true)) },
            Example("session-over") { SessionView(it) {}.showing(session.copy(closed = true)) },
            Example("session-response") { SessionView(it) {}.showing(session.copy(dialog = SessionDialog.Response(response))) },
            Example("session-note") { SessionView(it) {}.showing(session.copy(dialog = SessionDialog.Note(note))) },
            Example("session-steps") { SessionView(it) {}.showing(session.copy(dialog = SessionDialog.Steps)) },
            Example("session-stop") { SessionView(it) {}.showing(session.copy(dialog = SessionDialog.End(""))) },
            Example("session-discard") { SessionView(it) {}.showing(session.copy(dialog = SessionDialog.Discard)) },
            Example("review") { ReviewView(it) {}.showing(review) },
            Example("review-missing") {
                ReviewView(it) {}.showing(
                    review.copy(canComplete = false, willSend = null, messages = emptyList(), integrationOff = true, missing = listOf(MissingField("flue", flue, text(TextId.PROBLEM_REQUIRED), 2))),
                )
            },
            Example("record") { RecordView(it) {}.showing(record) },
            Example("record-timeline") {
                RecordView(it) {}.showing(record.copy(actions = emptyList(), totals = emptyList(), fields = emptyList(), notes = emptyList(), canEdit = false))
            },
            Example("record-edit") { RecordView(it) {}.showing(record.copy(editing = Editing(everyField, listOf(NoteChange(1, note)), misread, canSave = true))) },
            Example("record-menu") { RecordView(it) {}.showing(record.copy(menu = RecordMenu.CHOICES)) },
            Example("record-menu-nothing") { RecordView(it) {}.showing(record.copy(menu = RecordMenu.CHOICES, canReplay = false)) },
            Example("record-replay") { RecordView(it) {}.showing(record.copy(menu = RecordMenu.REPLAY)) },
            Example("record-replayed") { RecordView(it) {}.showing(record.copy(notice = Notice(replayedInPart))) },
            Example("record-preview") { RecordView(it) {}.showing(record.copy(preview = PreviewSheet("report", report, office, BODY))) },
            Example("record-abandon") { RecordView(it) {}.showing(record.copy(abandoning = AbandonQuestion("invoice", invoice, reason = "", actor = "", asksActor = true))) },
            Example("sessions") { SessionsView(it) {}.showing(sessions) },
            Example("outbox") { OutboxView(it) {}.showing(outbox) },
            Example("outbox-empty") { OutboxView(it) {}.showing(OutboxUiState(loading = false, empty = true)) },
            Example("settings") { SettingsView(it) {}.showing(settings) },
            Example("settings-endpoint") {
                SettingsView(it) {}.showing(settings.copy(editing = EndpointForm(office, "https://office.example/hooks", secretStored = true, isNew = false)))
            },
            Example("settings-put-back") { SettingsView(it) {}.showing(settings.copy(question = putBack)) },
            Example("settings-erase") { SettingsView(it) {}.showing(settings.copy(question = DataQuestion.Erase())) },
            Example("settings-erase-sure") { SettingsView(it) {}.showing(settings.copy(question = DataQuestion.Erase(sure = true))) },
            Example("settings-undelivered") {
                val lost = Text.Count(CountId.UNDELIVERED, 3)
                SettingsView(it) {}.showing(settings.copy(question = DataQuestion.Undelivered(putBack, lost, reason = "", actor = "", asksActor = true)))
            },
        )
    }

    fun named(name: String): Example = all.first { it.name == name }

    private val flue = say("Flue temperature", "حرارة المدخنة")
    private val invoice = say("Invoice", "الفاتورة")
    private val note = say("The valve in the cellar is stiff.", "الصمام في القبو قاسٍ.")

    private val damaged = OpeningUiState(
        failure = text(TextId.FAILURE_DATA_DAMAGED),
        canSave = true,
        canReplace = true,
        saved = SavedData("/exports/compass-saved.jsonl", Text.Count(CountId.SAVED_UNSENT, 2), text(TextId.SAVED_WITH_GAPS)),
        notice = Notice(text(TextId.NOTICE_EXPORTED, Text.Plain("compass-saved.jsonl"))),
    )
    private val unknownLoss =
        DataQuestion.Undelivered(DataQuestion.PutBack("/exports/chosen"), text(TextId.UNDELIVERED_UNKNOWN), reason = "", actor = "", asksActor = true)

    private val workflows = WorkflowsUiState(
        loading = false,
        resume = ResumeCard("s", service, combustion, morning),
        moreInProgress = Text.Count(CountId.MORE_IN_PROGRESS, 2),
        workflows = listOf(
            WorkflowCard("boiler", service, say("The yearly service of a gas boiler.", "الصيانة السنوية لمرجل الغاز."), "3.1", startable = true),
            WorkflowCard(
                "pump", say("Pump check", "فحص المضخة"), null, "1", startable = false,
                findings = listOf(text(TextId.FINDING_UNLINKED_ANSWER, Text.Plain(say("Arrive", "الوصول")), Text.Plain(say("It leaks", "يوجد تسرب")))),
            ),
        ),
        notice = Notice(text(TextId.NOTICE_IMPORTED, Text.Plain(service))),
    )

    private val workflow = WorkflowUiState(
        loading = false,
        name = service,
        description = say("The yearly service of a gas boiler.", "الصيانة السنوية لمرجل الغاز."),
        version = "3.1",
        startable = true,
        sections = listOf(
            SectionCard(
                "arrive", say("Arrive", "الوصول"), isStart = true, isEnd = false, win = false,
                fields = listOf(asked(say("Serial number", "الرقم التسلسلي"), required = true), asked(say("Photo of the plate", "صورة اللوحة"), required = false)),
                answers = listOf(AnswerLine(say("It runs", "يعمل"), combustion), AnswerLine(say("It is off", "متوقف"), null)),
                actions = emptyList(),
            ),
            SectionCard(
                "done", say("Done", "تم"), isStart = false, isEnd = true, win = true,
                fields = listOf(asked(say("Signature", "التوقيع"), required = true)), answers = emptyList(),
                actions = listOf(sends("report", report, office), sends("invoice", invoice, "billing")),
            ),
        ),
    )

    private val response = ResponseUi(
        "price", ResponseKind.OBJECTION.words(say("“Why is it so expensive?”", "«لماذا هذا الثمن؟»")),
        listOf(say("The price holds the yearly test by law.", "يشمل الثمن الاختبار السنوي القانوني.")),
    )

    private val manyAnswers = (1..6).map { Answer("a$it", say("Fault code F$it", "رمز العطل F$it")) }

    private val session = SessionUiState(
        loading = false,
        workflowName = service,
        sectionName = combustion,
        visit = 3,
        paragraphs = listOf(say("Run the boiler at full load for ten minutes. Then hold the probe in the flue.", "شغّل المرجل بأقصى حمل عشر دقائق، ثم ضع المجس في المدخنة.")),
        progress = Progress(3, 2),
        fields = listOf(
            field("flue", flue, InputUi.Line(say("182.5", "١٨٢٫٥"), Keyboard.DECIMAL), required = true, mark = FieldMark.PROVIDED)
                .copy(help = say("In degrees Celsius", "بالدرجة المئوية"), canClear = true),
            field("safe", say("Is the gas valve tight?", "هل صمام الغاز محكم؟"), InputUi.YesNo(true), mark = FieldMark.PROVIDED).copy(canBeNotApplicable = true),
        ),
        answers = listOf(Answer("ok", say("Readings are fine", "القراءات جيدة")), Answer("bad", say("Readings are off", "القراءات غير صحيحة"))),
        responses = listOf(response),
        notes = listOf(NoteUi(note, at("08:31"))),
        path = listOf(
            StepUi(1, say("Arrive", "الوصول"), say("It runs", "يعمل"), current = false),
            StepUi(3, combustion, null, current = true),
        ),
        canGoBack = true,
    )

    private val everyField = listOf(
        field("name", say("Who is there?", "من الموجود؟"), InputUi.Line("", Keyboard.TEXT), required = true).copy(problem = text(TextId.PROBLEM_REQUIRED)),
        field("text", say("What was done", "ما الذي أُنجز"), InputUi.Line(note, Keyboard.TEXT, multiline = true)).copy(unsaved = true),
        field("hours", say("Hours", "الساعات"), InputUi.Line(say("12", "١٢"), Keyboard.NUMBER), mark = FieldMark.PROVIDED).copy(canClear = true, canBeNotApplicable = true, canBeEmpty = true),
        field("mail", say("E-mail", "البريد الإلكتروني"), InputUi.Line("mill@", Keyboard.EMAIL)).copy(problem = text(TextId.PROBLEM_EMAIL)),
        field("serial", say("Serial number", "الرقم التسلسلي"), InputUi.Line("", Keyboard.BARCODE, scan = true)).copy(help = say("Scan it, or type it", "امسحه أو اكتبه")),
        field("tight", say("Is it tight?", "هل هو محكم؟"), InputUi.YesNo(null), required = true),
        field("day", say("Date of the last service", "تاريخ آخر صيانة"), InputUi.Day(LocalDate.of(2026, 1, 15)), mark = FieldMark.PROVIDED),
        field("time", say("Time", "الوقت"), InputUi.Time(LocalTime.of(8, 31)), mark = FieldMark.PROVIDED),
        field("when", say("Appointment", "الموعد"), InputUi.DateTime(OffsetDateTime.parse("2027-01-16T09:00:00Z")), mark = FieldMark.PROVIDED),
        field("fuel", say("Fuel", "الوقود"), InputUi.Choice(listOf(OptionUi("gas", say("Natural gas", "غاز طبيعي"), true), OptionUi("oil", say("Oil", "زيت"), false)), multiple = false)),
        field("parts", say("Parts replaced", "القطع المستبدلة"), InputUi.Choice(listOf(OptionUi("seal", say("Seal", "حشوة"), true), OptionUi("fan", say("Fan", "مروحة"), false)), multiple = true)),
        field("place", say("Where", "أين"), InputUi.Place(text(TextId.LOCATION_VALUE_ACCURACY, Text.Number(BigDecimal("53.479")), Text.Number(BigDecimal("-2.245")), Text.Number(BigDecimal("8")))), mark = FieldMark.PROVIDED),
        field("photo", say("Photo of the plate", "صورة اللوحة"), InputUi.File(signature = false, file = text(TextId.FILE_VALUE, Text.Plain("plate.jpg"), Text.Count(CountId.KILOBYTES, 812))), mark = FieldMark.PROVIDED)
            .copy(note = text(TextId.FILE_STAYS)),
        field("signature", say("Signature", "التوقيع"), InputUi.File(signature = true, file = null)).copy(note = text(TextId.FILE_STAYS)),
        field("chimney", say("Chimney", "المدخنة"), InputUi.Line("", Keyboard.TEXT), mark = FieldMark.NOT_APPLICABLE).copy(canClear = true),
    )

    private val review = ReviewUiState(
        loading = false,
        workflowName = service,
        sectionName = say("Done", "تم"),
        win = true,
        fields = listOf(
            ReviewField(say("Serial number", "الرقم التسلسلي"), Text.Plain("BX-20417"), provided = true),
            ReviewField(flue, Text.Number(BigDecimal("182.50")), provided = true),
            ReviewField(say("Is the gas valve tight?", "هل صمام الغاز محكم؟"), text(TextId.YES), provided = true),
            ReviewField(say("Photo of the plate", "صورة اللوحة"), text(TextId.NOT_PROVIDED), provided = false),
        ),
        messages = listOf(ActionPreview("report", report, "end", office), ActionPreview("invoice", invoice, "end", "billing")),
        willSend = Text.Count(CountId.WILL_SEND, 2),
        canComplete = true,
    )

    private val misread = say("Misread", "قراءة خاطئة")
    private val replayedInPart = text(TextId.NOTICE_REPLAYED_IN_PART, Text.Count(CountId.WILL_SEND_AGAIN, 2), Text.Count(CountId.CANNOT_SEND_AGAIN, 1))

    private fun version(id: TextId, number: Int, became: Text) =
        MessageLine("$number.0", text(id, Text.Number(BigDecimal(number)), became), replay = false)

    private val sentCard = ActionCard(
        "report", report, office, ActionStatus.SENT, text(TextId.ACTION_SENT), null, null, Text.Count(CountId.ATTEMPTS, 2),
        listOf(
            text(TextId.ATTEMPT_SENT, Text.Number(BigDecimal(2)), at("09:04"), Text.Plain("202")),
            text(TextId.ATTEMPT_FAILED, Text.Number(BigDecimal(1)), at("08:41"), text(TextId.REASON_OFFLINE)),
        ),
        listOf(
            version(TextId.VERSION_FIRST, 1, text(TextId.VERSION_SENT, at("08:52"))),
            version(TextId.VERSION_CORRECTION, 2, text(TextId.VERSION_SENT, at("09:04"))),
            MessageLine("2.1", text(TextId.REPLAY_WAITS, at("09:10")), replay = true),
        ),
        listOf(text(TextId.ACTION_OLDER_DELIVERED)), canSend = false, canSendCorrected = true, canAbandon = false,
    )

    private val failedCard = ActionCard(
        "invoice", invoice, "billing", ActionStatus.FAILED, text(TextId.ACTION_FAILED), text(TextId.REASON_REJECTED), null, Text.Count(CountId.ATTEMPTS, 1),
        listOf(text(TextId.ATTEMPT_ANSWERED, Text.Number(BigDecimal(1)), at("09:04"), text(TextId.REASON_REJECTED), Text.Plain("422"))),
        emptyList(),
        listOf(text(TextId.ACTION_MAYBE_DELIVERED), text(TextId.ACTION_OLDER_WAITS)), canSend = true, canSendCorrected = true, canAbandon = true,
    )

    private val record = RecordUiState(
        loading = false,
        workflowName = service,
        version = "3.1",
        state = SessionState.COMPLETED,
        stateText = text(TextId.SESSION_WON),
        won = true,
        actor = say("Jo", "سلمى"),
        startedAt = morning,
        finishedAt = at("08:40"),
        actions = listOf(sentCard, failedCard),
        totals = listOf(ActionTotal(ActionStatus.SENT, text(TextId.ACTION_SENT), 1), ActionTotal(ActionStatus.FAILED, text(TextId.ACTION_FAILED), 1)),
        fields = listOf(
            RecordFieldLine("serial", say("Serial number", "الرقم التسلسلي"), Text.Plain("BX-20417"), provided = true),
            RecordFieldLine("photo", say("Photo of the plate", "صورة اللوحة"), text(TextId.NOT_PROVIDED), provided = false),
        ),
        notes = listOf(RecordNote(1, note, at("08:31"), edited = true)),
        timeline = listOf(
            TimelineLine("1", morning, TimelineSign.STARTED, text(TextId.TIMELINE_STARTED, Text.Plain(say("Arrive", "الوصول")))),
            TimelineLine("2", at("08:15"), TimelineSign.FIELD, text(TextId.TIMELINE_FIELD_SET, Text.Plain(say("Serial number", "الرقم التسلسلي")), Text.Plain("BX-20417"))),
            TimelineLine("3", at("08:16"), TimelineSign.ANSWER, text(TextId.TIMELINE_ANSWERED, Text.Plain(say("Arrive", "الوصول")), Text.Plain(say("It runs", "يعمل")))),
            TimelineLine("4", at("08:40"), TimelineSign.WON, text(TextId.TIMELINE_COMPLETED_WON, Text.Plain(say("Done", "تم")))),
        ),
        canEdit = true,
        canReplay = true,
    )

    private val sessions = SessionsUiState(
        loading = false,
        text = "",
        sessions = listOf(
            SessionRow("a", service, combustion, text(TextId.SESSION_IN_PROGRESS), won = false, inProgress = true, morning, say("Jo", "سلمى"), 0, 0, 0, changed = false),
            SessionRow("b", service, say("Done", "تم"), text(TextId.SESSION_WON), won = true, inProgress = false, at("07:02"), say("Jo", "سلمى"), 1, 1, 2, changed = true),
            SessionRow("c", say("Pump check", "فحص المضخة"), say("Arrive", "الوصول"), text(TextId.SESSION_ENDED), won = false, inProgress = false, at("06:30"), null, 0, 0, 0, changed = false),
        ),
        more = true,
    )

    private val outbox = OutboxUiState(
        loading = false,
        waiting = Text.Count(CountId.OUTBOX_WAITING, 3),
        needsPerson = Text.Count(CountId.OUTBOX_NEEDS_PERSON, 1),
        oldest = at("07:40"),
        nextAttempt = at("09:20"),
        persons = listOf(
            OutboxRow("b", "invoice", invoice, service, "billing", ActionStatus.FAILED, text(TextId.ACTION_FAILED), text(TextId.REASON_REJECTED), null, Text.Count(CountId.ATTEMPTS, 1), text(TextId.ACTION_MAYBE_DELIVERED), at("08:40")),
        ),
        lines = listOf(
            OutboxRow("b", "report", report, service, office, ActionStatus.PENDING, text(TextId.ACTION_PENDING), text(TextId.REASON_OFFLINE), text(TextId.ACTION_NEXT_ATTEMPT, at("09:20")), Text.Count(CountId.ATTEMPTS, 2), null, at("08:40")),
            OutboxRow("d", "report", report, say("Pump check", "فحص المضخة"), office, ActionStatus.PENDING, text(TextId.ACTION_PENDING), text(TextId.REASON_OFFLINE), null, null, null, at("07:40")),
        ),
        canSendNow = true,
        canSendFailedAgain = true,
    )

    private val putBack = DataQuestion.PutBack("/exports/chosen-backup.db")

    private val settings = SettingsUiState(
        loading = false,
        actor = say("Jo", "سلمى"),
        integrationEnabled = true,
        endpoints = listOf(
            EndpointRow(office, "https://office.example", enabled = true, signed = true, secretStored = true, waiting = 2, problem = null),
            EndpointRow("billing", "https://billing.example", enabled = true, signed = true, secretStored = false, waiting = 1, problem = text(TextId.REASON_SECRET_MISSING)),
        ),
        textSize = TextSize.NORMAL,
        exported = "/exports/diagnostics.txt",
    )

    private fun asked(name: String, required: Boolean) = FieldDefinition(name, name, required = required, kind = FieldKind.Text(TextRule()))

    private fun sends(key: String, name: String, to: String) = ActionDefinition(key, name, Integration.WEBHOOKS, ActionKind.SEND_MESSAGE, to)

    private fun field(key: String, label: String, input: InputUi, required: Boolean = false, mark: FieldMark = FieldMark.NOT_PROVIDED) =
        FieldUi(key, label, null, required, mark, input)

    private fun say(english: String, arabicWords: String) = if (arabic) arabicWords else english

    private fun at(time: String): Text = Text.Moment(Instant.parse("2027-01-15T$time:00Z"))

    private fun <S, V : ScreenView<S, *>> V.showing(state: S): V = apply {
        bind(state)
        status(noSignal)
    }

    private companion object {
        const val BODY = """{
  "key": "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11",
  "started_at": "2027-01-15T08:12:00.000Z",
  "completed_at": "2027-01-15T08:40:02.001Z",
  "workflow": { "key": "boiler-service", "name": "Boiler service" },
  "fields": [ { "key": "flue", "value": 182.50 } ]
}"""
    }
}
