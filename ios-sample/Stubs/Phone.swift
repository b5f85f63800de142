// What is for Apple alone in FieldSampleModels, as the app sees it: bindings/swift/check-apple.sh checks what lies beneath.
import FieldSampleModels
import Foundation

final class Phone: Sendable {
    struct Opened: Sendable {
        let gateway: CompassGateway
        let vault: MemoryStore
        let place: PlaceFile
    }
    static let shared = Phone()
    func opened() async throws -> Opened { throw CancellationError() }
    func registerBackgroundDelivery() {}
}

extension Data.WritingOptions {
    static var completeFileProtectionUntilFirstUserAuthentication: Data.WritingOptions { [] }
}
extension URL {
    func startAccessingSecurityScopedResource() -> Bool { false }
    func stopAccessingSecurityScopedResource() {}
}
