import Foundation
import XCTest

@testable import FieldSampleModels

@MainActor
final class NavigatorTests: XCTestCase {
    func testItIsSavedAsALineAndRestored() async {
        let navigator = Navigator()
        navigator.open(.sessions)
        navigator.open(.session("s1"))
        navigator.open(.review("s1"))
        XCTAssertEqual(navigator.saved, "sessions session/s1 review/s1")
        let restored = Navigator(MemoryStore(place: navigator.saved))
        XCTAssertEqual(restored.top, .review("s1"))
        restored.back()
        XCTAssertEqual(restored.saved, "sessions session/s1")
    }

    func testWhatCannotBeReadIsTheBeginning() async {
        for saved in [nil, "", "session/s1", "workflows elsewhere/1", "workflows settings", "settings record"] as [String?] {
            XCTAssertEqual(Navigator(MemoryStore(place: saved)).saved, "workflows", saved ?? "none")
        }
    }

    func testAnOpenScreenIsGoneBackToAndARootBeginsAnew() async {
        let navigator = Navigator(MemoryStore(place: "workflows workflow/a session/s1"))
        navigator.open(.workflow("a"))
        XCTAssertEqual(navigator.saved, "workflows workflow/a")
        navigator.openOnRoot(.record("s1"))
        XCTAssertEqual(navigator.saved, "workflows record/s1")
        navigator.open(.outbox)
        XCTAssertEqual(navigator.saved, "outbox")
        navigator.back()
        XCTAssertEqual(navigator.saved, "workflows")
    }

    func testEveryMoveIsKeptInItsFileAtOnce() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let place = PlaceFile(folder.appendingPathComponent("place"))
        XCTAssertNil(place.load())
        let navigator = Navigator(place)
        navigator.open(.session("s1"))
        XCTAssertEqual(place.load(), "workflows session/s1")
        // A swipe back, which the view does to the path itself.
        navigator.path.removeLast()
        XCTAssertEqual(place.load(), "workflows")
        navigator.open(.outbox)
        XCTAssertEqual(Navigator(place).root, .outbox)
    }
}
