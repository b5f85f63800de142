import Foundation

/// A value in the file of a scenario.
enum Json: Decodable, Hashable {
    case null
    case bool(Bool)
    case number(Int64)
    case text(String)
    case list([Json])
    case object([String: Json])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Int64.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([Json].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: Json].self))
        }
    }
}

/// A scenario that this runner does not understand, or whose result differs.
struct ScenarioError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The members of an object of a scenario. A member that is not read is an error.
final class Members {
    private var rest: [String: Json]

    init(_ json: Json) throws {
        guard case .object(let members) = json else { throw ScenarioError("an object is expected instead of \(json)") }
        rest = members
    }

    func end() throws {
        if !rest.isEmpty { throw ScenarioError("unknown members \(rest.keys.sorted())") }
    }

    func take(_ name: String) throws -> Json {
        guard let value = rest.removeValue(forKey: name) else { throw ScenarioError("\(name) is missing") }
        return value
    }

    func optional(_ name: String) -> Json? {
        let value = rest.removeValue(forKey: name)
        return value == .null ? nil : value
    }

    func text(_ name: String) throws -> String { try take(name).text }
    func bool(_ name: String) throws -> Bool { try take(name).bool }
    func list(_ name: String) throws -> [Json] { try take(name).list }
    func number<Number: FixedWidthInteger>(_ name: String) throws -> Number { try take(name).number() }
    func optionalText(_ name: String) throws -> String? { try optional(name)?.text }
}

extension Json {
    var text: String {
        get throws {
            guard case .text(let text) = self else { throw ScenarioError("a text is expected instead of \(self)") }
            return text
        }
    }

    var bool: Bool {
        get throws {
            guard case .bool(let bool) = self else { throw ScenarioError("true or false is expected instead of \(self)") }
            return bool
        }
    }

    var list: [Json] {
        get throws {
            guard case .list(let list) = self else { throw ScenarioError("a list is expected instead of \(self)") }
            return list
        }
    }

    func number<Number: FixedWidthInteger>() throws -> Number {
        guard case .number(let number) = self, let fitting = Number(exactly: number) else {
            throw ScenarioError("a number is expected instead of \(self)")
        }
        return fitting
    }
}
