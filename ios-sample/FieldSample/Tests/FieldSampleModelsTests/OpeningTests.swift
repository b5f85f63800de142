import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import Foundation
import XCTest

@testable import FieldSampleModels

/// A database that does not open, on the fake.
@MainActor
final class OpeningTests: XCTestCase {
    private let fake = FakeCompass(.atWork)
    private let store = MemoryStore()
    private lazy var database = FakeDatabase(fake)
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("opening-\(UUID().uuidString)")
    private lazy var work = Workplace(
        compass: fake, database: database, navigator: Navigator(), preferences: store, vault: store, locale: Locale(identifier: "en_GB"),
        exports: folder)

    /// A database that does not open once.
    private func opening(_ code: CompassError.Code) async throws -> OpeningModel {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        fake.refuseNext(CompassError(code: code), of: "integrationEnabled")
        let opening = OpeningModel { [work] in work }
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
        for code in [CompassError.Code.corrupt, .notADatabase, .io] {
            let model = try await opening(code)
            XCTAssertEqual([model.canSave, model.canReplace], [true, true], "\(code)")
            XCTAssertEqual(model.failure, .text(.failureDataDamaged))
        }
        // An update of the app opens it; what waits can be had before.
        let newer = try await opening(.newerSchema)
        XCTAssertEqual([newer.canSave, newer.canReplace], [true, false])
        for code in [CompassError.Code.cannotOpen, .locked, .diskFull] {
            let model = try await opening(code)
            XCTAssertEqual([model.canSave, model.canReplace], [false, false], "\(code)")
        }
    }

    func testWhatCanBeReadIsSavedWithTheNumberOfMessages() async throws {
        let model = try await opening(.corrupt)
        model.save()
        await model.settled()
        XCTAssertEqual(database.calls, ["salvage compass-saved.jsonl"])
        XCTAssertEqual(
            model.saved, SavedData(file: ExportFile.saved.url(in: work), unsent: .count(.savedUnsent, 2), gaps: .text(.savedWithGaps)))
        database.failure = CompassError(code: .corrupt)
        model.save()
        await model.settled()
        XCTAssertEqual(model.notice, Notice(words: .text(.failureDamaged), failed: true))
        XCTAssertFalse(model.saving)
    }

    func testABackupIsPutBackAfterTheQuestionsAndTheAppGoesOn() async throws {
        let model = try await opening(.corrupt)
        model.chooseBackup(try backup())
        model.dismissQuestion()
        XCTAssertFalse(lies(.chosen))
        model.chooseBackup(try backup())
        database.failure = CompassError(code: .undelivered)
        model.confirm()
        await model.settled()
        guard case .undelivered(let asked)? = model.question else { return XCTFail("nothing is asked") }
        XCTAssertEqual(asked.lost, .text(.undeliveredUnknown))
        XCTAssertTrue(asked.asksName)
        database.failure = nil
        model.discard(reason: "on paper", by: "Kim")
        model.confirm()
        await model.settled()
        XCTAssertEqual(database.calls.last, "restore chosen-backup.db Kim: on paper")
        XCTAssertNotNil(model.screens)
        XCTAssertFalse(lies(.chosen))
    }

    func testABackupThatIsNoneIsSaidToBeSo() async throws {
        let model = try await opening(.corrupt)
        database.failure = CompassError(code: .notADatabase)
        model.chooseBackup(try backup())
        model.confirm()
        await model.settled()
        XCTAssertEqual(model.notice, Notice(words: .text(.failureNotOurs), failed: true))
        XCTAssertNil(model.screens)
    }

    func testStartingOverAsksTwiceTakesTheSecretsAndLeavesWhatWasSaved() async throws {
        fake.change { $0.outbox = [] }
        try store.put("x", named: "office-secret")
        let model = try await opening(.corrupt)
        for file in ExportFile.allCases { try Data("x".utf8).write(to: file.url(in: work)) }
        model.eraseEverything()
        model.confirm()
        XCTAssertEqual(model.question, .erase(sure: true))
        model.confirm()
        await model.settled()
        XCTAssertEqual(database.calls.last, "erase")
        XCTAssertNotNil(model.screens)
        XCTAssertFalse(store.has("office-secret"))
        XCTAssertEqual(ExportFile.allCases.filter { lies($0) }, [.saved])
        XCTAssertEqual(SettingsModel(work).exported, ExportFile.saved.url(in: work), "the settings share it")
    }
}
