import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// The first example of docs/embedding-ios.md.
final class GuideTests: XCTestCase {
    func testFromNothingToADeliveredWebhook() async throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        setenv("XDG_DATA_HOME", home.path, 1)
        let transport = ScriptedTransport()
        let (document, url) = (pumpCheck, "https://office.example/hooks")
        try await withWatchdog("The first webhook") {
            var options = try CompassOptions.standard()
            options.sending = .custom(transport)
            options.secrets = MemorySecretStore(["office": secret])
            let compass = Compass.lazy(options)
            _ = try await compass.importWorkflow(document)
            let signing = Signing.standardWebhooks(secret: "office")
            try await compass.putEndpoint(Endpoint(key: "office", url: url, signing: signing, headers: [], network: .any))
            try await compass.setIntegrationEnabled(true)
            var view = try await compass.start("pump-check").view
            view = try await compass.set(["site": .text("Mill Lane")], in: view.key).view
            view = try await compass.answer(view, "on").view
            view = try await compass.complete(view).view
            for try await record in compass.observeRecord(view.key) where record.actions.allSatisfy({ $0.status == .sent }) { break }
            try await compass.close()
        }
        XCTAssertEqual(transport.requests.count, 1)
    }

    func testTheGuideShowsTheLinesThatRan() throws {
        let guide = try String(contentsOf: Stage.repository.appendingPathComponent("docs/embedding-ios.md"), encoding: .utf8)
        let here = try String(contentsOfFile: #filePath, encoding: .utf8)
        let block = guide.components(separatedBy: "```swift\n")[1].components(separatedBy: "```")[0]
        let lines = block.split(separator: "\n")
        XCTAssertLessThanOrEqual(lines.count, 15)
        // The bundle and the Keychain are the phone's.
        for line in lines where !line.contains("Bundle.main") && !line.contains("KeychainSecretStore") {
            XCTAssertTrue(here.contains(line), String(line))
        }
    }
}
