import CompassInternal

extension FieldState {
    /// What a person would type for what a field holds: ``FieldDefinition/parse(_:)`` reads it to the same again. Numbers are in ASCII digits with a
    /// point, options stand by their keys, a place without the time at which it was taken. Nothing where there is no value, and for a file.
    public func typedText() -> String {
        CompassInternal.typedText(state: self)
    }
}
