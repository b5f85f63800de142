// What is said about a view.

@MainActor @preconcurrency public protocol ViewModifier {
    associatedtype Body: View
    typealias Content = Shown
    @ViewBuilder func body(content: Content) -> Body
}

public struct AccessibilityTraits: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let isHeader = AccessibilityTraits(rawValue: 1), isSelected = AccessibilityTraits(rawValue: 2)
    public static let updatesFrequently = AccessibilityTraits(rawValue: 4), isButton = AccessibilityTraits(rawValue: 8)
    public static let isModal = AccessibilityTraits(rawValue: 16)
}
public struct AccessibilityChildBehavior: Hashable, Sendable {
    let name: String
    public static let combine = Self(name: "combine"), contain = Self(name: "contain"), ignore = Self(name: "ignore")
}
public enum AccessibilityNotification {
    @MainActor public struct Announcement {
        /// What was said so far.
        public static var said: [String] = []
        private let words: String
        public init(_ words: String) { self.words = words }
        public func post() { Self.said.append(words) }
    }
}

extension View {
    func with(_ modifier: Drawn.Modifier, _ change: @escaping @MainActor (inout Spot) -> Void = { _ in }) -> Shown {
        Shown { spot in
            var spot = spot.into("~")
            change(&spot)
            return [Drawn(.with(modifier), self.drawn(spot))]
        }
    }

    public func modifier<Modifier: ViewModifier>(_ modifier: Modifier) -> some View {
        Shown { spot in
            let name = String(describing: Modifier.self)
            let spot = spot.into(name)
            spot.sketch.install(modifier, spot)
            return [Drawn(.view(name), modifier.body(content: Shown(drawing(self))).drawn(spot))]
        }
    }

    // Looks
    public func font(_ font: Font) -> some View { with(.font(font)) }
    public func bold() -> some View { with(.bold) }
    public func monospaced() -> some View { with(.other("monospaced")) }
    public func foregroundStyle(_ color: Color) -> some View { with(.ink(color)) }
    public func background(_ color: Color) -> some View { with(.ground(color)) }
    public func background(_ color: Color, in shape: some InsettableShape) -> some View { with(.ground(color)) }
    public func tint(_ color: Color) -> some View { with(.tint(color)) }
    public func overlay<Over: View>(alignment: Alignment = .center, @ViewBuilder content: () -> Over) -> some View {
        let over = content()
        return Shown { spot in [Drawn(.with(.border), over.drawn(spot.into("over")) + self.drawn(spot.into("~")))] }
    }
    public func lineLimit(_ lines: Int?) -> some View { with(.lineLimit(lines ?? 0)) }
    public func padding(_ edges: Edge.Set = .all, _ length: CGFloat? = nil) -> some View { with(.padding) }
    public func padding(_ length: CGFloat) -> some View { with(.padding) }
    public func frame(
        minWidth: CGFloat? = nil, maxWidth: CGFloat? = nil, minHeight: CGFloat? = nil, maxHeight: CGFloat? = nil, alignment: Alignment = .center
    ) -> some View { with(.frame(minWidth: minWidth, minHeight: minHeight, maxWidth: maxWidth)) }
    public func frame(width: CGFloat, height: CGFloat) -> some View { with(.fixedFrame(width, height)) }
    public func frame(height: CGFloat) -> some View { with(.other("height")) }
    public func labelsHidden() -> some View { with(.other("labels")) }
    public func contentShape(_ shape: some Shape) -> some View { with(.shape) }
    public func dynamicTypeSize(_ range: PartialRangeFrom<DynamicTypeSize>) -> some View {
        with(.size(range.lowerBound)) { $0.values.dynamicTypeSize = max($0.values.dynamicTypeSize, range.lowerBound) }
    }
    public func dynamicTypeSize(_ size: DynamicTypeSize) -> some View { with(.size(size)) { $0.values.dynamicTypeSize = size } }

