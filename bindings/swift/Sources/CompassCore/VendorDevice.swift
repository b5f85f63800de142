package import Foundation
#if canImport(UIKit)
import UIKit
#endif

/// The device as the system names it for the apps of this vendor. Only the main thread may ask the system, and it may be blocked until a
/// database is open; so it is asked early, and nobody waits for long.
package final class VendorDevice: Sendable {
    /// Of this process.
    static let shared = VendorDevice { fromSystem() }

    private let ask: @Sendable () -> String?
    private let name = Locked<String?>(nil)

    /// - Parameter ask: Asks the system, on the main thread. Nil before the first unlock.
    package init(asking ask: @escaping @Sendable () -> String?) {
        self.ask = ask
    }

    /// Asks at once on the main thread, and as soon as it is free on any other. Does not wait.
    package func look() {
        if name.withLock({ $0 != nil }) { return }
        if Thread.isMainThread { return found(ask()) }
        DispatchQueue.main.async { [self] in found(ask()) }
    }

    /// The name, if it is known or can be found soon. A database that is opened without it has the name of the device from another opening.
    package func found(within limit: DispatchTimeInterval = .seconds(1)) -> String? {
        if let known = name.withLock({ $0 }) { return known }
        if Thread.isMainThread {
            found(ask())
        } else {
            let asked = DispatchSemaphore(value: 0)
            DispatchQueue.main.async { [self] in
                found(ask())
                asked.signal()
            }
            _ = asked.wait(timeout: .now() + limit)
        }
        return name.withLock { $0 }
    }

    private func found(_ answer: String?) {
        guard let answer else { return }
        name.withLock { $0 = answer }
    }

    private static func fromSystem() -> String? {
        #if canImport(UIKit) && !os(watchOS)
        return MainActor.assumeIsolated { UIDevice.current.identifierForVendor?.uuidString }
        #else
        return nil
        #endif
    }
}
