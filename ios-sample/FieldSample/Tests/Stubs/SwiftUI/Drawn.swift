/// A node of the tree that stands for a picture.
@MainActor public final class Drawn {
    public enum Kind {
        /// A view of the app, by the name of its type; and a screen of ours in a system's view.
        case view(String), foreign(String)
        case words(String), symbol(String)
        case button(@MainActor () -> Void), line(Binding<String>, prompt: String, secure: Bool), toggle(String, Binding<Bool>)
        case day(String, Binding<Date>), share(URL), progress(Double)
        case colour(Color), space
        /// One after the other; over each other; one of them; what moves under a finger; what comes over the screen.
        case column, row, layers, fits, scroll, navigation, sheet, cover
        case with(Modifier)
    }

    public enum Modifier {
        case font(Font), bold, ink(Color), ground(Color), border, size(DynamicTypeSize), lineLimit(Int)
        case frame(minWidth: CGFloat?, minHeight: CGFloat?, maxWidth: CGFloat?), fixedFrame(CGFloat, CGFloat), shape, padding
        case off(Bool), style(String), keyboard(UIKeyboardType), submit(@MainActor () -> Void), focus(FocusState<Bool>.Binding), tint(Color)
        case label(String), traits(AccessibilityTraits), hidden(Bool), children(AccessibilityChildBehavior), representation
        case spokenFocus(AccessibilityFocusState<Bool>.Binding), gesture(String), tap(@MainActor () -> Void)
        case importer(@MainActor (Result<URL, any Error>) -> Void)
        case still(Bool)
        /// What nobody asks for.
        case other(String)
    }

    public let kind: Kind
    public let children: [Drawn]
    /// What it inherits.
    public internal(set) var size = DynamicTypeSize.large

    init(_ kind: Kind, _ children: [Drawn] = []) { (self.kind, self.children) = (kind, children) }

    /// This node and all within it, from top to bottom.
    public var all: [Drawn] { [self] + children.flatMap(\.all) }
}

/// Draws a view, again and again: it keeps what its views remember between one time and the next.
@MainActor public final class Sketch {
    private let view: @MainActor (Spot) -> [Drawn]
    private let values: EnvironmentValues
    private var cells: [String: AnyObject] = [:]
    private var watched: [String: Any] = [:]
    private var here: [String: @MainActor () -> Void] = [:]
    private var seen: Set<String> = []
    private var later: [@MainActor () -> Void] = []

    public init<Content: View>(_ view: Content, _ values: EnvironmentValues = EnvironmentValues()) {
        (self.view, self.values) = (drawing(view), values)
    }

    /// The tree as it is once nothing changes by itself any more. Appearing, disappearing and changes are told to the views.
    public func draw() -> Drawn {
        for _ in 0..<50 {
            (seen, later) = ([], [])
            let drawn = Drawn(.layers, view(Spot(sketch: self, path: "", values: values)))
            for (path, gone) in here where !seen.contains(path) {
                here[path] = nil
                later.append(gone)
            }
            cells = cells.filter { seen.contains($0.key) }
            watched = watched.filter { seen.contains($0.key) }
            if later.isEmpty { return drawn }
            for act in later { act() }
        }
        fatalError("a view that changes for ever")
    }

    /// Gives a view what it remembers and inherits.
    func install(_ view: Any, _ spot: Spot) {
        for child in Mirror(reflecting: view).children {
            if let part = child.value as? any Installed { part.install(spot, child.label ?? "") }
        }
    }

    func cell(_ path: String, or new: AnyObject) -> AnyObject {
        seen.insert(path)
        if let old = cells[path] { return old }
        cells[path] = new
        return new
    }

    func appears(_ path: String, _ come: @escaping @MainActor () -> Void, gone: @escaping @MainActor () -> Void) {
        seen.insert(path)
        if here[path] == nil { later.append(come) }
        here[path] = gone
    }

    func watch<Value: Equatable>(_ path: String, _ value: Value, _ changed: @escaping @MainActor (Value, Value) -> Void) {
        seen.insert(path)
        if let old = watched[path] as? Value, old != value { later.append { changed(old, value) } }
        watched[path] = value
    }
}
