import CompassCore
import CompassCoreTesting
import FieldStory
import Foundation
import XCTest

@testable import FieldSampleModels

/// A technician's day with the real core.
@MainActor
final class StoryTests: XCTestCase {
    private let signal = Watched(true)
    private lazy var transport = ScriptedTransport { [signal] _, _ in
        if signal.value { return .answered(TransportResponse(status: 202)) }
        return .failed(TransportFailure(kind: .noNetwork, phase: .connect, requestSent: .no, detail: ""))
    }
    private let store = MemoryStore()

    private func ready() async throws -> (Compass, Workplace) {
        let compass = try await Compass.open(.testing(transport: transport))
        let work = workplace(compass, store: store)
        work.preferences.actor = "Jo"
        let settings = SettingsModel(work)
        settings.importWorkflow(try Data(contentsOf: Catalog.repository.appendingPathComponent("examples/workflows/boiler-service.json")))
        settings.setIntegration(true)
        await settings.settled()
        XCTAssertEqual(settings.notice?.words, .text(.noticeImported, .plain("Boiler service")))
        for endpoint in ["office", "parts-desk", "warehouse"] {
            settings.addEndpoint()
            settings.editing?.key = endpoint
            settings.editing?.url = "http://127.0.0.1:9/\(endpoint)"
            settings.editing?.signed = false
            settings.saveEndpoint()
            await settings.settled()
        }
        return (compass, work)
    }

    /// Fills what the section asks, in the words of a technician.
    private func fill(_ model: SessionModel) async throws {
        for field in model.fields where field.state == .notProvided {
            switch field.input {
            case .line(_, let keyboard, _):
                let numbers: Set<Keyboard> = [.number, .signedNumber, .decimal, .signedDecimal]
                let measured = ["system_pressure": "1.5", "flue_temp": "80", "co_ratio": "0.01"][field.key] ?? "5"
                let text = numbers.contains(keyboard) ? measured : keyboard == .email ? "a@b.example" : keyboard == .phone ? "+44 20 7946 0000" : "BX11770042"
                model.field(field.key, .typed(text))
                model.field(field.key, .left)
            case .yesNo: model.field(field.key, .yesNo(true))
            case .choice(let options, _): model.field(field.key, .option(options[0].key))
            case .day: model.field(field.key, .day(LocalDate("2027-01-15")!))
            case .time: model.field(field.key, .time(LocalTime("08:30:00")!))
            case .moment: model.field(field.key, .moment(OffsetDateTime("2027-01-15T09:00:00+01:00")!))
            case .place:
                let (latitude, longitude) = (DecimalValue("52.5")!, DecimalValue("13.4")!)
                let place = Location(
                    latitude: latitude, longitude: longitude, accuracyM: DecimalValue("5"), capturedAt: fixtureTime)
                model.field(field.key, .located(place))
            case .file(_, let signature, let types):
                let type = types.first ?? (signature ? "image/png" : "image/jpeg")
                let hash = String(repeating: "ab", count: 32)
                model.field(field.key, .attached(FileManifest(sha256: hash, mediaType: type, size: 2048, name: "picture")))
            }
            await model.settled()
        }
    }

    /// To an end, always by the first answer.
    private func workThrough(_ model: SessionModel) async throws {
        for _ in 0..<20 where !model.canReview {
            try await fill(model)
            let visit = model.visit
            model.answer(try XCTUnwrap(model.answers.first).key)
            await model.settled()
            XCTAssertNil(model.problems, "\(model.sectionName): \(model.fields.filter { $0.problem != nil })")
            XCTAssertNotEqual(model.visit, visit)
            if model.visit == visit { return }
        }
        try await fill(model)
        XCTAssertTrue(model.canReview)
    }

