import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// The package's own sources, and the files that an app gets with them.
final class PackageTests: XCTestCase {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..").standardizedFileURL

    /// Hand-written sources by name, without comments and texts.
    private func sources() throws -> [(name: String, code: String, whole: String)] {
        let found = FileManager.default.enumerator(at: Self.package.appendingPathComponent("Sources"), includingPropertiesForKeys: nil)
        let files = (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" && !$0.path.contains("/Generated/") }
        XCTAssertGreaterThan(files.count, 20)
        return try files.map { file in
            let whole = try String(contentsOf: file, encoding: .utf8)
            let lines = whole.components(separatedBy: "\n").map { line in
                let code = line.range(of: "//").map { String(line[..<$0.lowerBound]) } ?? line
                return code.replacingOccurrences(of: #""[^"]*""#, with: "\"\"", options: .regularExpression)
            }
            return (file.lastPathComponent, lines.joined(separator: "\n"), whole)
        }
    }

    /// Checks names of types, functions and modules that came after iOS 16 and that this package might use. The list is not complete, and a
    /// later overload or parameter has no name of its own. Only Xcode finds those.
    func testNoAPINewerThanIOS16IsUsed() throws {
        let newer = [
            // Modules and macros of iOS 17 and later.
            #"import (Observation|Synchronization|SwiftData|TipKit|FoundationModels)\b"#, #"@(Observable|Bindable|Model|Previewable)\b"#,
            // Types of the standard library from iOS 18 on.
            #"\b(Mutex|Atomic|AtomicLazyReference|Int128|UInt128|InlineArray|Span|RawSpan|UTF8Span)\b"#,
            // Typed failures of sequences need the iOS 18 runtime. (A parameter `isolation` of a function needs none.)
            #"AsyncSequence<"#, #"any AsyncSequence\b"#, #"\bnext\(isolation:"#, #"\b(TaskExecutor|globalConcurrentExecutor|withTaskExecutorPreference)\b"#,
            #"\b(withDiscardingTaskGroup|withThrowingDiscardingTaskGroup|DiscardingTaskGroup)\b"#, #"Task\.immediate\b"#, #"Task\(name:"#,
            // Foundation, Network and BackgroundTasks from iOS 17 on.
            #"\b(BGContinuedProcessingTask|BGContinuedProcessingTaskRequest)\b"#, #"\b(NetworkConnection|NetworkListener|NWBrowser\.Descriptor)\b"#,
            #"\b(UploadResumeData|cancelByProducingResumeData|uploadTask\(withResumeData)\b"#, #"proxyConfigurations"#, #"isUltraConstrained"#,
            #"\bPredicate\b"#, #"#Predicate"#, #"#Expression"#, #"\bURL\.(currentDirectory|downloadsDirectory)\(\)"#,
            #"enumerate\(.*subrange"#, #"\bExpressionMacro\b"#, #"NotificationCenter\.(Message|ObservationToken|MainActorMessage)"#,
        ]
        for source in try sources() {
            for pattern in newer {
                let found = source.code.range(of: pattern, options: .regularExpression)
                XCTAssertNil(found, "\(source.name): \(found.map { String(source.code[$0]) } ?? "") came after iOS 16")
            }
            XCTAssertFalse(source.code.contains("#available") || source.code.contains("@available"), "\(source.name) has guarded calls")
        }
        // The oldest supported versions.
        let manifest = try String(contentsOf: Self.package.appendingPathComponent("Package.swift"), encoding: .utf8)
        XCTAssertTrue(manifest.contains(".iOS(.v16)") && manifest.contains(".macOS(.v13)"))
    }

    /// Previews are part of an app, which is linked for phones, and the library for phones has no clock for tests.
    func testTheFakesAreLinkedWithoutTheClockForTests() throws {
        let manifest = try String(contentsOf: Self.package.appendingPathComponent("Package.swift"), encoding: .utf8)
        XCTAssertTrue(manifest.contains(#".target(name: "CompassCoreFakes", dependencies: ["CompassCore"],"#))
        let folder = Self.package.appendingPathComponent("Sources/CompassCoreFakes")
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            let imports = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n").filter { $0.contains("import ") }
            XCTAssertEqual(imports.filter { !$0.hasSuffix("import CompassCore") && !$0.hasSuffix("import Foundation") }, [], file.lastPathComponent)
        }
    }

    func testFrameworksOfAppleAloneAreGuarded() throws {
        for source in try sources() {
            var guards: [Bool] = []
            for line in source.code.components(separatedBy: "\n") {
                let line = line.trimmingCharacters(in: .whitespaces)
                if line.hasPrefix("#if ") { guards.append(line.contains("canImport") || line.contains("os(")) }
                if line.hasPrefix("#endif") { _ = guards.popLast() }
                let module = line.components(separatedBy: " ").last ?? ""
                if line.range(of: #"^([a-z]+ )?import "#, options: .regularExpression) != nil,
                   ["UIKit", "Network", "BackgroundTasks", "Security", "FoundationNetworking"].contains(module) {
                    XCTAssertTrue(guards.contains(true), "\(source.name) imports \(module) unguarded")
                }
            }
        }
    }

    func testEverythingPublicIsDescribedAndEveryPublicTypeHasAnExample() throws {
        let declaration = #"^\s*public (final class|struct|enum|protocol|static|mutating|class|func|var|let|init|private\(set\) var|convenience init)\b"#
        // Members that a protocol or a superclass describes already.
        let inherited = ["Compass.swift", "Compass+Delivery.swift", "FakeCompass.swift", "ScriptedTransport.swift", "URLSessionTransport.swift",
                         "KeychainSecretStore.swift", "Updates.swift"]
        for source in try sources() where source.whole.contains("public ") {
            let lines = source.whole.components(separatedBy: "\n")
            for (number, line) in lines.enumerated() where line.range(of: declaration, options: .regularExpression) != nil {
                let isType = line.range(of: #"^public (final class|struct|enum|protocol)"#, options: .regularExpression) != nil
                var above = number - 1
                while above >= 0, lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("@") { above -= 1 }
                let described = above >= 0 && lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("///")
                if !isType && inherited.contains(source.name) { continue }
                XCTAssertTrue(described, "\(source.name):\(number + 1) is not described")
                guard isType else { continue }
                var example = false
                while above >= 0, lines[above].hasPrefix("///") {
                    example = example || lines[above].contains("```swift")
                    above -= 1
                }
                XCTAssertTrue(example, "\(source.name):\(number + 1) has no example")
            }
        }
    }

    func testEveryCodeOfAnErrorHasAName() throws {
        let repository = Self.package.appendingPathComponent("../..")
        func found(_ file: String, _ pattern: String) throws -> Set<String> {
            let text = try String(contentsOf: repository.appendingPathComponent(file), encoding: .utf8)
            let expression = try NSRegularExpression(pattern: pattern)
            let all = NSRange(text.startIndex..., in: text)
            return Set(expression.matches(in: text, range: all).compactMap { Range($0.range(at: 1), in: text).map { String(text[$0]) } })
        }
        let codes = try found("src/error.rs", #"Error::\w+.* => "([a-z_]+)""#)
            .union(found("src/engine/session/refusal.rs", #"Refusal::\w+.* => "([a-z_]+)""#))
        XCTAssertGreaterThan(codes.count, 50)
        XCTAssertEqual(try found("bindings/swift/Sources/CompassCore/CompassError+Codes.swift", #"Self = "([a-z_]+)""#), codes)
    }

    func testThePrivacyManifestNamesWhatTheCoreUses() throws {
        let file = Self.package.appendingPathComponent("Sources/CompassCore/PrivacyInfo.xcprivacy")
        let plist = try PropertyListSerialization.propertyList(from: Data(contentsOf: file), format: nil) as? [String: Any]
        XCTAssertEqual(plist?["NSPrivacyTracking"] as? Bool, false)
        let accessed = plist?["NSPrivacyAccessedAPITypes"] as? [[String: Any]] ?? []
        let reasons = Dictionary(uniqueKeysWithValues: accessed.map {
            ($0["NSPrivacyAccessedAPIType"] as? String ?? "", $0["NSPrivacyAccessedAPITypeReasons"] as? [String] ?? [])
        })
        XCTAssertEqual(reasons, [
            "NSPrivacyAccessedAPICategoryFileTimestamp": ["C617.1"], "NSPrivacyAccessedAPICategorySystemBootTime": ["35F9.1"],
        ])
    }

    func testTheFolderOfTheDatabaseIsMade() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("folder-\(UUID().uuidString)/compass")
        let made = try DatabaseFolder.prepare(folder)
        let again = try DatabaseFolder.prepare(folder)
        XCTAssertEqual(made.path, again.path)
        XCTAssertTrue(FileManager.default.fileExists(atPath: folder.path))
    }

    func testTheVersionIsTheCores() {
        XCTAssertFalse(Compass.version.isEmpty)
    }
}
