// What is for Apple alone in FieldSampleModels, as the app sees it; ios-sample/check-apple.sh checks the real one.
import CompassCore
import FieldSampleModels
import Foundation

@MainActor
final class Phone {
    struct Places: Sendable {
        let place: PlaceFile
        let exports: URL
    }
    static let shared = Phone()
    let compass: any CompassHandle = Compass.lazy { throw CancellationError() }
    let network = PhoneNetwork()
    let database = CompassDatabase(Compass.lazy { throw CancellationError() }, PhoneNetwork()) { throw CancellationError() }
    let vault = MemoryStore()
    func places() throws -> Places { throw CancellationError() }
    func registerBackgroundDelivery() {}
}
