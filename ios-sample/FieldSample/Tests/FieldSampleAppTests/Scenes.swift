import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import Foundation
import SwiftUI

@testable import FieldSampleApp
@testable import FieldSampleModels

/// A screen as a technician may see it: what the phone has, and the taps that lead there. Names of files and of tests.
@MainActor
struct Scene {
    let name: String
    var phone = FakeState.atWork
    var saved = "workflows"
    var lead: @MainActor (Stand) async throws -> Void = { _ in }

    /// Every screen, and everything that can lie over one.
    static let all: [Scene] = [
        Scene(name: "workflows"),
        Scene(name: "workflows, none yet", phone: .empty),
        Scene(name: "workflow", saved: "workflows workflow/boiler-service"),
        Scene(name: "workflow, incomplete", saved: "workflows workflow/draft"),
        Scene(name: "workflow, a message is added", saved: "workflows workflow/boiler-service") {
            try await $0.model(WorkflowModel.self) {
                $0.openAdd("inspection")
                return $0.adding?.endpoints.isEmpty == false
            }
        },
        Scene(name: "workflow, a message without endpoints", phone: without { $0.endpoints = [] }, saved: "workflows workflow/boiler-service") {
            try await $0.model(WorkflowModel.self) {
                $0.openAdd("inspection")
                return $0.adding != nil
            }
        },
        Scene(name: "workflow, a message is removed", saved: "workflows workflow/boiler-service") {
            try await $0.model(WorkflowModel.self) {
                $0.openRemove("notify-office", from: "done")
                return $0.removing != nil
            }
        },
        Scene(name: "session", saved: "workflows session/s1"),
        Scene(name: "session, every field", phone: without { $0.views["s1"]?.fields = everyField }, saved: "workflows session/s1"),
        Scene(
            name: "session, every field filled in", phone: without { $0.views["s1"]?.fields = everyField.map(\.filled) },
            saved: "workflows session/s1"),
        Scene(name: "session, something is missing", saved: "workflows session/s1") {
            try await $0.model(SessionModel.self) { !$0.loading }
            try await $0.model(SessionModel.self) {
                $0.field("pressure", .typed("a lot"))
                $0.answer("answer-0")
                return true
            }
            try await $0.model(SessionModel.self) { $0.problems != nil && $0.saved == .notYet }
        },
        Scene(name: "session, a line is typed", saved: "workflows session/s1") { try await $0.type("BX", into: "Serial number") },
        Scene(name: "session, a day is chosen", phone: without { $0.views["s1"]?.fields = everyField }, saved: "workflows session/s1") {
            try await $0.tap(.buttonChoose, about: "A field of dateTime")
        },
        Scene(name: "session, a signature", phone: without { $0.views["s1"]?.fields = everyField }, saved: "workflows session/s1") {
            try await $0.tap(.buttonSign, about: "A field of signature")
        },
        Scene(name: "session, its end", phone: without(atItsEnd), saved: "workflows session/s1"),
        Scene(name: "session, over", phone: without { $0.views["s1"]?.state = .completed }, saved: "workflows session/s1"),
        Scene(name: "session, gone", phone: without { $0.views = [:] }, saved: "workflows session/s1"),
        Scene(name: "session, a note", saved: "workflows session/s1") { try await $0.sheet(.note("Beware of the dog")) },
        Scene(name: "session, a response", saved: "workflows session/s1") {
            try await $0.model(SessionModel.self) {
                $0.sheet = $0.replies.first.map { .reply($0) }
                return $0.sheet != nil
            }
        },
        Scene(name: "session, its steps", phone: without(atItsEnd), saved: "workflows session/s1") { try await $0.sheet(.steps) },
        Scene(name: "session, ended now", saved: "workflows session/s1") { try await $0.sheet(.end(reason: "")) },
        Scene(name: "session, discarded", saved: "workflows session/s1") { try await $0.sheet(.discard) },
        Scene(name: "review", phone: without(atItsEnd), saved: "workflows session/s1 review/s1"),
        Scene(
            name: "review, something is missing", phone: without {
                $0.views["s1"]?.completionProblems = [.fixture(field: "serial", code: "required", visit: 1)]
                $0.integrationEnabled = false
            }, saved: "workflows session/s1 review/s1"),
        Scene(name: "record, sent", saved: "sessions record/s3"),
        Scene(name: "record, failed", saved: "sessions record/s4"),
        Scene(
            name: "record, differs from what was sent", phone: without {
                $0.records["s3"]?.actions[0].differsFromSent = true
                $0.records["s3"]?.actions[0].deliveredRevision = 1
                $0.records["s3"]?.actions[0].canSendCorrected = true
            }, saved: "sessions record/s3"),
        Scene(name: "record, several versions", phone: without(severalVersions), saved: "sessions record/s3"),
        Scene(name: "record, its menu", saved: "sessions record/s3") { try await $0.menu(.choices) },
        Scene(name: "record, its menu without anything to send again", saved: "sessions record/s4") { try await $0.menu(.choices) },
        Scene(name: "record, sent again", saved: "sessions record/s3") { try await $0.menu(.replay) },
        Scene(name: "record, edited", saved: "sessions record/s3") {
            try await $0.model(RecordModel.self) {
                $0.openEdit()
                return $0.editing != nil
            }
        },
        Scene(name: "record, a message", saved: "sessions record/s3") {
            try await $0.model(RecordModel.self) { !$0.actions.isEmpty }
            try await $0.model(RecordModel.self) {
                $0.openPreview("notify-office")
                return true
            }
            try await $0.model(RecordModel.self) { $0.preview != nil }
        },
        Scene(name: "record, a message is given up", saved: "sessions record/s4") {
            try await $0.model(RecordModel.self) {
                $0.openAbandon("notify-office")
                return $0.abandoning != nil
            }
        },
        Scene(name: "sessions", saved: "sessions"),
        Scene(name: "sessions, one was changed", phone: without { $0.sessions[2].actionsDiffering = 1 }, saved: "sessions"),
        Scene(name: "sessions, many", phone: without(many), saved: "sessions"),
        Scene(name: "sessions, filtered", saved: "sessions") {
            try await $0.tap($0.words(.message(.buttonFilter, [.message(.labelAll, [])])))
        },
        Scene(name: "sessions, none", phone: without { $0.sessions = [] }, saved: "sessions"),
        Scene(name: "outbox", saved: "outbox") { await $0.offline() },
        Scene(
            name: "outbox, empty", phone: without { ($0.outbox, $0.outboxTotals) = ([], FakeState.empty.outboxTotals) },
            saved: "outbox"),
        Scene(name: "settings", saved: "settings"),
        Scene(name: "settings, exported", saved: "settings") {
            try await $0.simulateOffline()
            try await $0.model(SettingsModel.self) {
                $0.exportDiagnostics()
                return true
            }
            try await $0.model(SettingsModel.self) { $0.exported != nil && $0.notice != nil }
        },
        Scene(name: "settings, an endpoint", saved: "settings") {
            try $0.work.vault.put("whsec_abc", named: "office-secret")
            try await $0.model(SettingsModel.self) {
                $0.openEndpoint("office")
                return $0.editing != nil
            }
        },
        Scene(name: "settings, a backup is put back", saved: "settings") { try await $0.asks { try $0.chooseBackup(aBackup()) } },
        Scene(name: "settings, everything is erased", saved: "settings") { try await $0.asks { $0.eraseEverything() } },
        Scene(name: "settings, everything is erased for good", saved: "settings") {
            try await $0.asks {
                $0.eraseEverything()
                $0.confirm()
            }
        },
        Scene(name: "settings, messages would be lost", saved: "settings") {
            try await $0.asks {
                $0.eraseEverything()
                $0.confirm()
                $0.confirm()
            }
            try await $0.model(SettingsModel.self) { if case .undelivered? = $0.question { true } else { false } }
        },
        Scene(name: "settings, a new endpoint", saved: "settings") {
            try await $0.model(SettingsModel.self) {
                $0.addEndpoint()
                return true
            }
        },
    ]

