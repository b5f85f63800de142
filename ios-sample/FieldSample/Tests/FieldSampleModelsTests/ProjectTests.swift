import Foundation
import XCTest

/// What Xcode would be told: what the app registers and asks for stands in the project.
final class ProjectTests: XCTestCase {
    private func text(_ path: String) throws -> String {
        try String(contentsOf: Catalog.repository.appendingPathComponent("ios-sample/\(path)"), encoding: .utf8)
    }

    func testBothBackgroundTasksArePermittedUnderTheNamesTheyAreRegisteredWith() throws {
        let phone = try text("FieldSample/Sources/FieldSampleModels/Compass/Phone.swift")
        let name = try XCTUnwrap(phone.components(separatedBy: "static let task = \"").last?.split(separator: "\"").first)
        XCTAssertEqual(name, "dev.compass.sample.deliver")
        let project = try text("project.yml")
        // An app refresh, and a processing task.
        XCTAssertTrue(project.contains("BGTaskSchedulerPermittedIdentifiers: [\(name), \(name).refresh]\n"))
        XCTAssertTrue(project.contains("UIBackgroundModes: [processing, fetch]\n"))
    }

    func testThePhoneIsToldInBothLanguagesWhyItIsAsked() throws {
        struct File: Decodable {
            struct Entry: Decodable { let localizations: [String: Words] }
            struct Words: Decodable { let stringUnit: Unit }
            struct Unit: Decodable { let value: String }
            let strings: [String: Entry]
        }
        let translated = try JSONDecoder().decode(File.self, from: Data(try text("App/Resources/InfoPlist.xcstrings").utf8)).strings
        let asked = try text("project.yml").split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { $0.contains("UsageDescription: ") }
        XCTAssertEqual(asked.count, 2)
        for line in asked {
            let (key, words) = (String(line.prefix { $0 != ":" }), String(line.drop { $0 != ":" }.dropFirst(2)))
            XCTAssertEqual(translated[key]?.localizations["en"]?.stringUnit.value, words)
            XCTAssertNotNil(translated[key]?.localizations["ar"], key)
        }
        XCTAssertEqual(translated.count, asked.count)
    }
}
