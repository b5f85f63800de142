import Foundation
import XCTest

@testable import FieldSampleModels

/// A database that does not open, on the fake.
@MainActor
final class OpeningTests: XCTestCase {
    private let gateway = FakeGateway(.atWork)
    private let store = MemoryStore()
    private let refused = Watched<String?>(nil)
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("opening-\(UUID().uuidString)")
    private lazy var work = Workplace(
        gateway: gateway, navigator: Navigator(), preferences: store, vault: store, locale: Locale(identifier: "en_GB"), exports: folder)

    private func opening(_ code: String?) async throws -> OpeningModel {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        refused.change { $0 = code }
        let opening = OpeningModel({ [work] in work }, open: { [refused] _ in
            if let code = refused.value { throw GatewayFailure(code: code) }
        })
        await opening.retry()
        return opening
    }

    private func backup() throws -> URL {
        let file = folder.appendingPathComponent("somewhere.db")
        try Data("a backup".utf8).write(to: file)
        return file
    }

    private func lies(_ file: ExportFile) -> Bool { file.ifThere(in: work) != nil }

    func testOnlyWhatIsDamagedIsSavedAndReplaced() async throws {
        for code in ["corrupt", "not_a_database", "io"] {
            let model = try await opening(code)
            XCTAssertEqual([model.canSave, model.canReplace], [true, true], code)
            XCTAssertEqual(model.failure, .text(.failureDataDamaged))
        }
        // An update of the app opens it; what waits can be had before.
        let newer = try await opening("newer_schema")
        XCTAssertEqual([newer.canSave, newer.canReplace], [true, false])
        for code in ["cannot_open", "locked", "disk_full"] {
            let model = try await opening(code)
            XCTAssertEqual([model.canSave, model.canReplace], [false, false], code)
        }
    }

    func testWhatCanBeReadIsSavedWithTheNumberOfMessages() async throws {
        let model = try await opening("corrupt")
        model.save()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, ["salvage compass-saved.jsonl"])
        XCTAssertEqual(
            model.saved, SavedData(file: ExportFile.saved.url(in: work), unsent: .count(.savedUnsent, 2), gaps: .text(.savedWithGaps)))
        gateway.change { $0.failure = GatewayFailure(code: "corrupt") }
        model.save()
        await model.settled()
        XCTAssertEqual(model.notice, Notice(words: .text(.failureDamaged), failed: true))
        XCTAssertFalse(model.saving)
    }

    func testABackupIsPutBackAfterTheQuestionsAndTheAppGoesOn() async throws {
        let model = try await opening("corrupt")
        model.chooseBackup(try backup())
        model.dismissQuestion()
        XCTAssertFalse(lies(.chosen))
        model.chooseBackup(try backup())
        gateway.change { $0.failure = GatewayFailure(code: "undelivered") }
        model.confirm()
        await model.settled()
        guard case .undelivered(let asked)? = model.question else { return XCTFail("nothing is asked") }
        XCTAssertEqual(asked.lost, .text(.undeliveredUnknown))
        XCTAssertTrue(asked.asksName)
        gateway.change { $0.failure = nil }
        refused.change { $0 = nil }
        model.discard(reason: "on paper", by: "Kim")
        model.confirm()
        await model.settled()
        XCTAssertEqual(gateway.now.calls.last, "putBack chosen-backup.db Kim: on paper")
        XCTAssertNotNil(model.screens)
        XCTAssertFalse(lies(.chosen))
    }

    func testABackupThatIsNoneIsSaidToBeSo() async throws {
        let model = try await opening("corrupt")
        gateway.change { $0.failure = GatewayFailure(code: "not_a_database") }
        model.chooseBackup(try backup())
        model.confirm()
        await model.settled()
        XCTAssertEqual(model.notice, Notice(words: .text(.failureNotOurs), failed: true))
        XCTAssertNil(model.screens)
    }

    func testStartingOverAsksTwiceTakesTheSecretsAndLeavesWhatWasSaved() async throws {
        gateway.change { $0.outbox = [] }
        try store.put("x", named: "office-secret")
        let model = try await opening("corrupt")
        for file in ExportFile.allCases { try Data("x".utf8).write(to: file.url(in: work)) }
        model.eraseEverything()
        model.confirm()
        XCTAssertEqual(model.question, .erase(sure: true))
        refused.change { $0 = nil }
        model.confirm()
        await model.settled()
        XCTAssertEqual(gateway.now.calls.last, "erase")
        XCTAssertNotNil(model.screens)
        XCTAssertFalse(store.has("office-secret"))
        XCTAssertEqual(ExportFile.allCases.filter { lies($0) }, [.saved])
        XCTAssertEqual(SettingsModel(work).exported, ExportFile.saved.url(in: work), "the settings share it")
    }
}