    private static func aBackup() throws -> URL {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).db")
        try Data("a backup".utf8).write(to: file)
        return file
    }

    private static func without(_ change: (inout FakeState) -> Void) -> FakeState {
        var phone = FakeState.atWork
        change(&phone)
        return phone
    }

    private static func atItsEnd(_ phone: inout FakeState) {
        phone.views["s1"]?.section.isEnd = true
        phone.views["s1"]?.section.win = true
        phone.views["s1"]?.canComplete = true
        phone.views["s1"]?.answers = []
        phone.views["s1"]?.visit = 2
        phone.views["s1"]?.path = [
            .fixture(visit: 1, section: "inspection", sectionName: "Inspection and combustion", answerName: "All in order"),
            .fixture(visit: 2, section: "done", sectionName: "Service complete"),
        ]
        phone.views["s1"]?.notes = [Note(seq: 1, at: fixtureTime, actor: "Jo", text: "Beware of the dog", edited: false)]
        phone.views["s1"]?.wouldFire = [ActionPreview(key: "notify-office", name: "Tell the office", section: "done", endpoint: "office")]
    }

    private static func severalVersions(_ phone: inout FakeState) {
        guard let sent = phone.records["s3"]?.actions[0].deliveries.first else { return }
        var (correction, again, failed) = (sent, sent, sent)
        (correction.revision, correction.state, correction.sentAt) = (2, .pending, nil)
        again.replay = 1
        (failed.replay, failed.state, failed.reason) = (2, .failed, "rejected")
        phone.records["s3"]?.actions[0].status = .pending
        phone.records["s3"]?.actions[0].deliveries = [correction, sent]
        phone.records["s3"]?.actions[0].replays = [failed, again]
    }

    private static func many(_ phone: inout FakeState) {
        let one = phone.sessions[1]
        phone.sessions = (0..<40).map { place in
            .fixture(
                key: "k\(place)", workflow: one.workflow, state: .ended, startedAt: one.startedAt.addingTimeInterval(Double(-86400 * place)),
                sectionName: one.sectionName)
        }
    }

    static let everyField: [CompassCore.FieldView] = kinds.map { name, kind in
        .fixture(
            definition: .fixture(
                key: name, name: "A field of \(name)", help: "What it is for.", required: name == "text", allowEmpty: true,
                allowNotApplicable: true, kind: kind))
    }

    private static var kinds: [(String, FieldKind)] {
        let (text, file) = (TextRule(minLength: nil, maxLength: nil, pattern: nil), FileRule(maxSize: nil, mediaTypes: []))
        let options = [FieldOption(key: "seal", name: "Seal"), FieldOption(key: "valve", name: "Valve")]
        return [
            ("text", .text(text)), ("multiline", .multiline(text)), ("integer", .integer(min: nil, max: nil)),
            ("decimal", .decimal(min: nil, max: nil, decimalPlaces: nil)), ("yesNo", .boolean), ("date", .date(min: nil, max: nil)),
            ("time", .time(min: nil, max: nil)), ("dateTime", .dateTime(min: nil, max: nil)), ("singleChoice", .singleChoice(options: options)),
            ("multipleChoice", .multipleChoice(options: options, min: nil, max: nil)), ("email", .email(text)), ("phone", .phone(text)),
            ("url", .url(text)), ("barcode", .barcode(text)), ("location", .location(maxAccuracyM: nil)), ("attachment", .attachment(file)),
            ("signature", .signature(file)),
        ]
    }
}

