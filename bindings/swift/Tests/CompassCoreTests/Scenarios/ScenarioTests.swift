import Foundation
import XCTest

/// The scenarios of tests/fixtures/scenarios, which every language runs. Their format is described in the README there.
final class ScenarioTests: XCTestCase {
    func testAbandonedAndPurged() async throws { try await Stage.play("abandoned-and-purged") }
    func testAllOrNothing() async throws { try await Stage.play("all-or-nothing") }
    func testAnotherNetwork() async throws { try await Stage.play("another-network") }
    func testAsTyped() async throws { try await Stage.play("as-typed") }
    func testBusyThenTaken() async throws { try await Stage.play("busy-then-taken") }
    func testEndedOrDiscarded() async throws { try await Stage.play("ended-or-discarded") }
    func testEveryType() async throws { try await Stage.play("every-type") }
    func testEditsSent() async throws { try await Stage.play("edits-sent") }
    func testFieldsPerAction() async throws { try await Stage.play("fields-per-action") }
    func testGivenOnce() async throws { try await Stage.play("given-once") }
    func testGone() async throws { try await Stage.play("gone") }
    func testHalfTyped() async throws { try await Stage.play("half-typed") }
    func testIntegrationOff() async throws { try await Stage.play("integration-off") }
    func testLockedAfterFour() async throws { try await Stage.play("locked-after-four") }
    func testMoving() async throws { try await Stage.play("moving") }
    func testNotesAndResponses() async throws { try await Stage.play("notes-and-responses") }
    func testOffline() async throws { try await Stage.play("offline") }
    func testPrefill() async throws { try await Stage.play("prefill") }
    func testRedacted() async throws { try await Stage.play("redacted") }
    func testReplayed() async throws { try await Stage.play("replayed") }
    func testRejectedAndCorrected() async throws { try await Stage.play("rejected-and-corrected") }
    func testSecrets() async throws { try await Stage.play("secrets") }
    func testTokenRefused() async throws { try await Stage.play("token-refused") }
    func testUnknownEndpoint() async throws { try await Stage.play("unknown-endpoint") }
    func testUnmetered() async throws { try await Stage.play("unmetered") }
    func testVersions() async throws { try await Stage.play("versions") }

    func testEveryFileIsATestHere() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Stage.folder.path).filter { $0.hasSuffix(".json") }
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        XCTAssertFalse(files.isEmpty)
        for file in files { XCTAssertTrue(source.contains("Stage.play(\"\(file.dropLast(5))\")"), "\(file) has no test here") }
    }
}
