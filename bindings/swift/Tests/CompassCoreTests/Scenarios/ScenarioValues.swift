import CompassCore
import Foundation

/// Commands and values of a scenario as the package's types.
enum Given {
    static func command(_ json: Json) throws -> Command {
        let members = try Members(json)
        let kind = try members.text("command")
        let command: Command =
            switch kind {
            case "set_fields": .setFields(changes: try members.list("changes").map(change))
            case "answer": .answer(visit: try members.number("visit"), answer: try members.text("answer"))
            case "back": .back(visit: try members.number("visit"), toVisit: try members.number("to_visit"))
            case "use_response": .useResponse(commandId: try members.text("command_id"), response: try members.text("response"))
            case "note": .note(commandId: try members.text("command_id"), text: try members.text("text"))
            case "complete": .complete(visit: try members.number("visit"))
            case "end": .end(commandId: try members.text("command_id"), reason: try members.text("reason"))
            case "discard": .discard
            case "edit":
                .edit(
                    commandId: try members.text("command_id"), fields: try members.list("fields").map(change),
                    notes: try members.list("notes").map(noteChange), reason: try members.optionalText("reason"))
            default: throw ScenarioError("unknown command \(kind)")
            }
        try members.end()
        return command
    }

    private static func noteChange(_ json: Json) throws -> NoteChange {
        let members = try Members(json)
        let change = NoteChange(note: try members.number("note"), text: try members.text("text"))
        try members.end()
        return change
    }

    private static func change(_ json: Json) throws -> FieldChange {
        let members = try Members(json)
        let to = try Members(try members.take("change"))
        let kind = try to.text("to")
        let change: Change =
            switch kind {
            case "set": .set(try value(try to.take("value")))
            case "clear": .clear
            case "not_applicable": .notApplicable
            default: throw ScenarioError("unknown change \(kind)")
            }
        try to.end()
        let field = try members.text("field")
        try members.end()
        return FieldChange(field: field, change: change)
    }

    static func value(_ json: Json) throws -> FieldValue {
        let members = try Members(json)
        let kind = try members.text("type")
        let held = try members.take("value")
        try members.end()
        switch kind {
        case "text": return .text(try held.text)
        case "choice": return .choice(try held.text)
        case "choices": return .choices(try held.list.map { try $0.text })
        case "integer": return .integer(try held.number())
        case "boolean": return .boolean(try held.bool)
        case "decimal": return .decimal(try read(held.text))
        case "date": return .date(try read(held.text))
        case "time": return .time(try read(held.text))
        case "date_time": return .dateTime(try read(held.text))
        case "location": return .location(try location(held))
        case "file": return .file(try file(held))
        default: throw ScenarioError("unknown type \(kind)")
        }
    }

    private static func location(_ json: Json) throws -> Location {
        let members = try Members(json)
        guard let captured = OffsetDateTime(try members.text("captured_at")) else { throw ScenarioError("this is not an instant") }
        let location = Location(
            latitude: try read(members.text("latitude")), longitude: try read(members.text("longitude")),
            accuracyM: try members.optionalText("accuracy_m").map(read), capturedAt: captured.instant)
        try members.end()
        return location
    }

    private static func file(_ json: Json) throws -> FileManifest {
        let members = try Members(json)
        let file = FileManifest(
            sha256: try members.text("sha256"), mediaType: try members.text("media_type"), size: try members.number("size"),
            name: try members.text("name"))
        try members.end()
        return file
    }

    private static func read<Value: LosslessStringConvertible>(_ text: String) throws -> Value {
        guard let value = Value(text) else { throw ScenarioError("\(text) is not a \(Value.self)") }
        return value
    }

    static func pending(_ text: String) throws -> RedactPending {
        switch text {
        case "correct": return .correct
        case "abandon": return .abandon
        case "keep": return .keep
        default: throw ScenarioError("unknown pending \(text)")
        }
    }

    static func bodies(_ text: String) throws -> RedactBodies {
        switch text {
        case "keep": return .keep
        case "forget": return .forget
        default: throw ScenarioError("unknown bodies \(text)")
        }
    }

    static func prefill(_ json: Json) throws -> Prefill {
        let members = try Members(json)
        let prefill = Prefill(
            field: try members.text("field"), value: try value(try members.take("value")), source: try members.text("source"))
        try members.end()
        return prefill
    }

