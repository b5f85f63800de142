// What is for Apple alone in FieldSampleModels, as the app sees it; ios-sample/check-apple.sh checks the real one.
import FieldSampleModels
import Foundation

final class Phone: Sendable {
    struct Parts: Sendable {
        let gateway: CompassGateway
        let vault: MemoryStore
        let place: PlaceFile
        let exports: URL
    }
    static let shared = Phone()
    func parts() async throws -> Parts { throw CancellationError() }
    func open() async throws { throw CancellationError() }
    func registerBackgroundDelivery() {}
}
