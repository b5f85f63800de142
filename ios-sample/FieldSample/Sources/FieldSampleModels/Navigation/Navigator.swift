import Observation

/// Where the technician is: a root, and the screens above it. Models move it, the app shows it, and every move is kept at once.
///
/// ```swift
/// let navigator = Navigator(PlaceFile(file))   // where the process was when it died
/// NavigationStack(path: $navigator.path)
/// ```
@MainActor @Observable
public final class Navigator {
    public private(set) var root = Screen.workflows { didSet { if root != oldValue { moved() } } }
    /// What lies above the root, the shown one last. A `NavigationStack` may shorten it.
    public var path: [Screen] = [] { didSet { if path != oldValue { moved() } } }
    /// Called after each move.
    @ObservationIgnored var onMove: @MainActor () -> Void = {}
    private let places: (any PlaceStore)?

    /// Begins where the store says; at the beginning when there is none, or what it says cannot be read.
    public init(_ places: (any PlaceStore)? = nil) {
        self.places = places
        let screens = (places?.load() ?? "").split(separator: " ").map { Screen(saved: $0) }
        guard let first = screens.first, let root = first, root.isRoot else { return }
        guard !screens.dropFirst().contains(where: { $0 == nil || $0!.isRoot }) else { return }
        self.root = root
        path = screens.dropFirst().compactMap { $0 }
    }

    /// All of it, the root first.
    var screens: [Screen] { [root] + path }

    private func moved() {
        places?.save(saved)
        onMove()
    }

    /// What is shown.
    public var top: Screen { path.last ?? root }

    /// One line of text.
    public var saved: String { screens.map(\.saved).joined(separator: " ") }

    /// Opens a screen above this one; a root is opened at its beginning, and one that is open already is gone back to.
    public func open(_ screen: Screen) {
        if screen.isRoot {
            path = []
            root = screen
        } else if let place = path.firstIndex(of: screen) {
            path.removeSubrange((place + 1)...)
        } else {
            path.append(screen)
        }
    }

    /// Opens a screen right above the root: there is no way back to what lay between, for instance to a session that is over.
    public func openOnRoot(_ screen: Screen) {
        path = []
        open(screen)
    }

    /// One back: to the screen below, or from another root to the first.
    public func back() {
        if path.isEmpty { root = .workflows } else { path.removeLast() }
    }
}