extension CompassCore.FieldView {
    fileprivate var filled: CompassCore.FieldView {
        let value: FieldValue = switch definition.kind {
        case .text, .multiline, .email, .phone, .url, .barcode: .text("Something")
        case .integer: .integer(42)
        case .decimal: .decimal(DecimalValue("1.50")!)
        case .boolean: .boolean(true)
        case .date: .date(LocalDate("2027-01-15")!)
        case .time: .time(LocalTime("08:30:00")!)
        case .dateTime: .dateTime(OffsetDateTime("2027-01-15T09:00:00+01:00")!)
        case .singleChoice: .choice("seal")
        case .multipleChoice: .choices(["seal", "valve"])
        case .location:
            .location(
                Location(
                    latitude: DecimalValue("52.520000")!, longitude: DecimalValue("13.405000")!, accuracyM: DecimalValue("5.0"),
                    capturedAt: fixtureTime))
        case .attachment, .signature: .file(FileManifest(sha256: "ab", mediaType: "image/png", size: 2048, name: "signature.png"))
        }
        return .fixture(definition: definition, state: .provided(value))
    }
}

extension Stand {
    fileprivate func offline() async { await work.network.changed(.offline, telling: fake) }

    fileprivate func simulateOffline() async throws { try await work.network.simulateOffline(true, telling: fake) }

    /// Waits for what the model of the shown screen says.
    func model<Model>(_ type: Model.Type, _ condition: @MainActor (Model) throws -> Bool) async throws {
        _ = drawn
        let model = Mirror(reflecting: screens.model(of: work.navigator.top)).children.first?.value as? Model
        try await eventually { try model.map(condition) ?? false }
    }

    /// A question of the settings.
    func asks(_ lead: @MainActor (SettingsModel) throws -> Void) async throws {
        try await model(SettingsModel.self) { !$0.loading }
        try await model(SettingsModel.self) {
            try lead($0)
            return $0.question != nil
        }
    }

    func menu(_ menu: RecordMenu) async throws {
        try await model(RecordModel.self) { $0.now != nil }
        try await model(RecordModel.self) {
            $0.menu = menu
            return true
        }
    }

    func sheet(_ sheet: SessionSheet) async throws {
        try await model(SessionModel.self) { !$0.loading }
        try await model(SessionModel.self) {
            $0.sheet = sheet
            return true
        }
    }
}