    // Doing
    public func disabled(_ off: Bool) -> some View { with(.off(off)) { $0.values.isEnabled = $0.values.isEnabled && !off } }
    public func buttonStyle<Style: ButtonStyle>(_ style: Style) -> some View {
        with(.style(String(describing: Style.self))) {
            $0.style = { face, spot in
                let spot = spot.into(String(describing: Style.self))
                spot.sketch.install(style, spot)
                return style.makeBody(configuration: face).drawn(spot)
            }
        }
    }
    public func datePickerStyle(_ look: DatePickerLook) -> some View { with(.other("picker")) }
    public func keyboardType(_ type: UIKeyboardType) -> some View { with(.keyboard(type)) }
    public func textInputAutocapitalization(_ capitals: TextInputAutocapitalization?) -> some View { with(.other("capitals")) }
    public func autocorrectionDisabled(_ off: Bool = true) -> some View { with(.other("correction")) }
    public func focused(_ focus: FocusState<Bool>.Binding) -> some View { with(.focus(focus)) }
    public func scrollDismissesKeyboard(_ mode: ScrollDismissesKeyboardMode) -> some View { with(.other("keyboard")) }
    public func scrollDisabled(_ off: Bool) -> some View { with(.still(off)) }
    public func onSubmit(_ act: @escaping () -> Void) -> some View { with(.submit { act() }) }
    public func gesture<Moved: Gesture>(_ gesture: Moved) -> some View { with(.gesture(String(describing: Moved.self))) }
    public func onTapGesture(perform act: @escaping () -> Void) -> some View { with(.tap { act() }) }
    public func onLongPressGesture(perform act: @escaping () -> Void) -> some View { with(.gesture("long press")) }

    // Time
    public func id(_ id: some Hashable) -> some View { Shown { spot in self.drawn(spot.into("#\(id)")) } }
    public func onAppear(perform act: @escaping () -> Void) -> some View {
        Shown { spot in
            let spot = spot.into("appear")
            spot.sketch.appears(spot.path, { act() }, gone: {})
            return self.drawn(spot)
        }
    }
    public func onDisappear(perform act: @escaping () -> Void) -> some View {
        Shown { spot in
            let spot = spot.into("disappear")
            spot.sketch.appears(spot.path, {}, gone: { act() })
            return self.drawn(spot)
        }
    }
    public func onChange<Value: Equatable>(of value: Value, _ act: @escaping (Value, Value) -> Void) -> some View {
        Shown { spot in
            let spot = spot.into("change")
            spot.sketch.watch(spot.path, value) { act($0, $1) }
            return self.drawn(spot)
        }
    }
    public func task(_ act: @escaping @MainActor @Sendable () async -> Void) -> some View {
        Shown { spot in
            let spot = spot.into("task")
            let running = spot.sketch.cell(spot.path, or: Cell<Task<Void, Never>?>(nil)) as! Cell<Task<Void, Never>?>
            spot.sketch.appears(spot.path + "!", { running.value = Task { await act() } }, gone: { running.value?.cancel() })
            return self.drawn(spot)
        }
    }
    public func sensoryFeedback<Trigger: Equatable>(
        trigger: Trigger, _ feedback: @escaping (Trigger, Trigger) -> SensoryFeedback?
    ) -> some View { with(.other("haptic")) }

    // What is inherited
    public func environment<Value>(_ path: WritableKeyPath<EnvironmentValues, Value>, _ value: Value) -> some View {
        with(.other("environment")) { $0.values[keyPath: path] = value }
    }

    // For a screen reader
    public func accessibilityLabel(_ label: Text) -> some View { with(.label(label.words)) }
    public func accessibilityAddTraits(_ traits: AccessibilityTraits) -> some View { with(.traits(traits)) }
    public func accessibilityHidden(_ hidden: Bool) -> some View { with(.hidden(hidden)) }
    public func accessibilityElement(children: AccessibilityChildBehavior = .ignore) -> some View { with(.children(children)) }
    public func accessibilityFocused(_ focus: AccessibilityFocusState<Bool>.Binding) -> some View { with(.spokenFocus(focus)) }
    public func accessibilityRepresentation<Other: View>(@ViewBuilder representation: () -> Other) -> some View {
        let other = representation()
        // Tests tap what is shown, and read what is spoken.
        return Shown { spot in
            [
                Drawn(.with(.representation), [
                    Drawn(.with(.hidden(false)), other.drawn(spot.into("spoken"))), Drawn(.with(.hidden(true)), self.drawn(spot.into("shown"))),
                ])
            ]
        }
    }
}

public struct TextInputAutocapitalization: Sendable { public static let never = Self(), sentences = Self(), words = Self() }
public struct ScrollDismissesKeyboardMode: Sendable { public static let interactively = Self() }
public struct SensoryFeedback: Sendable { public static let success = SensoryFeedback(), error = SensoryFeedback() }

public protocol Gesture {}
public struct DragGesture: Gesture {
    public struct Value { public let location: CGPoint, translation: CGSize }
    public init(minimumDistance: CGFloat = 10) {}
    @MainActor public func onChanged(_ act: @escaping (Value) -> Void) -> DragGesture { self }
}
