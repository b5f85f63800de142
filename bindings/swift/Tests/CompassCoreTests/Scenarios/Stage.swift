import CompassCore
import CompassCoreTesting
import Foundation

/// The world of a scenario: a new database, a clock that only the scenario moves, a transport and a store of secrets.
final class Stage {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../../..").standardizedFileURL
    static let folder = repository.appendingPathComponent("tests/fixtures/scenarios")

    private struct Queues {
        var answers: [String: [TransportOutcome]] = [:]
    }

    private struct Kept {
        var lookup: SecretLookup
        /// The only origin for which it is given.
        var origin: String?
        /// The secret that replaces it when it is refused.
        var renewed: String?
    }

    private struct Store: SecretStore {
        let secrets = Locked<[String: Kept]>([:])
        /// Refused secrets that no step has named yet.
        let refused = Locked<[String]>([])

        func get(named name: String, origin: String) -> SecretLookup {
            guard let kept = secrets.withLock({ $0[name] }), kept.origin == nil || kept.origin == origin else { return .missing }
            return kept.lookup
        }

        func refused(named name: String, origin: String) {
            refused.withLock { $0.append("\(name) \(origin)") }
            secrets.withLock { secrets in
                guard let renewed = secrets[name]?.renewed else { return }
                secrets[name]?.lookup = .found(current: renewed, previous: nil)
                secrets[name]?.renewed = nil
            }
        }
    }

    private let queues = Locked(Queues())
    private let store = Store()
    private let clock = ManualClock()
    private let transport: ScriptedTransport
    private let options: CompassOptions
    private var compass: Compass
    private var session: SessionKey = ""
    private var seen = 0

    private init() async throws {
        let queues = queues
        transport = ScriptedTransport { _, request in
            let next = queues.withLock { queues in
                queues.answers[request.url]?.isEmpty == false ? queues.answers[request.url]?.removeFirst() : nil
            }
            // Without an answer the request is still kept, and the step that flushed reports it.
            return next ?? .failed(TransportFailure(kind: .other, phase: .resolve, requestSent: .no, detail: ""))
        }
        var options = try CompassOptions.testing(clock: clock, transport: transport, secrets: store)
        options.allowPlainHttpToLoopback = false
        self.options = options
        compass = try await Compass.open(options)
    }

    static func play(_ name: String) async throws {
        let file = try Data(contentsOf: folder.appendingPathComponent(name + ".json"))
        let scenario = try Members(try JSONDecoder().decode(Json.self, from: file))
        let steps = try (scenario.text("title"), scenario.list("steps")).1
        try scenario.end()
        if steps.isEmpty { throw ScenarioError("a scenario without steps") }
        let stage = try await Stage()
        for (number, step) in steps.enumerated() {
            do {
                try await stage.step(try Members(step))
            } catch {
                throw ScenarioError("\(name), step \(number + 1): \(error)")
            }
        }
        try await stage.end()
    }

    private func end() async throws {
        if queues.withLock({ $0.answers.values.contains { !$0.isEmpty } }) { throw ScenarioError("an answer was left over") }
        try same(transport.requests.count, seen, "requests")
        try same(store.refused.withLock { $0 }, [], "refused")
        try same(try await compass.check().faults, [], "faults")
        try await compass.close()
    }

    private func step(_ given: Members) async throws {
        guard let error = given.optional("error") else { return try await carryOut(given) }
        let expected = try Members(error)
        let (code, place) = (try expected.text("code"), try expected.optionalText("place"))
        try expected.end()
        do {
            try await carryOut(given)
        } catch let error as CompassError {
            try same(error.code.rawValue, code, "code")
            return try same(error.place, place, "place")
        }
        throw ScenarioError("\(code) is expected")
    }

