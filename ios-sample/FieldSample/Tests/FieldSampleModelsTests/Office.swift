import Foundation
import XCTest

@testable import FieldSampleModels

/// The office at the other end of a real line: the receiver of the core's own tests, a process on loopback that speaks TLS.
@MainActor
final class Office {
    struct Request: Decodable, Sendable {
        let method: String, path: String, headers: [String: String], body: String
    }

    /// Where messages go; the path is nobody's business.
    let url: String
    /// The certificate of the authority that signed the office's, in PEM.
    let authority: URL
    private let process = Process()
    private let input = Pipe()
    private let lines = Lines()

    init() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("office-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = Catalog.repository.appendingPathComponent("bindings/swift/Tests/receiver.py")
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script.path, folder.path]
        process.standardOutput = output
        process.standardInput = input
        try process.run()
        lines.read(output.fileHandleForReading)
        try await eventually { [lines] in !lines.all.isEmpty }
        let ports = try JSONDecoder().decode([String: Int].self, from: Data(lines.all[0].utf8))
        url = "https://localhost:\(try XCTUnwrap(ports["good"]))/echo/t0p"
        authority = folder.appendingPathComponent("trusted.pem")
    }

    // The process ends when its input does.
    deinit { try? input.fileHandleForWriting.close() }

    /// Everything that has arrived so far.
    func requests() async throws -> [Request] {
        let question = UUID().uuidString
        try input.fileHandleForWriting.write(contentsOf: Data((question + "\n").utf8))
        // All that was told before a question comes before its answer.
        try await eventually { [lines] in lines.all.contains { $0.contains(question) } }
        return lines.all.compactMap { try? JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
    }
}

/// The lines that another process says.
final class Lines: Sendable {
    private struct Said: Equatable, Sendable {
        var lines: [String] = [], ended = false
    }

    private let said = Watched(Said())

    var all: [String] { said.value.lines }
    var ended: Bool { said.value.ended }

    /// Until it ends.
    func read(_ output: FileHandle) {
        Thread.detachNewThread { [said] in
            var rest = Data()
            while true {
                let data = output.availableData
                if data.isEmpty { return said.change { $0.ended = true } }
                rest += data
                while let end = rest.firstIndex(of: 10) {
                    let line = String(decoding: rest[..<end], as: UTF8.self)
                    said.change { $0.lines.append(line) }
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
        }
    }
}

/// The signature of a message by Standard Webhooks, as somebody else computes it.
func signature(_ request: Office.Request, secret: String) throws -> String {
    let script = """
        import base64, hashlib, hmac, sys
        secret, name, time = sys.argv[1:]
        content = f"{name}.{time}.".encode() + sys.stdin.buffer.read()
        key = base64.b64decode(secret.removeprefix("whsec_"))
        print("v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode())
        """
    let process = Process(), input = Pipe(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, secret, request.headers["webhook-id"] ?? "", request.headers["webhook-timestamp"] ?? ""]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(request.body.utf8))
    try input.fileHandleForWriting.close()
    let said = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: said, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
}
