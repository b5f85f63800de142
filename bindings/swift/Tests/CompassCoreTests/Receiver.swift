import CompassCore
import Foundation
import XCTest

/// The receiver of receiver.py, as a process of its own.
final class Receiver: Sendable {
    /// A received request.
    struct Request: Decodable, Sendable {
        let method: String
        let path: String
        let headers: [String: String]
        let body: String
    }

    private struct State {
        var rest = Data()
        var lines: [Data] = []
        var questions = 0
        var broken: [String] = []
    }

    private struct Broken: Decodable {
        let broken: String
    }

    private struct Answer: Decodable {
        let asked: String
    }

    let ports: [String: Int]
    /// The certificate of the authority that is to be trusted.
    let authority: URL
    private let input: FileHandle
    private let state: Locked<State>

    init() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("receiver-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../receiver.py")
        process.arguments = ["python3", script.standardizedFileURL.path, folder.path]
        let (output, input) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardInput = input
        let state = Locked(State())
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            // Otherwise it would be called again and again.
            if data.isEmpty { handle.readabilityHandler = nil }
            state.withLock { state in
                state.rest += data
                while let end = state.rest.firstIndex(of: 10) {
                    state.lines.append(Data(state.rest[..<end]))
                    state.rest = Data(state.rest[state.rest.index(after: end)...])
                }
            }
        }
        try process.run()
        self.state = state
        self.input = input.fileHandleForWriting
        authority = folder.appendingPathComponent("trusted.pem")
        try await eventually { state.withLock { !$0.lines.isEmpty } }
        ports = try JSONDecoder().decode([String: Int].self, from: state.withLock { $0.lines.removeFirst() })
    }

    /// The process ends when its input ends.
    deinit { try? input.close() }

    /// The requests that came since the last call.
    func requests() async throws -> [Request] {
        let question = state.withLock { state in
            state.questions += 1
            return "\(state.questions)"
        }
        try input.write(contentsOf: Data((question + "\n").utf8))
        var found: [Request] = []
        try await eventually {
            let lines = state.withLock { state in
                defer { state.lines = [] }
                return state.lines
            }
            let broken = lines.compactMap { try? JSONDecoder().decode(Broken.self, from: $0).broken }
            state.withLock { $0.broken += broken }
            let answers = lines.compactMap { try? JSONDecoder().decode(Answer.self, from: $0) }
            found += lines.compactMap { try? JSONDecoder().decode(Request.self, from: $0) }
            return answers.contains { $0.asked == question }
        }
        return found
    }

    /// The connections that broke since the last call, as of the last call of `requests`: for messages of tests.
    func broken() -> [String] {
        state.withLock { state in
            defer { state.broken = [] }
            return state.broken
        }
    }

    /// Answers the waiting requests to the path `wait`; later ones are answered at once.
    func answerWaitingRequests() throws { try input.write(contentsOf: Data("go\n".utf8)) }

    func url(_ port: String, _ path: String) -> String {
        "\(port == "plain" ? "http" : "https")://localhost:\(ports[port]!)/\(path)"
    }
}
