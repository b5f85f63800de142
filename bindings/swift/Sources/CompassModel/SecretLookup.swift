/// Printing an answer of a store of secrets shows its kind, and never a secret.
extension SecretLookup: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The kind of answer.
    public var description: String {
        switch self {
        case .found: "found"
        case .missing: "missing"
        case .unavailable: "unavailable"
        }
    }

    /// The kind of answer.
    public var debugDescription: String { description }

    /// Shows no contents.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
