import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// A workflow for most tests: fields of several types, two ends, a response and an action.
let pumpCheck = Data(#"""
{
  "format": 1, "key": "pump-check", "version": 1, "name": "Pump check", "start": "arrive",
  "fields": [
    {"key": "site", "name": "Site", "type": "text", "required": true},
    {"key": "pressure", "name": "Pressure", "type": "decimal"},
    {"key": "day", "name": "Day", "type": "date"},
    {"key": "hour", "name": "Hour", "type": "time"},
    {"key": "seen", "name": "Seen", "type": "datetime"},
    {"key": "place", "name": "Place", "type": "location"},
    {"key": "count", "name": "Count", "type": "integer"},
    {"key": "aside", "name": "Aside", "type": "text"}
  ],
  "responses": [{"key": "dear", "name": "Too dear", "kind": "objection", "content": "It lasts."}],
  "sections": [
    {"key": "arrive", "name": "Arrive", "content": "Find the pump.",
     "fields": ["site", "pressure", "day", "hour", "seen", "place", "count"],
     "answers": [{"key": "on", "name": "Go on", "next": "done"}, {"key": "off", "name": "Give up", "next": "gone"}]},
    {"key": "done", "name": "Done", "content": "Good bye.", "win": true,
     "actions": [{"key": "report", "name": "Report", "integration": "webhooks", "kind": "send_message", "endpoint": "office"}]},
    {"key": "gone", "name": "Gone", "content": "Not this time.", "fields": ["aside"]}
  ]
}
"""#.utf8)

let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

/// A condition that a test waited for did not come.
struct TimedOut: Error {}

/// Waits for a condition, which other threads make true; throws after half a minute.
func eventually(isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool) async throws {
    let end = Date().addingTimeInterval(30)
    while try await !condition() {
        if Date() > end { throw TimedOut() }
        try await Task.sleep(nanoseconds: 5_000_000)
    }
}

/// Ends the test run if `work` hangs.
func withWatchdog<Value: Sendable>(_ what: String, _ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
        if done.wait(timeout: .now() + 60) == .timedOut { fatalError("\(what) hangs") }
    }
    defer { done.signal() }
    return try await work()
}

/// Runs `work` on the main actor. (A test that is itself bound to it cannot be called without a warning.)
func onMainActor(_ work: @escaping @MainActor @Sendable () async throws -> Void) async throws {
    try await Task { @MainActor in try await work() }.value
}

func assertThrows<Value: Sendable>(
    _ code: CompassError.Code, _ work: @autoclosure () async throws -> Value, isolation: isolated (any Actor)? = #isolation,
    file: StaticString = #filePath, line: UInt = #line
) async {
    do {
        _ = try await work()
        XCTFail("\(code) was not thrown", file: file, line: line)
    } catch let error as CompassError {
        XCTAssertEqual(error.code, code, file: file, line: line)
    } catch {
        XCTFail("\(type(of: error)) instead of \(code)", file: file, line: line)
    }
}

private let lastCommand = Locked(0)

/// An id for a command.
func fresh() -> String {
    lastCommand.withLock { last in
        last += 1
        return "command-\(last)"
    }
}

func officeAt(_ url: String, key: String = "office", signing: Signing = .none) -> Endpoint {
    Endpoint(key: key, url: url, signing: signing)
}

extension Compass {
    /// The real core with the workflow, the integration on, and an endpoint whose requests the transport answers.
    static func ready(
        clock: ManualClock? = ManualClock(), transport: (any Transport)? = ScriptedTransport(), secrets: (any SecretStore)? = nil,
        adjust: (inout CompassOptions) -> Void = { _ in }
    ) async throws -> Compass {
        var options = try CompassOptions.testing(clock: clock, transport: transport, secrets: secrets)
        adjust(&options)
        let compass = try await Compass.open(options)
        _ = try await compass.importWorkflow(pumpCheck)
        try await compass.setIntegrationEnabled(true)
        try await compass.putEndpoint(
            officeAt("http://127.0.0.1:9/hooks", signing: secrets == nil ? .none : .standardWebhooks(secret: "office")))
        return compass
    }

    func begun() async throws -> SessionView {
        try await start("pump-check", commandId: fresh()).view
    }

    /// A completed session, whose message is in the outbox.
    func completed(site: String = "Mill Lane") async throws -> SessionView {
        let view = try await begun()
        _ = try await setFields(["site": .text(site)], in: view.key)
        let end = try await answer("on", visit: view.visit, in: view.key).view
        return try await complete(view.key, visit: end.visit).view
    }

    /// A completed session whose message has failed for good.
    func failed() async throws -> SessionView {
        let view = try await completed()
        _ = try await flush(deadline: .seconds(10))
        return view
    }
}

extension CallQueue {
    /// The queue on which a test waits for another thread, off the cooperative pool.
    static let waiting = CallQueue(name: "dev.compass.core.tests.waiting", width: 8, quality: .userInitiated)
}
