import Foundation
import SwiftUI
import XCTest

@testable import FieldSampleApp
@testable import FieldSampleModels

/// What a screen reader reads of every screen, from top to bottom, is in `ios-sample/spoken`, for people. `SPOKEN=write` writes it again.
/// Dates are as the Swift of the suite writes them: another may know another way.
@MainActor
final class ScreenReaderTests: XCTestCase {
    func testWhatIsReadIsWhatIsWritten() async throws {
        for language in ["en_GB", "ar_EG"] {
            for scene in Scene.all {
                let stand = try await scene.stand(language)
                if ProcessInfo.processInfo.environment["SPOKEN"] == "write" {
                    try await Task.sleep(nanoseconds: 500_000_000)
                    try FileManager.default.createDirectory(
                        at: scene.file(language).deletingLastPathComponent(), withIntermediateDirectories: true)
                    try Data((stand.written + "\n").utf8).write(to: scene.file(language))
                }
                let written = try scene.written(language)
                try? await eventually { stand.written == written }
                XCTAssertEqual(stand.written, written, "\(scene.name), \(language)")
            }
        }
    }

    func testNoFileIsLeftOfAScreenThatIsGone() async throws {
        for language in ["en", "ar"] {
            let folder = Catalog.repository.appendingPathComponent("ios-sample/spoken/\(language)")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            XCTAssertEqual(Set(files), Set(Scene.all.map { $0.file(language).lastPathComponent }))
        }
    }
}

extension Scene {
    func file(_ language: String) -> URL {
        let words = name.split { $0 == " " || $0 == "," }
        return Catalog.repository.appendingPathComponent("ios-sample/spoken/\(language.prefix(2))/\(words.joined(separator: "-")).txt")
    }

    func written(_ language: String) throws -> String {
        try String(contentsOf: file(language), encoding: .utf8).trimmingCharacters(in: .newlines)
    }

    /// On a phone of this language, once the taps are done.
    func stand(
        _ language: String, words: Phrases? = nil, values: EnvironmentValues = EnvironmentValues(), strong: Bool = false, text: TextSize = .normal
    ) async throws -> Stand {
        let stand = Stand(phone, words: try words ?? phrases(language), values: values, locale: language, saved: saved)
        stand.work.preferences.highContrast = strong
        stand.work.preferences.textSize = text
        try await lead(stand)
        return stand
    }
}

extension Stand {
    var written: String { spoken.map(\.written).joined(separator: "\n") }
}
