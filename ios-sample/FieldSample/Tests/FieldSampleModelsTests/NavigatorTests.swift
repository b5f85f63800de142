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
        let restored = Navigator(saved: navigator.saved)
        XCTAssertEqual(restored.top, .review("s1"))
        restored.back()
        XCTAssertEqual(restored.saved, "sessions session/s1")
    }

    func testWhatCannotBeReadIsTheBeginning() async {
        for saved in [nil, "", "session/s1", "workflows elsewhere/1", "workflows settings", "settings record"] as [String?] {
            XCTAssertEqual(Navigator(saved: saved).saved, "workflows", saved ?? "none")
        }
    }

    func testAnOpenScreenIsGoneBackToAndARootBeginsAnew() async {
        let navigator = Navigator(saved: "workflows workflow/a session/s1")
        navigator.open(.workflow("a"))
        XCTAssertEqual(navigator.saved, "workflows workflow/a")
        navigator.openOnRoot(.record("s1"))
        XCTAssertEqual(navigator.saved, "workflows record/s1")
        navigator.open(.outbox)
        XCTAssertEqual(navigator.saved, "outbox")
        navigator.back()
        XCTAssertEqual(navigator.saved, "workflows")
    }
}
