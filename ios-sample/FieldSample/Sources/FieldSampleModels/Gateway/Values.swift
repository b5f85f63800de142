import Foundation

/// A date without a time: `2027-01-15`.
public struct Day: Hashable, Sendable, LosslessStringConvertible {
    public let year: Int, month: Int, day: Int

    public init(year: Int, month: Int, day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    public init?(_ text: String) {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3, text.count == 10 else { return nil }
        self.init(year: parts[0], month: parts[1], day: parts[2])
    }

    public var description: String { String(format: "%04d-%02d-%02d", year, month, day) }
}

/// A time of day without a zone: `08:30:00`.
public struct TimeOfDay: Hashable, Sendable, LosslessStringConvertible {
    public let hour: Int, minute: Int, second: Int

    public init(hour: Int, minute: Int, second: Int = 0) {
        (self.hour, self.minute, self.second) = (hour, minute, second)
    }

    public init?(_ text: String) {
        let parts = text.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 3, text.count == 8 else { return nil }
        self.init(hour: parts[0], minute: parts[1], second: parts[2])
    }

    public var description: String { String(format: "%02d:%02d:%02d", hour, minute, second) }
}

/// A moment with the offset of the place where it was entered.
public struct OffsetMoment: Hashable, Sendable {
    public let at: Date
    public let offsetSeconds: Int

    public init(at: Date, offsetSeconds: Int) {
        (self.at, self.offsetSeconds) = (at, offsetSeconds)
    }
}

/// A position: degrees north and east and the accuracy in metres as decimal text, and when it was taken.
public struct Place: Hashable, Sendable {
    public let latitude: String, longitude: String, accuracy: String?
    public let at: Date

    public init(latitude: String, longitude: String, accuracy: String?, at: Date) {
        (self.latitude, self.longitude, self.accuracy, self.at) = (latitude, longitude, accuracy, at)
    }
}

/// A photo, file or signature that stays on the phone; this is its fingerprint. `size` is in bytes.
public struct FileMark: Hashable, Sendable {
    public let sha256: String, mediaType: String, size: Int, name: String

    public init(sha256: String, mediaType: String, size: Int, name: String) {
        (self.sha256, self.mediaType, self.size, self.name) = (sha256, mediaType, size, name)
    }
}

/// What a field can hold. A decimal keeps the digits as entered.
public enum Value: Hashable, Sendable {
    case words(String), whole(Int64), exact(String), yesNo(Bool), day(Day), time(TimeOfDay), moment(OffsetMoment)
    case one(String), many([String]), place(Place), file(FileMark)
}

/// What a field holds: nothing yet, deliberately nothing, not applicable here, or a value. Four different things.
public enum Holding: Hashable, Sendable {
    case notProvided, empty, notApplicable
    case given(Value)

    var value: Value? { if case .given(let value) = self { value } else { nil } }
}

/// A change of one field.
public struct FieldEdit: Hashable, Sendable {
    public let field: String
    public let to: Holding
}

/// The types of fields.
public enum FieldType: Hashable, Sendable, CaseIterable {
    case text, multiline, integer, decimal, yesNo, date, time, dateTime, singleChoice, multipleChoice
    case email, phone, url, barcode, location, attachment, signature
}

/// One option of a choice.
public struct ChoiceOption: Hashable, Sendable {
    public let key: String, name: String
}

/// A question of a workflow. Bounds are written as the workflow writes them.
public struct FieldInfo: Hashable, Sendable {
    public let key: String, name: String, type: FieldType
    public var help: String?
    public var required = false, allowEmpty = false, allowNotApplicable = false
    public var options: [ChoiceOption] = []
    public var maxLength: Int?
    public var min: String?, max: String?
    public var mediaTypes: [String] = []
}

/// Why a field's value, or its absence, is not accepted: a stable code, the bound that was missed, and the step of the session that asks it.
public struct FieldProblem: Hashable, Sendable {
    public let field: String, code: String
    public var limit: String?
    public var visit: Int?
}

/// What came of reading what a person typed.
public enum Reading: Hashable, Sendable {
    case read(Holding)
    case refused(FieldProblem)
}

/// Why a call changed nothing. Holds nothing that a technician typed, and no secret.
public struct GatewayFailure: Error, Hashable, Sendable {
    /// The core's stable name of the error.
    public let code: String
    public var problems: [FieldProblem] = []
    public var findings: [WorkflowFinding] = []
    /// How many messages would be lost, where that is the reason and the file can be read to count them.
    public var count: Int?
}

/// Who gives undelivered messages up, and why; neither is blank.
public struct Discard: Hashable, Sendable {
    public let actor: String, reason: String
}
