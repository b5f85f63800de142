// Only what the package uses of Foundation and Linux's does not have, as Apple declares it.
import Foundation

extension ProcessInfo {
    func performExpiringActivity(withReason reason: String, using block: @escaping @Sendable (Bool) -> Void) {}
}
