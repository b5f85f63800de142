import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// Examples of docs/embedding-ios.md.
final class GuideTests: XCTestCase {
    func testFromNothingToADeliveredWebhook() async throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        setenv("XDG_DATA_HOME", home.path, 1)
        let transport = ScriptedTransport()
        let (document, url) = (pumpCheck, "https://office.example/hooks")
        try await withWatchdog("The first webhook") {
            var options = try CompassOptions.standard()
            options.transport = transport
            options.secrets = MemorySecretStore(["office": secret])
            let compass = Compass.lazy(options)
            _ = try await compass.importWorkflow(document)
            let signing = Signing.standardWebhooks(secret: "office")
            try await compass.putEndpoint(Endpoint(key: "office", url: url, signing: signing))
            try await compass.setIntegrationEnabled(true)
            var view = try await compass.start("pump-check").view
            view = try await compass.setFields(["site": .text("Mill Lane")], in: view.key).view
            view = try await compass.answer(view, "on").view
            view = try await compass.complete(view).view
            for try await record in compass.observeRecord(view.key) where record.actions.allSatisfy({ $0.status == .sent }) { break }
            try await compass.close()
        }
        XCTAssertEqual(transport.requests.count, 1)
    }

    func testATypedTextIsKeptReadAndSet() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let pressure = try XCTUnwrap(view.fields.first { $0.definition.key == "pressure" })
        func kept() async throws -> FieldView? { try await compass.session(view.key).fields.first { $0.definition.key == "pressure" } }
        try await onMainActor {
            let entry = FieldText(pressure, in: view.key, of: compass, by: "ada")
            // Without a typed text nothing is set.
            try await entry.commit().value
            for text in ["1", "18", "182", "182.", "182.x"] { entry.typed(text) }
            try await entry.commit().value
            XCTAssertEqual(entry.problem, "bad_format")
            XCTAssertEqual(entry.text, "182.x")
            try await eventually { try await compass.session(view.key).fields[1].draft == "182.x" }
            let again = FieldText(try await compass.session(view.key).fields[1], in: view.key, of: compass, by: "ada")
            XCTAssertEqual(again.text, "182.x")
            again.typed("182.50")
            try await again.commit().value
            XCTAssertNil(again.problem)
            XCTAssertNil(again.text)
        }
        let set = try await kept()
        XCTAssertEqual(set?.state, .provided(.decimal(DecimalValue("182.50")!)))
        XCTAssertNil(set?.draft)
        try await onMainActor {
            let entry = FieldText(try await compass.session(view.key).fields[1], in: view.key, of: compass, by: "ada")
            entry.typed("")
            try await entry.commit().value
        }
        let emptied = try await kept()
        XCTAssertEqual(emptied?.state, .notProvided)
        try await compass.close()
    }

    func testALetterThatCannotBeKeptIsShown() async throws {
        let fake = FakeCompass()
        let view = SessionView.fixture(fields: [.fixture()])
        fake.change { $0.views[view.key] = view }
        try await onMainActor {
            let entry = FieldText(view.fields[0], in: view.key, of: fake, by: "ada")
            fake.refuseNext(CompassError(code: .diskFull), of: "saveDraft")
            await entry.typed("M").value
            XCTAssertEqual(entry.problem, "disk_full")
            await entry.typed("Mi").value
            XCTAssertNil(entry.problem)
        }
    }

    func testAScannedValueTakesThePlaceOfWhatWasTyped() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        try await onMainActor {
            let entry = FieldText(view.fields[0], in: view.key, of: compass, by: "ada")
            entry.typed("Mi")
            entry.chosen(.text("Mill Lane"))
            try await entry.commit().value
            let site = try await compass.session(view.key).fields[0]
            XCTAssertEqual(site.state, .provided(.text("Mill Lane")))
            XCTAssertNil(site.draft)
            entry.chosen(.boolean(true))
            try await entry.commit().value
            XCTAssertEqual(entry.problem, "wrong_type")
        }
        try await compass.close()
    }

    func testAMoveKnowsNothingOfATextThatWasRefused() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let held = FieldValue.decimal(DecimalValue("1.5")!)
        _ = try await compass.setFields(["site": .text("Mill Lane"), "pressure": held], in: view.key)
        try await onMainActor {
            let fields = try await compass.session(view.key).fields
            let entry = FieldText(fields[1], in: view.key, of: compass, by: "ada")
            entry.typed("twelve")
            try await entry.commit().value
            XCTAssertEqual(entry.problem, "bad_format")
            let moved = try await compass.answer(view, "on").view
            let back = try await compass.back(moved).view.fields[1]
            XCTAssertEqual(back.state, .provided(held))
            XCTAssertEqual(back.draft, "twelve")
        }
        try await compass.close()
    }

    @MainActor
    private static func testARefusalIsShown() async throws {
        let fake = FakeCompass()
        let field = FieldView.fixture(definition: .fixture(key: "site", required: true))
        let view = SessionView.fixture(fields: [field], answers: [Answer(key: "on", name: "Go on", next: "done")])
        fake.change { $0.views[view.key] = view }
        let entry = FieldText(field, in: view.key, of: fake, by: "ada")
        entry.typed("Mill")
        fake.refuseNext(CompassError(code: .fieldProblems, problems: [.fixture(code: "too_short")]), of: "run")
        try await entry.commit().value
        XCTAssertEqual(entry.problem, "too_short")
        XCTAssertTrue(fake.current.writes.contains(.saveDraft("site", text: "Mill", session: view.key)))
    }

    func testTheTestOfTheGuidePasses() async throws { try await Self.testARefusalIsShown() }

    func testLoggingOutAsksAboutAMessageThatFailed() async throws {
        let compass = Compass.lazy(try .testing(transport: ScriptedTransport { _, _ in .answered(TransportResponse(status: 422)) }))
        _ = try await compass.importWorkflow(pumpCheck)
        try await compass.putEndpoint(officeAt("https://office.example/hooks"))
        try await compass.setIntegrationEnabled(true)
        _ = try await compass.completed()
        _ = try await compass.start("pump-check")
        try await logOut(from: compass, secrets: NoSecrets(), by: "Mia")
        let left = try await compass.sessions().sessions
        XCTAssertEqual(left, [])
        try await compass.close()
    }

    func testWhatAnOfficeHasLostIsSentAgainWithTheSameId() async throws {
        let transport = ScriptedTransport()
        let compass = try await Compass.ready(transport: transport)
        _ = try await compass.completed()
        _ = try await compass.flush(deadline: .seconds(10))
        let later = try await sendAgain(since: .distantFuture, from: compass, by: "Mia")
        XCTAssertEqual([later.again, later.gone], [0, 0])
        let all = try await sendAgain(since: Date(timeIntervalSince1970: 0), from: compass, by: "Mia")
        XCTAssertEqual([all.again, all.gone], [1, 0])
        _ = try await compass.flush(deadline: .seconds(10))
        let ids = transport.requests.map { $0.headers.first { $0.name == "webhook-id" }?.value }
        XCTAssertEqual(ids.count, 2)
        XCTAssertEqual(ids[0], ids[1])
        try await compass.close()
    }

    func testTheOfficeGetsASignedMessage() async throws {
        let office = try WebhookSink()
        let secrets = MemorySecretStore(["office": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="])
        let compass = try await Compass.open(.testing(transport: URLSessionTransport(), secrets: secrets))
        let signing = Signing.standardWebhooks(secret: "office")
        try await compass.putEndpoint(Endpoint(key: "office", url: office.url, signing: signing))
        _ = try await compass.testDelivery("office")
        let webhook = try await office.next()
        XCTAssertTrue(webhook.isSigned(with: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
        office.close()
        try await compass.close()
    }

    func testTheGuideShowsTheLinesThatRan() throws {
        let guide = try String(contentsOf: Stage.repository.appendingPathComponent("docs/embedding-ios.md"), encoding: .utf8)
        let here = try String(contentsOfFile: #filePath, encoding: .utf8)
        let blocks = guide.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        XCTAssertLessThanOrEqual(blocks[0].split(separator: "\n").count, 15)
        // Examples without names of Apple's run here; check-apple.sh compiles all of them.
        let names = ["class FieldText", "func testARefusalIsShown", "func logOut", "func sendAgain", "func testTheOfficeGetsASignedMessage"]
        let ours = blocks.filter { block in names.contains { block.contains($0) } }
        XCTAssertEqual(ours.count, 5)
        // The bundle and the Keychain exist only on a phone.
        for line in ([blocks[0]] + ours).joined().split(separator: "\n") {
            if line.contains("Bundle.main") || line.contains("KeychainSecretStore") { continue }
            XCTAssertTrue(here.contains(line), String(line))
        }
    }
}

@MainActor
final class FieldText {
    let compass: any CompassHandle
    let session: SessionKey
    let field: FieldView
    /// The person who types; the record names them.
    let actor: String?
    /// What is typed and no value yet; nil where there is nothing of the kind.
    var text: String?
    var problem: String?
    private var choosing: Task<Void, any Error>?

    init(_ field: FieldView, in session: SessionKey, of compass: any CompassHandle, by actor: String?) {
        (self.field, self.session, self.compass, self.actor) = (field, session, compass, actor)
        text = field.draft
    }

    /// Each letter. A dead battery costs no more than the last one.
    @discardableResult
    func typed(_ text: String) -> Task<Void, Never> {
        (self.text, problem) = (text, nil)
        return Task {
            do {
                try await compass.saveDraft(field.definition.key, text: text, in: session)
            } catch let refused as CompassError {
                problem = refused.code.rawValue  // on a full disk nothing that is typed is kept: say so
            } catch {}
        }
    }

    /// Scanned, measured or chosen instead: a value at once. What was typed before does not come after it.
    @discardableResult
    func chosen(_ value: FieldValue) -> Task<Void, any Error> {
        (text, problem) = (nil, nil)
        let task = Task {
            do {
                _ = try await compass.setField(field.definition.key, to: value, in: session, actor: actor)
            } catch let refused as CompassError where refused.code == .fieldProblems {
                problem = refused.problems.first?.code
            }
        }
        choosing = task
        return task
    }

    /// The field is left, or an answer is tapped: from text to a value. In a task, as each letter is: it comes after them.
    @discardableResult
    func commit() -> Task<Void, any Error> {
        Task {
            if text == nil { try await choosing?.value }  // it may still be refused
            guard let text else { return }
            do {
                let state = try field.definition.parse(text)
                // A line that was emptied says nothing; "empty" is said on purpose, with a button of its own.
                let change = state == .empty ? .clear : state.change ?? .clear
                _ = try await compass.setField(field.definition.key, to: change, in: session, actor: actor)
                if self.text == text { self.text = nil }
            } catch let refused as CompassError where refused.code == .fieldProblems {
                problem = refused.problems.first?.code  // a stable name; the words are the app's
            }
        }
    }
}

private struct NoSecrets {
    func removeAll() throws {}
}

private func confirms(abandon messages: UInt64) async throws -> Bool {
    XCTAssertEqual(messages, 1)
    return true
}

private func confirms(loss lost: UInt64) async throws -> Bool {
    XCTAssertEqual(lost, 1)
    return true
}

private func logOut(from compass: Compass, secrets: NoSecrets, by actor: String) async throws {
    _ = try await compass.flush(deadline: .seconds(20), urgent: true)
    let totals = try await compass.outboxTotals()
    let lost = try await compass.totals().sessions.inProgress + totals.notFired
    if lost > 0, try await !confirms(loss: lost) { return }
    let unsent = totals.pending + totals.failed
    var discard: DiscardUndelivered?
    if unsent > 0, try await confirms(abandon: unsent) {
        discard = DiscardUndelivered(actor: actor, reason: "logged out")
    }
    try await compass.erase(discardUndelivered: discard)
    try secrets.removeAll()
}

/// The office has lost what arrived since then: how many messages are sent again, and how many no longer can be.
private func sendAgain(since lost: Date, from compass: Compass, by actor: String) async throws -> (again: UInt32, gone: UInt32) {
    var (again, gone): (UInt32, UInt32) = (0, 0)
    var page: String?
    repeat {
        let report = try await compass.replaySent(ReplayFilter(endpoint: "office", sentFrom: lost), actor: actor, page: page)
        (again, gone) = (again + report.replayed, gone + report.bodyDropped)
        page = report.next
    } while page != nil
    return (again, gone)
}
