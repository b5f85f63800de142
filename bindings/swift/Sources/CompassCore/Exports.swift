// The words of the domain are generated from the core and used as they are: `SessionView`, `Command`, `FieldValue` and so on.
@_exported public import CompassModel
