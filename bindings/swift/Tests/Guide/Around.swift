// The parts of an app that the examples of docs/embedding-ios.md name.
import CompassCore
import Foundation

struct Login: Sendable {
    func token() throws -> String { "" }
    func renew() throws {}
}

let url = "https://office.example/hooks"

@MainActor func show(_ error: CompassError) async throws {}
@MainActor func confirms(abandon messages: UInt64) async throws -> Bool { true }
@MainActor func confirms(loss lost: UInt64) async throws -> Bool { true }
