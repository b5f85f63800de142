// Only what the package uses of UIKit, as Apple declares it.
import Foundation

@MainActor open class UIDevice {
    open class var current: UIDevice { fatalError() }
    open var identifierForVendor: UUID? { nil }
}

@MainActor open class UIApplication {
    public enum State: Int, Sendable { case active, inactive, background }
    public static var shared: UIApplication { fatalError() }
    public var applicationState: State { .active }
    public struct LaunchOptionsKey: Hashable, Sendable {}
}
