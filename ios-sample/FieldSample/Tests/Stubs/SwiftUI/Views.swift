// What shows something.

public struct Text: Leaf {
    let words: String
    public init(verbatim: String) { words = verbatim }
    public func drawn(_ spot: Spot) -> [Drawn] {
        let drawn = Drawn(.words(words))
        drawn.size = spot.values.dynamicTypeSize
        return [drawn]
    }
}

public struct Image: Leaf {
    let name: String
    public init(systemName: String) { name = systemName }
    public func drawn(_ spot: Spot) -> [Drawn] {
        let drawn = Drawn(.symbol(name))
        drawn.size = spot.values.dynamicTypeSize
        return [drawn]
    }
}

/// What holds others.
public struct Held: Leaf {
    let kind: Drawn.Kind, content: @MainActor (Spot) -> [Drawn]
    public func drawn(_ spot: Spot) -> [Drawn] { [Drawn(kind, content(spot.into("in")))] }
}

public struct VStack: Leaf {
    private let held: Held
    public init<Content: View>(alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content) {
        held = Held(kind: .column, content: drawing(content()))
    }
    public func drawn(_ spot: Spot) -> [Drawn] { held.drawn(spot) }
}
public typealias LazyVStack = VStack
public struct HStack: Leaf {
    private let held: Held
    public init<Content: View>(alignment: VerticalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content) {
        held = Held(kind: .row, content: drawing(content()))
    }
    public func drawn(_ spot: Spot) -> [Drawn] { held.drawn(spot) }
}
public struct ZStack: Leaf {
    private let held: Held
    public init<Content: View>(alignment: Alignment = .center, @ViewBuilder content: () -> Content) {
        held = Held(kind: .layers, content: drawing(content()))
    }
    public func drawn(_ spot: Spot) -> [Drawn] { held.drawn(spot) }
}
public struct Axis: Sendable {
    let isVertical: Bool
    public static let horizontal = Axis(isVertical: false), vertical = Axis(isVertical: true)
    public typealias Set = Axis
}
public struct ScrollView: Leaf {
    private let held: Held
    public init<Content: View>(@ViewBuilder content: () -> Content) { held = Held(kind: .scroll, content: drawing(content())) }
    public func drawn(_ spot: Spot) -> [Drawn] { held.drawn(spot) }
}

/// The first, and with very large text the last, since nothing is measured here. Each choice comes to one node.
public struct ViewThatFits: Leaf {
    private let content: @MainActor (Spot) -> [Drawn]
    public init<Content: View>(in axes: Axis.Set, @ViewBuilder content: () -> Content) { self.content = drawing(content()) }
    public func drawn(_ spot: Spot) -> [Drawn] {
        let choices = content(spot.into("fits"))
        let chosen = spot.values.dynamicTypeSize.isAccessibilitySize ? choices.last : choices.first
        return [Drawn(.fits, chosen.map { [$0] } ?? [])]
    }
}

public struct ForEach: Leaf {
    private let draw: @MainActor (Spot) -> [Drawn]
    public init<Data: RandomAccessCollection, Content: View>(_ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content)
    where Data.Element: Identifiable { self.init(data, id: \.id, content: content) }
    public init<Data: RandomAccessCollection, ID: Hashable, Content: View>(
        _ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content
    ) {
        let ids = data.map { "\($0[keyPath: id])" }
        precondition(Set(ids).count == ids.count, "two of the same id: \(ids)")
        draw = { spot in data.flatMap { content($0).drawn(spot.into("\($0[keyPath: id])")) } }
    }
    public func drawn(_ spot: Spot) -> [Drawn] { draw(spot) }
}

public struct ProgressView: Leaf {
    let value: Double
    public init(value: Double) { self.value = value }
    public func drawn(_ spot: Spot) -> [Drawn] { [Drawn(.progress(value))] }
}

// What can be tapped and typed in.

public enum ButtonRole: Sendable { case destructive, cancel }
@MainActor public struct ButtonStyleConfiguration {
    public let label: Shown, role: ButtonRole?
    public let isPressed = false
}
@MainActor @preconcurrency public protocol ButtonStyle {
    associatedtype Body: View
    typealias Configuration = ButtonStyleConfiguration
    @ViewBuilder func makeBody(configuration: Configuration) -> Body
}
public struct Button: Leaf {
    private let role: ButtonRole?, act: @MainActor () -> Void, label: @MainActor (Spot) -> [Drawn]
    public init<Content: View>(role: ButtonRole? = nil, action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Content) {
        (self.role, act, self.label) = (role, action, drawing(label()))
    }
    public func drawn(_ spot: Spot) -> [Drawn] {
        let spot = spot.into("button")
        let face = ButtonStyleConfiguration(label: Shown(label), role: role)
        return [Drawn(.button(act), spot.style?(face, spot) ?? label(spot))]
    }
}
public struct ShareLink: Leaf {
    private let item: URL, label: @MainActor (Spot) -> [Drawn]
    public init<Content: View>(item: URL, @ViewBuilder label: () -> Content) { (self.item, self.label) = (item, drawing(label())) }
    public func drawn(_ spot: Spot) -> [Drawn] {
        let spot = spot.into("share")
        let face = ButtonStyleConfiguration(label: Shown(label), role: nil)
        return [Drawn(.share(item), spot.style?(face, spot) ?? label(spot))]
    }
}
public struct TextField: Leaf {
    let title: String, text: Binding<String>
    public init(_ title: String, text: Binding<String>, axis: Axis) { (self.title, self.text) = (title, text) }
    public func drawn(_ spot: Spot) -> [Drawn] {
        let drawn = Drawn(.line(text, prompt: title, secure: false))
        drawn.size = spot.values.dynamicTypeSize
        return [drawn]
    }
}
public struct SecureField: Leaf {
    let title: String, text: Binding<String>
    public init(_ title: String, text: Binding<String>) { (self.title, self.text) = (title, text) }
    public func drawn(_ spot: Spot) -> [Drawn] {
        let drawn = Drawn(.line(text, prompt: title, secure: true))
        drawn.size = spot.values.dynamicTypeSize
        return [drawn]
    }
}
public struct Toggle: Leaf {
    let title: String, on: Binding<Bool>
    public init(_ title: String, isOn: Binding<Bool>) { (self.title, on) = (title, isOn) }
    public func drawn(_ spot: Spot) -> [Drawn] { [Drawn(.toggle(title, on))] }
}
public struct DatePickerComponents: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let date = DatePickerComponents(rawValue: 1), hourAndMinute = DatePickerComponents(rawValue: 2)
}
public struct DatePickerLook: Sendable { public static let wheel = DatePickerLook(), graphical = DatePickerLook(), compact = DatePickerLook() }
public struct DatePicker: Leaf {
    let title: String, day: Binding<Date>
    public init(_ title: String, selection: Binding<Date>, displayedComponents: DatePickerComponents) { (self.title, day) = (title, selection) }
    public func drawn(_ spot: Spot) -> [Drawn] { [Drawn(.day(title, day))] }
}