    private func carryOut(_ given: Members) async throws {
        let kind = try given.text("do")
        switch kind {
        case "import":
            _ = try await compass.importWorkflow(try Data(contentsOf: Self.repository.appendingPathComponent(given.text("document"))))
        case "integration": try await compass.setIntegrationEnabled(try given.bool("enabled"))
        case "endpoint": try await endpoint(given)
        case "enable_endpoint": try await compass.setEndpointEnabled(given.text("key"), enabled: given.bool("enabled"))
        case "secret": try await secret(given)
        case "refused":
            let refused = store.refused.withLock { refused in
                defer { refused = [] }
                return refused
            }
            try same(refused, try given.list("secrets").map { try $0.text }, "refused")
        case "start": try await start(given)
        case "run":
            let outcome = try await compass.run(
                given.list("commands").map(Given.command), in: session, actor: given.optionalText("actor"),
                commandId: given.optionalText("command_id"))
            try applied(outcome.applied, given)
        case "draft": try await compass.saveDraft(given.text("field"), text: given.text("text"), in: session)
        case "parse": try await parse(given)
        case "connectivity": try await connectivity(given)
        case "advance": clock.advance(.milliseconds(try given.number("ms") as Int))
        case "answers":
            let (url, answers) = (try given.text("url"), try given.list("with").map(Given.outcome))
            queues.withLock { $0.answers[url, default: []] += answers }
        case "flush": try await flush(given)
        case "send":
            let outcome = try await compass.send(
                given.text("action"), in: session, actor: given.optionalText("actor"), commandId: given.text("command_id"))
            try applied(outcome.applied, given)
        case "send_corrected":
            let outcome = try await compass.sendCorrected(
                given.text("action"), in: session, actor: given.optionalText("actor"), commandId: given.text("command_id"))
            try applied(outcome.applied, given)
        case "replay":
            let outcome = try await compass.replay(
                given.text("action"), in: session, actor: given.optionalText("actor"), commandId: given.text("command_id"))
            try applied(outcome.applied, given)
        case "replay_session":
            let outcome = try await compass.replaySession(
                session, actor: given.optionalText("actor"), commandId: given.text("command_id"))
            try applied(outcome.applied, given)
        case "replay_sent":
            let report = try await compass.replaySent(
                ReplayFilter(endpoint: given.text("endpoint")), actor: given.optionalText("actor"))
            try same(report.replayed, try given.number("replayed"), "replayed")
            try same(report.bodyDropped, try given.optional("body_dropped")?.number() ?? 0, "body_dropped")
            try same(report.left, 0, "left")
            try same(report.next, nil, "next")
        case "abandon":
            let outcome = try await compass.abandon(
                given.text("action"), in: session, actor: given.text("actor"), reason: given.text("reason"),
                commandId: given.text("command_id"))
            try applied(outcome.applied, given)
        case "abandon_session":
            let outcome = try await compass.abandonSession(
                session, actor: given.text("actor"), reason: given.text("reason"), commandId: given.text("command_id"))
            try applied(outcome.applied, given)
        case "redact":
            let target: RedactionTarget
            switch (try given.optionalText("field"), given.optional("note")) {
            case (let field?, nil): target = .field(key: field)
            case (nil, let note?): target = .note(seq: try note.number())
            default: throw ScenarioError("a field or a note")
            }
            let outcome = try await compass.redact(
                target, in: session, actor: given.text("actor"), reason: given.text("reason"),
                pending: Given.pending(given.text("pending")), bodies: Given.bodies(given.text("bodies")),
                commandId: given.text("command_id"))
            try applied(outcome.applied, given)
            try same(outcome.bodies.count, try given.optional("holding")?.number() ?? 0, "holding")
            try same(Written.name(outcome.erased), try given.optionalText("erased") ?? "now", "erased")
        case "purge":
            let report = try await compass.purge(olderThan: .milliseconds(given.number("older_than_ms") as Int64))
            try same(report.purged, try given.number("sessions"), "sessions")
        case "reopen":
            try await compass.close()
            compass = try await Compass.open(options)
        case "expect":
            guard case .object(let paths) = try given.take("paths") else { throw ScenarioError("paths are expected") }
            for (path, expected) in paths.sorted(by: { $0.key < $1.key }) {
                let read = try await Paths(compass: compass, session: session).read(path)
                try same(read, expected == .null ? nil : try expected.text, path)
            }
        default: throw ScenarioError("unknown step \(kind)")
        }
        try given.end()
    }

