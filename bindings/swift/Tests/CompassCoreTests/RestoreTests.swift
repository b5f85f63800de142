import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// Replacing a database with a copy, and erasing a database.
final class RestoreTests: XCTestCase {
    private let discard = DiscardUndelivered(actor: "Mia", reason: "The office has them on paper")

    private func ready(_ options: CompassOptions) async throws -> Compass {
        let compass = try await Compass.open(options)
        _ = try await compass.importWorkflow(pumpCheck)
        try await compass.setIntegrationEnabled(true)
        try await compass.putEndpoint(officeAt("http://127.0.0.1:9/hooks"))
        return compass
    }

    private func copy(of options: CompassOptions) -> URL {
        options.file.deletingLastPathComponent().appendingPathComponent("copy.db")
    }

    private func names(beside options: CompassOptions) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: options.file.deletingLastPathComponent().path).sorted()
    }

    func testACopyReplacesTheDatabaseAndTheOldFileIsKeptUntilTheNewOneHasBeenOpened() async throws {
        let options = try CompassOptions.testing(clock: ManualClock())
        let copy = copy(of: options)
        let compass = try await ready(options)
        _ = try await compass.completed()
        try await compass.backup(to: copy)
        _ = try await compass.completed()
        let report = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(report.sent, 2)
        try await compass.close()
        try await Compass.restore(from: copy, options: RestoreOptions(file: options.file))
        XCTAssertTrue(try names(beside: options).contains("test.db.before-restore"))
        let again = try await Compass.open(options)
        let completed = try await again.totals().sessions.completed
        XCTAssertEqual(completed, 1)
        // It was sent before the restore, and is sent again with the same id.
        let sent = try await again.flush(deadline: .seconds(10)).sent
        XCTAssertEqual(sent, 1)
        try await again.close()
        XCTAssertFalse(try names(beside: options).contains("test.db.before-restore"))
    }

    func testReadableRowsAreSavedLineByLineWaitingMessagesFirst() async throws {
        let options = try CompassOptions.testing(clock: ManualClock())
        let saved = options.file.deletingLastPathComponent().appendingPathComponent("saved.jsonl")
        let compass = try await ready(options)
        let key = try await compass.completed().key
        let files = try await compass.files()
        XCTAssertEqual(files, [])
        try await compass.close()
        let report = try await Compass.salvage(options.file, to: saved)
        let lines = try String(contentsOf: saved, encoding: .utf8).split(separator: "\n")
        XCTAssertEqual([report.unsent, report.gaps, report.lines], [1, 0, UInt64(lines.count)])
        XCTAssertTrue(lines[0].hasPrefix("{\"unsent\":") && lines[0].contains("\(key)"))
        await assertThrows("invalid_argument", try await Compass.salvage(options.file, to: saved))
    }

    func testACopyReplacesADatabaseThatDoesNotOpen() async throws {
        let options = try CompassOptions.testing(clock: ManualClock())
        let copy = copy(of: options)
        let compass = try await ready(options)
        let key = try await compass.completed().key
        _ = try await compass.flush(deadline: .seconds(10))
        try await compass.backup(to: copy)
        try await compass.close()
        try Data(repeating: 0x5A, count: 9000).write(to: options.file)
        // Waiting messages in a file that cannot be read cannot be counted.
        await assertThrows(.undelivered, try await Compass.restore(from: copy, options: RestoreOptions(file: options.file)))
        try await Compass.restore(from: copy, options: RestoreOptions(file: options.file, discardUndelivered: discard))
        let again = try await Compass.open(options)
        let status = try await again.record(key).actions[0].status
        XCTAssertEqual(status, .sent)
        try await again.close()
    }

    func testACopyNeedsAClosedHandleAndAPersonWhenMessagesWouldBeLost() async throws {
        let options = try CompassOptions.testing(clock: ManualClock())
        let copy = copy(of: options)
        var restore = RestoreOptions(file: options.file)
        let compass = try await ready(options)
        try await compass.backup(to: copy)
        await assertThrows(.alreadyOpen, try await Compass.restore(from: copy, options: restore))
        let key = try await compass.completed().key
        try await compass.close()
        do {
            try await Compass.restore(from: copy, options: restore)
            XCTFail("a message was lost")
        } catch let error as CompassError {
            XCTAssertEqual(error.code, .undelivered)
            XCTAssertEqual(error.undelivered, 1)
            XCTAssertTrue(error.detail.contains("1 message"), error.detail)
        }
        let unchanged = try await Compass.open(options)
        let pending = try await unchanged.outboxTotals().pending
        XCTAssertEqual(pending, 1)
        try await unchanged.close()
        restore.discardUndelivered = DiscardUndelivered(actor: " ", reason: discard.reason)
        await assertThrows("blank", try await Compass.restore(from: copy, options: restore))
        restore.discardUndelivered = discard
        try await Compass.restore(from: copy, options: restore)
        let again = try await Compass.open(options)
        await assertThrows(.unknownSession, try await again.session(key))
        try await again.close()
    }

    func testWhatWasRedactedOrDeletedSinceTheCopyWasMadeIsThereAgain() async throws {
        let options = try CompassOptions.testing()
        let compass = Compass.lazy(options)
        _ = try await compass.importWorkflow(pumpCheck)
        let (redacted, deleted) = (try await compass.completed(), try await compass.completed(site: "Dock 3"))
        let copy = options.file.appendingPathExtension("copy")
        try await compass.backup(to: copy)
        _ = try await compass.redact(.field(key: "site"), in: redacted.key, actor: "Mia", reason: "asked", pending: .abandon, bodies: .forget)
        try await compass.delete(deleted.key)
        try await compass.whileClosed { file in try await Compass.restore(from: copy, options: RestoreOptions(file: file)) }
        for (session, site) in [(redacted, "Mill Lane"), (deleted, "Dock 3")] {
            let record = try await compass.record(session.key)
            XCTAssertEqual(record.fields.first { $0.definition.key == "site" }?.state, .provided(.text(site)))
        }
        try await compass.close()
    }

    func testAFileThatIsNotACopyIsRefused() async throws {
        let options = try CompassOptions.testing()
        let copy = copy(of: options)
        try await ready(options).close()
        await assertThrows("invalid_argument", try await Compass.restore(from: copy, options: RestoreOptions(file: options.file)))
        try Data(String(repeating: "Not a database. ", count: 1000).utf8).write(to: copy)
        await assertThrows("not_a_database", try await Compass.restore(from: copy, options: RestoreOptions(file: options.file)))
        let again = try await Compass.open(options)
        let workflows = try await again.workflows()
        XCTAssertEqual(workflows.count, 1)
        try await again.close()
    }

    func testErasingLeavesNothingAndNeedsAPersonWhenMessagesWouldBeLost() async throws {
        let options = try CompassOptions.testing(clock: ManualClock())
        let compass = try await ready(options)
        _ = try await compass.completed()
        await assertThrows(.alreadyOpen, try await Compass.erase(options.file))
        try await compass.close()
        await assertThrows(.undelivered, try await Compass.erase(options.file))
        let silent = DiscardUndelivered(actor: "Mia", reason: "")
        await assertThrows("blank", try await Compass.erase(options.file, discardUndelivered: silent))
        try await Compass.erase(options.file, discardUndelivered: discard)
        XCTAssertEqual(try names(beside: options), [])
        try await Compass.erase(options.file)
        let again = try await Compass.open(options)
        let workflows = try await again.workflows()
        XCTAssertEqual(workflows, [])
        try await again.close()
    }

    func testAForgottenVersionCanBeImportedAgainWithOtherContent() async throws {
        let compass = try await Compass.ready()
        let first = WorkflowVersion(version: 1, localRevision: 0)
        try await compass.forgetWorkflow("pump-check", version: first)
        await assertThrows("unknown_workflow", try await compass.forgetWorkflow("pump-check", version: first))
        let other = String(decoding: pumpCheck, as: UTF8.self).replacingOccurrences(of: "Pump check", with: "Another")
        let imported = try await compass.importWorkflow(Data(other.utf8)).imported
        XCTAssertTrue(imported)
        try await compass.close()
    }
}
