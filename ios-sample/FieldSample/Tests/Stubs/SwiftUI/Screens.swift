// Screens: what lies on what, and the app around them.

/// What leads from a value to a screen.
@MainActor final class Destinations { var screen: ((Any, Spot) -> [Drawn]?)? }

public struct NavigationStack: Leaf {
    private let path: () -> [Any], pop: () -> Void, root: @MainActor (Spot) -> [Drawn]
    public init<Step, Content: View>(path: Binding<[Step]>, @ViewBuilder root: () -> Content) {
        (self.path, pop, self.root) = ({ path.wrappedValue }, { path.wrappedValue.removeLast() }, drawing(root()))
    }
    /// The screen on top; those beneath it stay alive.
    public func drawn(_ spot: Spot) -> [Drawn] {
        var spot = spot.into("stack")
        let destinations = Destinations()
        spot.destinations = destinations
        var top = root(spot.into("root"))
        let pop = pop
        spot.values.dismiss = DismissAction { pop() }
        for (place, step) in path().enumerated() {
            guard let screen = destinations.screen?(step, spot.into("\(place) \(step)")) else { fatalError("no screen for \(step)") }
            top = screen
        }
        return [Drawn(.navigation, top)]
    }
}

public enum ToolbarPlacement: Sendable { case navigationBar }
public enum Visibility: Sendable { case hidden, visible }

extension View {
    public func navigationDestination<Value: Hashable, Content: View>(
        for type: Value.Type, @ViewBuilder destination: @escaping (Value) -> Content
    ) -> some View {
        Shown { spot in
            spot.destinations?.screen = { value, spot in (value as? Value).map { destination($0).drawn(spot) } }
            return self.drawn(spot)
        }
    }
    public func toolbar(_ visibility: Visibility, for bar: ToolbarPlacement) -> some View { with(.other("toolbar")) }

    public func sheet<Content: View>(isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> Content) -> some View {
        over(.sheet, isPresented, content)
    }
    public func fullScreenCover<Content: View>(isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> Content) -> some View {
        over(.cover, isPresented, content)
    }
    private func over<Content: View>(_ kind: Drawn.Kind, _ shown: Binding<Bool>, _ content: @escaping () -> Content) -> Shown {
        Shown { spot in
            let below = self.drawn(spot.into("below"))
            var above = spot.into("above")
            // A style of buttons does not go up, and what is off below is not off above.
            above.style = nil
            above.values.isEnabled = true
            above.values.dismiss = DismissAction { shown.wrappedValue = false }
            return below + (shown.wrappedValue ? [Drawn(kind, content().drawn(above))] : [])
        }
    }
    public func fileImporter(
        isPresented: Binding<Bool>, allowedContentTypes: [UTType], onCompletion: @escaping (Result<URL, any Error>) -> Void
    ) -> some View { isPresented.wrappedValue ? with(.importer { onCompletion($0) }) : with(.other("importer")) }
}

@MainActor @preconcurrency public protocol App {
    associatedtype Content: Scene
    @MainActor @preconcurrency var body: Content { get }
    init()
}
extension App { public static func main() {} }
@MainActor @preconcurrency public protocol Scene {}
public struct WindowGroup: Scene { public init<Content: View>(@ViewBuilder content: () -> Content) {} }
@propertyWrapper public struct UIApplicationDelegateAdaptor<Delegate: UIApplicationDelegate> {
    public init(_ type: Delegate.Type) {}
    public var wrappedValue: Delegate { fatalError() }
}
@MainActor @preconcurrency public protocol UIViewControllerRepresentable: Leaf {
    associatedtype Controller
    associatedtype Coordinator
    typealias Context = Representing<Coordinator>
    func makeUIViewController(context: Context) -> Controller
    func updateUIViewController(_ controller: Controller, context: Context)
    func makeCoordinator() -> Coordinator
}
extension UIViewControllerRepresentable {
    public func drawn(_ spot: Spot) -> [Drawn] { [Drawn(.foreign(String(describing: Self.self)))] }
}
public struct Representing<Coordinator> { public var coordinator: Coordinator { fatalError() } }
