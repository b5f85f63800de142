import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import FieldSampleModels
import Foundation
import SwiftUI
import XCTest

@testable import FieldSampleApp

/// The app with a hand that taps what a screen reader would name.
@MainActor
final class Stand {
    let fake: FakeCompass
    let database: FakeDatabase
    let screens: OpenScreens
    var work: Workplace { screens.work }
    let words: Phrases
    private let sketch: Sketch

    /// On a fake phone.
    convenience init(
        _ phone: FakeState = .atWork, words: Phrases, values: EnvironmentValues = EnvironmentValues(), store: MemoryStore = MemoryStore(),
        locale: String = "en_GB", saved: String = "workflows"
    ) {
        store.save(saved)
        let fake = FakeCompass(phone), database = FakeDatabase(fake)
        self.init(OpenScreens(workplace(fake, database, store: store, locale: locale)), words: words, values: values, fake, database)
    }

    /// On these screens, over the real core for instance.
    init(
        _ screens: OpenScreens, words: Phrases, values: EnvironmentValues = EnvironmentValues(), _ fake: FakeCompass = FakeCompass(),
        _ database: FakeDatabase? = nil
    ) {
        (self.screens, self.words, self.fake) = (screens, words, fake)
        self.database = database ?? FakeDatabase(fake)
        sketch = Sketch(RootView(screens: screens).environment(\.phrases, words), values)
        // Views appear before anything is known.
        _ = sketch.draw()
    }

    var drawn: Drawn { sketch.draw() }
    var spoken: [Spoken] { drawn.spoken }

    /// Waits for something that is read so, and begins so.
    func find(_ words: String, _ role: Spoken.Role? = nil, file: StaticString = #filePath, line: UInt = #line) async throws -> Spoken {
        var found: Spoken?
        do {
            try await eventually({
                found = spoken.first { $0.words.hasPrefix(words) && (role == nil || $0.role == role) && !$0.isOff }
                return found != nil
            }, file: file, line: line)
        } catch {
            XCTFail("“\(words)” is not among:\n" + spoken.map(\.written).joined(separator: "\n"), file: file, line: line)
            throw error
        }
        return found!
    }

    func tap(_ words: String, file: StaticString = #filePath, line: UInt = #line) async throws {
        var act: (@MainActor () -> Void)?
        for role in [Spoken.Role.button, .toggle] where act == nil {
            act = spoken.first { $0.words.hasPrefix(words) && $0.role == role && !$0.isOff }?.act
        }
        if act == nil { act = try await find(words, .button, file: file, line: line).act }
        act?()
        _ = drawn
    }

    /// In any language.
    func tap(_ id: TextId, about: String? = nil, file: StaticString = #filePath, line: UInt = #line) async throws {
        let title = Phrase.message(id, [])
        try await tap(words(about.map { .message(.labelPair, [title, .plain($0)]) } ?? title), file: file, line: line)
    }

    func type(_ text: String, into label: String, file: StaticString = #filePath, line: UInt = #line) async throws {
        let field = try await find(label, .field, file: file, line: line)
        field.focus?.wrappedValue = true
        _ = drawn
        field.line?.wrappedValue = text
        _ = drawn
    }
}
