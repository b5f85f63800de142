import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import Foundation
import XCTest

@testable import FieldSampleModels

/// Something that this test waited for did not happen.
struct Impatient: Error {}

/// Waits for what a model shows, which flows bring about.
@MainActor
func eventually(_ condition: @MainActor () throws -> Bool, file: StaticString = #filePath, line: UInt = #line) async throws {
    let end = Date().addingTimeInterval(30)
    while try !condition() {
        if Date() > end {
            XCTFail("this did not come about", file: file, line: line)
            throw Impatient()
        }
        try await Task.sleep(nanoseconds: 2_000_000)
    }
}

@MainActor
func workplace(
    _ compass: any CompassHandle, _ database: (any PhoneDatabase)? = nil, store: MemoryStore = MemoryStore(), locale: String = "en_GB"
) -> Workplace {
    Workplace(
        compass: compass, database: database ?? FakeDatabase(FakeCompass()), navigator: Navigator(store), preferences: store, vault: store,
        locale: Locale(identifier: locale))
}

/// The app's String Catalog, as a phone of this language would read it.
struct Catalog: Messages {
    static let file = repository.appendingPathComponent("ios-sample/App/Resources/Localizable.xcstrings")
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private struct File: Decodable {
        struct Entry: Decodable { let localizations: [String: Words] }
        struct Words: Decodable {
            struct Unit: Decodable { let value: String }
            let stringUnit: Unit?
            let variations: [String: [String: Words]]?
        }
        let strings: [String: Entry]
    }

    /// By key, then by plural category; what has no plural has the category "".
    let words: [String: [String: String]]
    private let language: String

    init(_ language: String) throws {
        self.language = language
        let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: Self.file))
        words = file.strings.mapValues { entry in
            guard let words = entry.localizations[language] else { return [:] }
            if let plain = words.stringUnit { return ["": plain.value] }
            return words.variations?["plural"]?.compactMapValues { $0.stringUnit?.value } ?? [:]
        }
    }

    func template(_ id: TextId) -> String { words[id.key]?[""] ?? "?\(id.key)" }

    func counted(_ id: CountId, _ count: Int) -> String {
        (words[id.key]?[category(count)] ?? "?\(id.key)").replacingOccurrences(of: "%lld", with: String(count))
    }

    /// The plural categories of CLDR.
    private func category(_ count: Int) -> String {
        if language == "en" { return count == 1 ? "one" : "other" }
        switch (count, count % 100) {
        case (0, _): return "zero"
        case (1, _): return "one"
        case (2, _): return "two"
        case (_, 3...10): return "few"
        case (_, 11...99): return "many"
        default: return "other"
        }
    }
}

func phrases(_ locale: String = "en_GB") throws -> Phrases {
    Phrases(locale: Locale(identifier: locale), zone: .gmt, messages: try Catalog(String(locale.prefix(2))))
}
