import CompassCore
import FieldStory
import Foundation
import XCTest

@testable import FieldSampleModels

/// A technician's day with a battery that dies, over a real line: another process works until it is destroyed in the middle of a word, and
/// only then this one opens the same flash.
@MainActor
final class WholeStoryTests: XCTestCase {
    private static let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

    func testADayFromTheFirstWorkflowToSentWithADeadBatteryInBetween() async throws {
        let office = try await Office()
        let flash = FileManager.default.temporaryDirectory.appendingPathComponent("flash-\(UUID().uuidString)")
        // It imports the workflow, switches webhooks on, adds the office and its secret, starts, answers, goes back, notes and types.
        try await workUntilTheBatteryDies(flash, office)
        let before = try await office.requests()
        XCTAssertEqual(before.count, 0)

        let phone = try await StoryPhone(flash, transport: nil, extraRoots: [String(contentsOf: office.authority, encoding: .utf8)])
        await phone.work.networkChanged(reachable: false)
        let strip = phone.screens.status

        // The technician is where he was.
        let session = try phone.session()
        try await eventually { !session.loading }
        XCTAssertEqual(session.sectionName, "Measure")
        XCTAssertEqual(session.path.map(\.sectionName), ["Arrive", "Measure"])
        XCTAssertEqual(session.notes.map(\.text), ["Beware of the dog"])
        XCTAssertEqual(session.fields.map(\.state), [.provided(.decimal(DecimalValue("2.50")!)), .notProvided])
        guard case .line(let word, _, _) = session.fields[1].input else { return XCTFail("no line") }
        XCTAssertEqual(word, "Half a wo")
        XCTAssertTrue(session.fields[1].unsaved)
        session.openNote()
        XCTAssertEqual(session.sheet, .note("And of the"))
        session.sheet = nil
        XCTAssertEqual(phone.work.preferences.actor, "Jo")
        // Who begins at the list finds it there, too.
        let list = WorkflowsModel(phone.work)
        try await eventually { list.resume?.sectionName == "Measure" }

        // The word is finished, and the session completed with no network.
        session.field("remark", .typed("Half a word is enough"))
        session.answer("done")
        await session.settled()
        let record = try await phone.complete(session)
        XCTAssertTrue(record.won)
        XCTAssertEqual(record.actions.map(\.state), [.pending])
        try await eventually { try phrases()(strip.words) == "No signal: 1 saved, will send" && strip.sign == .noSignal }
        record.openPreview("report")
        await record.settled()
        let preview = try XCTUnwrap(record.preview)
        XCTAssertEqual(preview.endpoint, "office")
        let whileOffline = try await office.requests()
        XCTAssertEqual(whileOffline.count, 0)

        // On leaving the foreground the app asks for a background job.
        let due = try await phone.compass.nextDue()
        XCTAssertNotEqual(BackgroundPlan(due, now: Date()), .nothing)

        // The phone says that there is a network, and grants the job.
        await phone.work.networkChanged(reachable: true)
        let delivered = await BackgroundJob.run(phone.compass)
        XCTAssertTrue(delivered)
        try await eventually { record.actions.map(\.state) == [.sent] && strip.sign == .allSent }
        XCTAssertEqual(try phrases()(strip.words), "Everything is sent")
        XCTAssertEqual(record.actions[0].attemptLines.count, 1)
        let later = try await phone.compass.nextDue()
        XCTAssertEqual(BackgroundPlan(later, now: Date()), .nothing)

        // What arrived is what the record shows, signed with the secret of the settings.
        let requests = try await office.requests()
        XCTAssertEqual(requests.map(\.method), ["POST"])
        let request = try XCTUnwrap(requests.first)
        XCTAssertEqual(request.path, "/echo/t0p")
        XCTAssertEqual(indented(request.body), preview.body)
        XCTAssertTrue(request.body.contains("Half a word is enough"), request.body)
        let signed = try signature(request, secret: Self.secret)
        XCTAssertTrue(signed.hasPrefix("v1,") && signed.count == 47, signed)
        XCTAssertEqual(request.headers["webhook-signature"], signed)
        try await phone.compass.close()
    }

    private func workUntilTheBatteryDies(_ flash: URL, _ office: Office) async throws {
        let child = Process(), output = Pipe(), said = Lines()
        // Beside the tests, which on a Mac are a bundle.
        let tests = Bundle(for: Self.self).bundleURL
        let built = tests.pathExtension == "xctest" ? tests.deletingLastPathComponent() : tests
        child.executableURL = built.appendingPathComponent("LastMoments")
        child.arguments = [flash.path, office.url, office.authority.path, Self.secret]
        child.standardOutput = output
        child.standardError = output
        try child.run()
        // Also when it hangs.
        defer { kill(child.processIdentifier, SIGKILL) }
        said.read(output.fileHandleForReading)
        try await eventually { said.ended || said.all.last == "the battery may die now" }
        XCTAssertEqual(said.all.last, "the battery may die now", said.all.joined(separator: "\n"))
        kill(child.processIdentifier, SIGKILL)
        try await eventually { !child.isRunning }
        XCTAssertEqual(child.terminationReason, .uncaughtSignal)
        XCTAssertEqual(child.terminationStatus, SIGKILL)
    }
}
