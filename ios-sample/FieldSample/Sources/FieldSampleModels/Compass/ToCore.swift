import CompassCore
import Foundation

// From the app's words to the core's.

extension [FieldEdit] {
    func command() throws -> Command { .setFields(changes: try map { try $0.core() }) }
}

extension FieldEdit {
    func core() throws -> FieldChange {
        let change: Change = switch to {
        case .notProvided: .clear
        case .notApplicable: .notApplicable
        // Nothing at all, said on purpose.
        case .empty: .set(.text(""))
        case .given(let value): .set(try value.core())
        }
        return FieldChange(field: field, change: change)
    }
}

extension Value {
    fileprivate func core() throws -> FieldValue {
        // A view cannot make such a value; a core that is asked for it would say the same.
        func known<Known>(_ value: Known?) throws -> Known {
            guard let value else { throw GatewayFailure(code: "field_problems") }
            return value
        }
        switch self {
        case .words(let text): return .text(text)
        case .whole(let number): return .integer(number)
        case .exact(let digits): return .decimal(try known(DecimalValue(digits)))
        case .yesNo(let yes): return .boolean(yes)
        case .day(let day): return .date(try known(LocalDate(year: day.year, month: day.month, day: day.day)))
        case .time(let time): return .time(try known(LocalTime(hour: time.hour, minute: time.minute, second: time.second)))
        case .moment(let moment): return .dateTime(try known(OffsetDateTime(moment.rfc3339)))
        case .one(let option): return .choice(option)
        case .many(let options): return .choices(options)
        case .place(let place):
            return .location(
                Location(
                    latitude: try known(DecimalValue(place.latitude)), longitude: try known(DecimalValue(place.longitude)),
                    accuracyM: try place.accuracy.map { try known(DecimalValue($0)) }, capturedAt: place.at))
        case .file(let file):
            return .file(FileManifest(sha256: file.sha256, mediaType: file.mediaType, size: UInt64(file.size), name: file.name))
        }
    }
}

extension OffsetMoment {
    fileprivate var rfc3339: String {
        let format = ISO8601DateFormatter()
        format.timeZone = TimeZone(secondsFromGMT: offsetSeconds)
        return format.string(from: at)
    }
}

extension SessionQuery {
    func core() -> SessionFilter {
        var filter = SessionFilter.all
        filter.states = phases.map {
            switch $0 {
            case .inProgress: .inProgress
            case .completed: .completed
            case .ended: .ended
            case .discarded: .discarded
            }
        }
        filter.won = won
        filter.actionStatus = action.map {
            switch $0 {
            case .notFired: .notFired
            case .pending: .pending
            case .sent: .sent
            case .failed: .failed
            }
        }
        filter.text = text
        return filter
    }
}

extension EndpointLine {
    func core(headers: [EndpointHeader]) -> Endpoint {
        Endpoint(
            key: key, url: url, signing: secret.map { .standardWebhooks(secret: $0) } ?? .none, headers: headers,
            network: wifiOnly ? .unmetered : .any)
    }
}

extension Discard {
    func core() -> DiscardUndelivered { DiscardUndelivered(actor: actor, reason: reason) }
}
