import CompassCoreTesting
import FieldSampleExamples
import Foundation
import XCTest

@testable import FieldSampleModels

@MainActor
final class OpenScreensTests: XCTestCase {
    private let fake = FakeCompass(.atWork)
    private lazy var work = workplace(fake)
    private lazy var screens = OpenScreens(work)

    private func session(_ key: String) throws -> SessionModel {
        guard case .session(let model) = screens.model(of: .session(key)) else { throw Impatient() }
        return model
    }

    private func workflows() throws -> WorkflowsModel {
        guard case .workflows(let model) = screens.model(of: .workflows) else { throw Impatient() }
        return model
    }

    func testAScreenHasOneModelForAsLongAsItIsOpen() async throws {
        work.navigator.open(.session("s1"))
        let (list, first) = (try workflows(), try session("s1"))
        first.sheet = .note("half a no")
        // Drawn again, and covered by another.
        XCTAssertTrue(try session("s1") === first)
        work.navigator.open(.review("s1"))
        _ = screens.model(of: .review("s1"))
        work.navigator.back()
        XCTAssertEqual(try session("s1").sheet, .note("half a no"))
        XCTAssertTrue(try workflows() === list)
    }

    func testTheModelOfAScreenThatIsLeftFollowsNothingAnyMore() async throws {
        work.navigator.open(.session("s1"))
        weak var left: SessionModel? = try session("s1")
        weak var under: WorkflowsModel? = try workflows()
        try await eventually { left?.loading == false }
        work.navigator.back()
        try await eventually { left == nil }
        XCTAssertNotNil(under)
        // Another root is opened at its beginning, and so is the first one.
        work.navigator.open(.outbox)
        try await eventually { under == nil }
        work.navigator.open(.workflows)
        XCTAssertTrue(try workflows().loading, "a new one has heard nothing yet")
    }

    func testAScreenThatSlidesAwayIsDrawnOnceMoreAndNotKept() async throws {
        work.navigator.open(.session("s1"))
        work.navigator.openOnRoot(.record("s3"))
        weak var again: SessionModel? = try session("s1")
        try await eventually { again == nil }
    }
}
