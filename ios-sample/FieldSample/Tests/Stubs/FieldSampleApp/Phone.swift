// What is for Apple alone in FieldSampleModels, as the app sees it; ios-sample/check-apple.sh checks the real one.
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
