/// Printing an answer of a store of secrets shows which sort it is, and never a secret.
extension SecretLookup: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The sort of answer.
    public var description: String {
        switch self {
        case .found: "found"
        case .missing: "missing"
        case .unavailable: "unavailable"
        }
    }

    /// The sort of answer.
    public var debugDescription: String { description }

    /// Nothing inside is shown.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