    private func applied(_ applied: Applied, _ given: Members) throws {
        try same(Written.name(applied), try given.optionalText("applied") ?? "yes", "applied")
    }

    private func endpoint(_ given: Members) async throws {
        let policy = try given.optionalText("network") ?? "any"
        guard let network = ["any": NetworkPolicy.any, "unmetered": .unmetered][policy] else { throw ScenarioError("unknown network") }
        let signing = try given.optionalText("secret").map(Signing.standardWebhooks) ?? Signing.none
        let headers = try given.optional("headers")?.list.map(Given.header) ?? []
        try await compass.putEndpoint(
            Endpoint(key: given.text("key"), url: given.text("url"), signing: signing, headers: headers, network: network))
    }

    private func secret(_ given: Members) async throws {
        let (name, previous, current) = (try given.text("name"), try given.optionalText("previous"), try given.take("current"))
        let lookup: SecretLookup = current == .null ? .missing : .found(current: try current.text, previous: previous)
        let kept = Kept(lookup: lookup, origin: try given.optionalText("origin"), renewed: try given.optionalText("renewed"))
        store.secrets.withLock { $0[name] = kept }
        try await compass.secretsChanged()
    }

    private func start(_ given: Members) async throws {
        let outcome = try await compass.start(
            given.text("workflow"), version: given.optionalText("version").map(Given.version), actor: given.optionalText("actor"),
            prefill: given.optional("prefill")?.list.map(Given.prefill) ?? [], commandId: given.text("command_id"))
        session = outcome.view.key
        try applied(outcome.applied, given)
    }

    private func parse(_ given: Members) async throws {
        let (key, text, state, held) = (
            try given.text("field"), try given.text("text"), try given.optionalText("state"), try given.optionalText("value")
        )
        let workflow = try await compass.workflow(try given.text("workflow"))
        guard let field = workflow.fields.first(where: { $0.key == key }) else { throw ScenarioError("there is no field \(key)") }
        let parsed = try field.parse(text)
        try same(Written.state(parsed), state, "state")
        try same(Written.value(parsed), held, "value")
    }

    private func connectivity(_ given: Members) async throws {
        let (validated, metered) = (try given.optional("validated")?.bool, try given.optional("metered")?.bool ?? false)
        let network: UInt64? = try given.optional("network")?.number()
        let states: [String: Connectivity] = [
            "unknown": .unknown, "offline": .offline, "online": .online(validated: validated, metered: metered, network: network),
        ]
        guard let state = states[try given.text("state")] else { throw ScenarioError("unknown connectivity") }
        try await compass.setConnectivity(state)
    }

    private func flush(_ given: Members) async throws {
        let (requests, report) = (try given.list("requests"), given.optional("report"))
        let flushed = try await compass.flush(deadline: .seconds(60))
        if let report {
            let expected = try Members(report)
            if let end = try expected.optionalText("end") { try same(Written.name(flushed.end), end, "end") }
            let counts: [(String, UInt64)] = [
                ("attempts", UInt64(flushed.attempts)), ("sent", UInt64(flushed.sent)), ("retrying", UInt64(flushed.retrying)),
                ("failed", UInt64(flushed.failed)), ("pending", flushed.pending),
            ]
            for (name, count) in counts {
                if let number = expected.optional(name) { try same(count, try number.number(), name) }
            }
            try expected.end()
        }
        let new = Array(transport.requests[seen...])
        seen += new.count
        // Stable: the order within one URL is a part of the expectation.
        let byURL = Dictionary(grouping: new, by: \.url).sorted { $0.key < $1.key }.flatMap(\.value)
        let came = byURL.map { request in
            Json.object([
                "url": .text(request.url), "headers": .list(request.headers.map { .text("\($0.name): \($0.value)") }),
                "body": .text(String(decoding: request.body, as: UTF8.self)),
            ])
        }
        try same(came, requests, "requests")
    }

    private func same<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws {
        if found != expected { throw ScenarioError("\(what) is \(found), expected is \(expected)") }
    }
}
