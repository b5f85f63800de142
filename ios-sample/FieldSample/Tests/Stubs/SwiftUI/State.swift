// What views remember and inherit.

/// A property that is told where its view is before the body is asked for.
@MainActor protocol Installed { func install(_ spot: Spot, _ label: String) }

/// Keeps a value between one time and the next, by the place of its view.
final class Cell<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}
final class Slot<Value> {
    var cell: Cell<Value>
    init(_ value: Value) { cell = Cell(value) }
    @MainActor func install(_ spot: Spot, _ label: String) { cell = spot.sketch.cell(spot.path + "." + label, or: cell) as! Cell<Value> }
}

@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
    private let get: () -> Value, set: (Value) -> Void
    // Apple's takes closures of any isolation and gives them that of where they are written, which is the main actor's in views.
    public init(get: @escaping @MainActor @Sendable () -> Value, set: @escaping @MainActor @Sendable (Value) -> Void) {
        (self.get, self.set) = (unsafeBitCast(get, to: (() -> Value).self), unsafeBitCast(set, to: ((Value) -> Void).self))
    }
    init(reading get: @escaping () -> Value, writing set: @escaping (Value) -> Void) { (self.get, self.set) = (get, set) }
    public static func constant(_ value: Value) -> Binding { Binding(reading: { value }, writing: { _ in }) }
    public var wrappedValue: Value { get { get() } nonmutating set { set(newValue) } }
    public var projectedValue: Binding<Value> { self }
    public subscript<Part>(dynamicMember path: WritableKeyPath<Value, Part>) -> Binding<Part> {
        Binding<Part>(reading: { get()[keyPath: path] }, writing: { part in
            var value = get()
            value[keyPath: path] = part
            set(value)
        })
    }
}

@propertyWrapper public struct State<Value>: Installed {
    private let slot: Slot<Value>
    public init(wrappedValue: Value) { slot = Slot(wrappedValue) }
    public init(initialValue: Value) { slot = Slot(initialValue) }
    public var wrappedValue: Value { get { slot.cell.value } nonmutating set { slot.cell.value = newValue } }
    public var projectedValue: Binding<Value> {
        let cell = slot.cell
        return Binding(reading: { cell.value }, writing: { cell.value = $0 })
    }
    func install(_ spot: Spot, _ label: String) { slot.install(spot, label) }
}

@propertyWrapper @dynamicMemberLookup public struct Bindable<Value: AnyObject> {
    public var wrappedValue: Value
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
    public init(_ value: Value) { wrappedValue = value }
    public var projectedValue: Bindable<Value> { self }
    public subscript<Part>(dynamicMember path: ReferenceWritableKeyPath<Value, Part>) -> Binding<Part> {
        let value = wrappedValue
        return Binding(reading: { value[keyPath: path] }, writing: { value[keyPath: path] = $0 })
    }
}

@propertyWrapper public struct FocusState<Value: Hashable>: Installed {
    private let slot: Slot<Value>
    public init() where Value == Bool { slot = Slot(false) }
    public struct Binding {
        let cell: Cell<Value>
        public var wrappedValue: Value { get { cell.value } nonmutating set { cell.value = newValue } }
    }
    public var wrappedValue: Value { get { slot.cell.value } nonmutating set { slot.cell.value = newValue } }
    public var projectedValue: Binding { Binding(cell: slot.cell) }
    func install(_ spot: Spot, _ label: String) { slot.install(spot, label) }
}

@propertyWrapper public struct AccessibilityFocusState<Value: Hashable>: Installed {
    private let slot: Slot<Value>
    public init() where Value == Bool { slot = Slot(false) }
    public struct Binding {
        let cell: Cell<Value>
        public var wrappedValue: Value { get { cell.value } nonmutating set { cell.value = newValue } }
    }
    public var wrappedValue: Value { get { slot.cell.value } nonmutating set { slot.cell.value = newValue } }
    public var projectedValue: Binding { Binding(cell: slot.cell) }
    func install(_ spot: Spot, _ label: String) { slot.install(spot, label) }
}

@propertyWrapper public struct Environment<Value>: Installed {
    private let path: KeyPath<EnvironmentValues, Value>
    private let values = Cell(EnvironmentValues())
    public init(_ path: KeyPath<EnvironmentValues, Value>) { self.path = path }
    public var wrappedValue: Value { values.value[keyPath: path] }
    func install(_ spot: Spot, _ label: String) { values.value = spot.values }
}

public protocol EnvironmentKey {
    associatedtype Value
    static var defaultValue: Value { get }
}

public enum ColorScheme: Sendable { case light, dark }
public enum ColorSchemeContrast: Sendable { case standard, increased }
public enum UserInterfaceSizeClass: Sendable { case compact, regular }
public enum LayoutDirection: Sendable { case leftToRight, rightToLeft }

@MainActor public struct DismissAction {
    let act: @MainActor () -> Void
    nonisolated init(_ act: @escaping @MainActor () -> Void) { self.act = act }
    public func callAsFunction() { act() }
}

public struct EnvironmentValues {
    private var kept: [ObjectIdentifier: Any] = [:]
    public var colorScheme = ColorScheme.light
    // Apple's is the phone's, and cannot be set.
    public private(set) var colorSchemeContrast = ColorSchemeContrast.standard
    public var dynamicTypeSize = DynamicTypeSize.large
    public var isEnabled = true
    public var layoutDirection = LayoutDirection.leftToRight
    public var locale = Locale.current
    public var verticalSizeClass: UserInterfaceSizeClass? = .regular
    public internal(set) var dismiss = DismissAction {}

    public init() {}
    /// A phone with these settings.
    public init(_ scheme: ColorScheme, contrast: ColorSchemeContrast = .standard, text: DynamicTypeSize = .large) {
        (colorScheme, colorSchemeContrast, dynamicTypeSize) = (scheme, contrast, text)
    }
    public subscript<Key: EnvironmentKey>(key: Key.Type) -> Key.Value {
        get { kept[ObjectIdentifier(key)] as? Key.Value ?? Key.defaultValue }
        set { kept[ObjectIdentifier(key)] = newValue }
    }
}
