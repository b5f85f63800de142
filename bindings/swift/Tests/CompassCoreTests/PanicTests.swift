import CompassCore
import CompassCoreTesting
import CompassFFI
import Foundation
import XCTest

final class PanicTests: XCTestCase {
    func testAPanicOfTheCoreIsAStatusAndTheProcessGoesOn() async throws {
        var status = RustCallStatus()
        // A buffer with a length but without content: the core refuses it with a panic.
        let impossible = RustBuffer(capacity: 8, len: 0, data: nil)
        _ = uniffi_compass_ffi_fn_func_remove_action(impossible, impossible, impossible, &status)
        // The generated code throws it as `rustPanic`.
        XCTAssertEqual(status.code, 2)
        var freed = RustCallStatus()
        ffi_compass_ffi_rustbuffer_free(status.errorBuf, &freed)
        let compass = try await Compass.ready()
        _ = try await compass.completed()
        let check = try await compass.check()
        XCTAssertEqual(check.faults, [])
        try await compass.close()
    }

    func testWhatIsNotAnErrorOfTheCoreIsInternalAndQuotesNothing() {
        struct Panic: Error, CustomStringConvertible { let description = "called on 42 Mill Lane" }
        let error = CompassError.from(Panic()) as? CompassError
        XCTAssertEqual(error?.code, .internal)
        XCTAssertFalse("\(error!)".contains("Mill"))
    }
}
