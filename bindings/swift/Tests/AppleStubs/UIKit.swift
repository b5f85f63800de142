// Only what the package uses of UIKit, as Apple declares it.
@MainActor open class UIApplication {
    public enum State: Int, Sendable { case active, inactive, background }
    public static var shared: UIApplication { fatalError() }
    public var applicationState: State { .active }
    public struct LaunchOptionsKey: Hashable, Sendable {}
}
