import CompassCoreTesting
import Foundation
import SwiftUI
import XCTest

@testable import FieldSampleApp
@testable import FieldSampleModels

/// Every screen as the audit sees it.
@MainActor
final class ScreensTests: XCTestCase {
    func testInLightAndInEnglish() async throws { try await audit("en_GB", .light, EnvironmentValues(.light)) }
    func testInTheDarkAndInEnglish() async throws { try await audit("en_GB", .dark, EnvironmentValues(.dark)) }
    func testInHighContrastAndInEnglish() async throws { try await audit("en_GB", .strongLight, EnvironmentValues(.light), strong: true) }
    func testInHighContrastInTheDarkAndInEnglish() async throws {
        // As the phone's own setting asks for it.
        try await audit("en_GB", .strongDark, EnvironmentValues(.dark, contrast: .increased))
    }
    func testInLightAndInArabic() async throws { try await audit("ar_EG", .light, EnvironmentValues(.light)) }
    func testInTheDarkAndInArabic() async throws { try await audit("ar_EG", .dark, EnvironmentValues(.dark)) }
    func testInHighContrastAndInArabic() async throws {
        try await audit("ar_EG", .strongLight, EnvironmentValues(.light, contrast: .increased))
    }
    func testInHighContrastInTheDarkAndInArabic() async throws { try await audit("ar_EG", .strongDark, EnvironmentValues(.dark), strong: true) }
    func testInTheSmallestTextOfThePhone() async throws { try await audit("en_GB", .light, EnvironmentValues(.light, text: .xSmall)) }
    func testInTheLargestTextOfTheApp() async throws { try await audit("en_GB", .light, EnvironmentValues(.light), text: .largest) }
    func testInTheLargestTextOfThePhoneAndInArabic() async throws {
        try await audit("ar_EG", .dark, EnvironmentValues(.dark, text: .accessibility5))
    }

    /// Everything that is shown or spoken comes from the catalog, or from a person, a workflow or the phone.
    func testNoWordsBesideTheCatalog() async throws {
        for scene in Scene.all {
            let marked = Phrases(locale: Locale(identifier: "ja_JP"), zone: .gmt, messages: try MarkedMessages())
            let known = KnownWords(scene.phone)
            let stand = try await scene.stand("en_GB", words: marked)
            try await stand.settle(like: scene)
            let faults = ViewAudit(.light) { known.wrong($0) }.faults(ofScreen: stand.drawn)
            XCTAssertEqual(faults, [], scene.name)
        }
    }

    private func audit(
        _ language: String, _ theme: Theme, _ values: EnvironmentValues, strong: Bool = false, text: TextSize = .normal
    ) async throws {
        for scene in Scene.all {
            let stand = try await scene.stand(language, values: values, strong: strong, text: text)
            try await stand.settle(like: scene)
            // The catalog of the tests marks what it does not have.
            let faults = ViewAudit(theme) { $0.contains("?") && $0.hasPrefix("?") ? "is not in the catalog" : nil }.faults(ofScreen: stand.drawn)
            XCTAssertEqual(faults, [], "\(scene.name), \(language)")
        }
    }
}

extension Stand {
    /// Waits until as much is there as a screen reader reads of this screen.
    func settle(like scene: Scene) async throws {
        var written: [String: Int] = [:]
        for line in try scene.written("en").split(separator: "\n") { written[line.prefix(8).trimmingCharacters(in: .whitespaces), default: 0] += 1 }
        try await eventually {
            // With very large text the foot is there beside the keyboard.
            written.allSatisfy { role, count in spoken.filter { $0.role.rawValue == role }.count >= count }
        }
    }
}

/// The messages by their keys, so that other words are seen.
struct MarkedMessages: Messages {
    private let catalog: Catalog
    init() throws { catalog = try Catalog("en") }

    func template(_ id: TextId) -> String {
        let places = ["%1$@", "%2$@", "%3$@", "%4$@"].filter { catalog.template(id).contains($0) }
        return "⟦" + ([id.key] + places).joined(separator: " ") + "⟧"
    }

    func counted(_ id: CountId, _ count: Int) -> String { "⟦\(id.key) \(count)⟧" }
}

/// The words of a phone: of workflows, of technicians, of settings.
struct KnownWords {
    private var words: Set<String> = []

    init(_ phone: FakeState) {
        collect(phone)
        words.insert(#"{"key":"s3","fields":[]}"#)
    }

    private mutating func collect(_ value: Any) {
        if let word = value as? String { words.insert(squeezed(word)) }
        for child in Mirror(reflecting: value).children { collect(child.value) }
    }

    private func squeezed(_ words: String) -> String { words.filter { !$0.isWhitespace } }

    /// What is left without what is marked is known, or has no letters: digits and dates.
    func wrong(_ shown: String) -> String? {
        var depth = 0, rest = ""
        for character in shown {
            if character == "⟦" { depth += 1 }
            if depth == 0 { rest.append(character) }
            if character == "⟧" { depth -= 1 }
        }
        let left = squeezed(rest)
        if !left.contains(where: \.isLetter) || left.allSatisfy({ "年月日午前後".contains($0) || !$0.isLetter }) { return nil }
        return words.contains { $0.contains(left) } ? nil : "is not from the catalog"
    }
}