    static func version(_ text: String) throws -> WorkflowVersion {
        let parts = text.split(separator: ".").compactMap { UInt32($0) }
        guard (1...2).contains(parts.count) else { throw ScenarioError("\(text) is not a version") }
        return WorkflowVersion(version: parts[0], localRevision: parts.count == 2 ? parts[1] : 0)
    }

    static func header(_ json: Json) throws -> EndpointHeader {
        let members = try Members(json)
        let name = try members.text("name")
        let value = try members.optionalText("value").map(HeaderValue.plain)
        let secret = try members.optionalText("secret").map(HeaderValue.secret)
        try members.end()
        guard let held = value ?? secret else { throw ScenarioError("a header without value") }
        return EndpointHeader(name: name, value: held)
    }

    static func outcome(_ json: Json) throws -> TransportOutcome {
        let members = try Members(json)
        if let failure = members.optional("failure") {
            try members.end()
            return .failed(try Self.failure(failure))
        }
        let status: UInt16 = try members.number("status")
        var headers: [TransportHeader] = []
        if case .object(let given)? = members.optional("headers") {
            headers = try given.map { TransportHeader(name: $0.key, value: try $0.value.text) }
        }
        try members.end()
        return .answered(TransportResponse(status: status, headers: headers))
    }

    private static func failure(_ json: Json) throws -> TransportFailure {
        let kinds: [String: FailureKind] = [
            "no_network": .noNetwork, "dns": .dns, "refused": .refused, "timeout": .timeout, "closed": .closed,
            "certificate": .certificate(timeInvalid: false), "certificate_time": .certificate(timeInvalid: true), "tls": .tls,
            "protocol": .protocol, "other": .other,
        ]
        let phases: [String: Phase] = ["resolve": .resolve, "connect": .connect, "send": .send, "receive": .receive]
        let members = try Members(json)
        guard let kind = kinds[try members.text("kind")], let phase = phases[try members.text("phase")],
              let sent = ["no": RequestSent.no, "maybe": .maybe][try members.text("request_sent")]
        else { throw ScenarioError("a failure that is not known") }
        try members.end()
        return TransportFailure(kind: kind, phase: phase, requestSent: sent, detail: "")
    }
}

/// The package's types as the texts that a scenario expects.
enum Written {
    /// An enum without data in snake_case.
    static func name(_ value: Any) -> String {
        "\(value)".reduce(into: "") { text, letter in text += letter.isUppercase ? "_" + letter.lowercased() : String(letter) }
    }

    static func instant(_ date: Date) -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime]
        // In whole milliseconds: a Date is a binary fraction.
        let millis = Int64((date.timeIntervalSince1970 * 1000).rounded())
        let text = formatter.string(from: Date(timeIntervalSince1970: Double(millis / 1000)))
        let fraction = String(millis % 1000)
        return text.dropLast() + "." + String(repeating: "0", count: 3 - fraction.count) + fraction + "Z"
    }

    static func list<Items: Sequence>(_ items: Items) -> String {
        items.map { "\($0)" }.joined(separator: ",")
    }

    static func version(_ workflow: WorkflowRef) -> String {
        "\(workflow.key)@\(workflow.version)" + (workflow.localRevision == 0 ? "" : ".\(workflow.localRevision)")
    }

    static func state(_ state: FieldState) -> String {
        switch state {
        case .notProvided: "not_provided"
        case .provided: "provided"
        case .empty: "empty"
        case .notApplicable: "not_applicable"
        case .redacted: "redacted"
        }
    }

    static func value(_ state: FieldState) -> String? {
        guard case .provided(let value) = state else { return nil }
        switch value {
        case .text(let text), .choice(let text): return text
        case .integer(let number): return "\(number)"
        case .decimal(let decimal): return "\(decimal)"
        case .boolean(let yes): return "\(yes)"
        case .date(let date): return "\(date)"
        case .time(let time): return "\(time)"
        case .dateTime(let moment): return "\(moment)"
        case .choices(let keys): return list(keys)
        case .location(let place):
            return "\(place.latitude) \(place.longitude) \(place.accuracyM?.text ?? "-") \(instant(place.capturedAt))"
        case .file(let file): return "\(file.sha256) \(file.mediaType) \(file.size) \(file.name)"
        }
    }

    static func source(_ source: ValueSource) -> String {
        switch source {
        case .technician: "technician"
        case .prefill(let name): "prefill:\(name)"
        }
    }
}
