import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import Foundation
import XCTest

@testable import FieldSampleModels

/// What the phone may refuse: the camera, the position, its storage before it is unlocked.
@MainActor
final class PhoneTests: XCTestCase {
    private let fake = FakeCompass(.atWork)
    private lazy var work = workplace(fake)

    private func withAPhoto() async throws -> SessionModel {
        fake.change { phone in
            let photo = FieldKind.attachment(FileRule(maxSize: nil, mediaTypes: ["image/jpeg"]))
            phone.views["s1"]?.fields.append(.fixture(definition: .fixture(key: "plate", name: "Data plate", kind: photo)))
        }
        let model = SessionModel("s1", work)
        try await eventually { model.fields.contains { $0.key == "plate" } }
        return model
    }

    private func plate(_ model: SessionModel) throws -> FieldItem { try XCTUnwrap(model.fields.first { $0.key == "plate" }) }

    func testARefusedCameraIsExplainedUnderTheFieldAndLeadsToThePhonesSettings() async throws {
        let model = try await withAPhoto()
        XCTAssertEqual(CameraAccess.allCases.filter(\.isRefused), [.denied, .restricted, .missing])
        model.field("plate", .notPhotographed(.denied))
        XCTAssertEqual(
            try plate(model).problem.map { try! phrases()($0) },
            "This app may not use the camera. Allow it in the phone’s settings, or choose a file.")
        XCTAssertTrue(try plate(model).opensSettings)
        // Nothing to be changed there.
        for (access, words) in [(CameraAccess.restricted, TextId.cameraRestricted), (.missing, .cameraMissing)] {
            model.field("plate", .notPhotographed(access))
            XCTAssertEqual(try plate(model).problem, .text(words))
            XCTAssertFalse(try plate(model).opensSettings)
        }
        // A file instead, and nothing is said any more.
        let hash = String(repeating: "ab", count: 32)
        model.field("plate", .attached(FileManifest(sha256: hash, mediaType: "image/jpeg", size: 2048, name: "plate.jpg")))
        await model.settled()
        XCTAssertNil(try plate(model).problem)
        XCTAssertNotNil(try plate(model).state.value)
    }

    func testAFileThatCannotBeReadIsSaidAndNeedsNoSettings() async throws {
        let model = try await withAPhoto()
        model.field("plate", .notAttached)
        XCTAssertEqual(try plate(model).problem, .text(.fileUnreadable))
        XCTAssertFalse(try plate(model).opensSettings)
    }

    func testADeniedPositionLeadsToThePhonesSettingsAndOneThatIsNotFoundDoesNot() async throws {
        let place = FieldDefinition.fixture(key: "where", name: "Where", kind: .location(maxAccuracyM: nil))
        fake.change { $0.views["s1"]?.fields.append(.fixture(definition: place)) }
        let model = SessionModel("s1", work)
        try await eventually { model.fields.last?.key == "where" }
        model.field("where", .locating)
        guard case .place(nil, searching: true)? = model.fields.last?.input else { return XCTFail("not searching") }
        model.field("where", .notLocated(denied: true))
        XCTAssertEqual(model.fields.last?.problem, .text(.locationDenied))
        XCTAssertEqual(model.fields.last?.opensSettings, true)
        model.field("where", .notLocated(denied: false))
        XCTAssertEqual(model.fields.last?.problem, .text(.locationNotFound))
        XCTAssertEqual(model.fields.last?.opensSettings, false)
    }

    func testAPhoneThatIsLockedIsOpenedByItselfOnceItCanBe() async throws {
        let locked = Watched(true), tries = Watched(0)
        let opening = OpeningModel { [work] in
            tries.change { $0 += 1 }
            await Task.yield()
            if locked.value { throw CompassError(code: .cannotOpen) }
            return work
        }
        // A process that was started for a background job opens nothing for nobody.
        await opening.retryIfItFailed()
        XCTAssertEqual(tries.value, 0)
        await opening.retry()
        XCTAssertNil(opening.screens)
        XCTAssertEqual(opening.failure, .text(.failureCannotOpen))
        locked.change { $0 = false }
        // The phone says so, and the technician taps at the same time.
        async let said: Void = opening.retryIfItFailed()
        async let tapped: Void = opening.retry()
        _ = await (said, tapped)
        XCTAssertTrue(opening.screens?.work === work)
        XCTAssertNil(opening.failure)
        await opening.retry()
        XCTAssertEqual(tries.value, 2, "it is opened once")
    }

    func testADatabaseThatDoesNotOpenSaysWhy() async throws {
        let opening = OpeningModel { throw CompassError(code: .diskFull) }
        await opening.retry()
        XCTAssertEqual(opening.failure, .text(.failureDiskFull))
        opening.save()
        await opening.settled()
        XCTAssertNil(opening.saved, "there is no place to look for it")
    }
}