    func testADayFromStartToSent() async throws {
        let (compass, work) = try await ready()
        let list = WorkflowsModel(work), strip = StatusModel(work)
        try await eventually { list.workflows.count == 1 }
        list.start("boiler-service")
        await list.settled()
        guard case .session(let key) = work.navigator.top else { return XCTFail(work.navigator.saved) }

        signal.change { $0 = false }
        await work.networkChanged(reachable: false)
        let session = SessionModel(key, work)
        try await eventually { !session.loading }
        let first = session.sectionName
        try await fill(session)
        session.answer(try XCTUnwrap(session.answers.first).key)
        await session.settled()
        XCTAssertNotEqual(session.sectionName, first)
        session.back()
        await session.settled()
        XCTAssertEqual(session.sectionName, first)
        XCTAssertFalse(session.fields.contains { $0.state == .notProvided }, "back loses nothing")
        session.sheet = .note("Beware of the dog")
        session.saveNote()
        await session.settled()
        try await workThrough(session)

        session.review()
        await session.settled()
        XCTAssertEqual(work.navigator.top, .review(key))
        let review = ReviewModel(key, work)
        try await eventually { !review.loading }
        XCTAssertEqual(review.missing, [])
        XCTAssertNotNil(review.willSend)
        review.complete()
        await review.settled()
        XCTAssertEqual(work.navigator.saved, "workflows record/\(key)")

        let record = RecordModel(key, work), outbox = OutboxModel(work)
        try await eventually { !record.actions.isEmpty && !outbox.loading }
        XCTAssertTrue(record.actions.allSatisfy { $0.state == .pending })
        XCTAssertTrue(record.timeline.contains { $0.sign == .note })
        let waiting = record.actions.count
        try await eventually { strip.words == .count(.statusNoSignalWaiting, waiting) && strip.sign == .noSignal }
        outbox.sendNow()
        await outbox.settled()
        XCTAssertEqual(outbox.notice?.words, .text(.noticeStillOffline))
        let inVain = transport.requests.count
        XCTAssertEqual(inVain, 1, "whoever asks gets a try, whatever the phone says")

        signal.change { $0 = true }
        await work.networkChanged(reachable: true)
        outbox.sendNow()
        await outbox.settled()
        try await eventually { record.actions.allSatisfy { $0.state == .sent } && strip.sign == .allSent && outbox.isEmpty }
        XCTAssertEqual(transport.requests.count, inVain + waiting)
        record.openPreview(record.actions[0].key)
        await record.settled()
        XCTAssertEqual(record.preview.map { $0.body.filter { !$0.isWhitespace } }, String(decoding: transport.requests[0].body, as: UTF8.self).filter { !$0.isWhitespace })

        // The office has lost them: the same messages once more.
        let sent = transport.requests.count
        record.menu = .choices
        record.openReplay()
        record.replay()
        await record.settled()
        XCTAssertEqual(record.notice, Notice(words: .count(.willSendAgain, waiting)))
        outbox.sendNow()
        await outbox.settled()
        try await eventually { record.actions.allSatisfy { $0.messages.last?.isReplay == true && $0.state == .sent } }
        XCTAssertEqual(transport.requests.count, sent + waiting)
        let ids = transport.requests.suffix(2 * waiting).map { $0.headers.first { $0.name == "webhook-id" }?.value }
        XCTAssertEqual(Set(ids).count, waiting)
        XCTAssertTrue(record.timeline.contains { $0.sign == .send })
        try await compass.close()
    }

    func testAnEndedSessionSendsNothingUntilAskedAndAnEditIsInTheMessage() async throws {
        let (compass, work) = try await ready()
        work.navigator.open(.workflows)
        let list = WorkflowsModel(work)
        try await eventually { !list.workflows.isEmpty }
        list.start("boiler-service")
        await list.settled()
        guard case .session(let key) = work.navigator.top else { return XCTFail(work.navigator.saved) }
        let session = SessionModel(key, work)
        try await eventually { !session.loading }
        try await workThrough(session)
        session.sheet = .end(reason: "nobody home")
        session.end()
        await session.settled()
        let record = RecordModel(key, work)
        try await eventually { record.now != nil && !record.actions.isEmpty }
        XCTAssertTrue(record.actions.allSatisfy { $0.state == .notFired && $0.canSend })
        XCTAssertEqual(record.now?.endReason, "nobody home")
        record.openEdit()
        await record.settled()
        record.field("system_pressure", .typed("1.7"))
        record.editReason = "Misread"
        record.saveEdit()
        await record.settled()
        XCTAssertEqual(record.notice?.words, .text(.noticeFieldsSaved))
        try await eventually { record.timeline.contains { $0.words == .text(.timelineEditReason, .plain("Misread")) } }
        record.send(record.actions[0].key)
        await record.settled()
        let outbox = OutboxModel(work)
        outbox.sendNow()
        await outbox.settled()
        try await eventually { record.actions[0].state == .sent }
        XCTAssertTrue(String(decoding: transport.requests[0].body, as: UTF8.self).contains(#""value":1.7"#))
        try await compass.close()
    }

    func testAMessageIsAddedToASectionOfTheRealWorkflow() async throws {
        let (compass, work) = try await ready()
        let model = WorkflowModel("boiler-service", work)
        try await eventually { model.outline != nil }
        let section = try XCTUnwrap(model.outline?.sections.first)
        let before = section.actions.count
        try await eventually {
            model.openAdd(section.key)
            return model.adding?.endpoints.isEmpty == false
        }
        model.adding?.chosen = "office"
        // A second tap was meant for the same change.
        model.add()
        model.add()
        await model.settled()
        XCTAssertEqual(model.notice?.words, .text(.noticeActionAdded, .plain("3.1")))
        // At once, before the outline shows the first.
        model.openAdd(section.key)
        model.adding?.chosen = "warehouse"
        model.add()
        await model.settled()
        XCTAssertEqual(model.notice?.words, .text(.noticeActionAdded, .plain("3.2")))
        try await eventually { model.outline?.sections.first?.actions.count == before + 2 && model.version == "3.2" }
        model.openRemove("message-1", from: section.key)
        XCTAssertEqual(model.removing?.name, section.name)
        model.remove()
        await model.settled()
        try await eventually { model.outline?.sections.first?.actions.count == before + 1 }
        try await compass.close()
    }
}
