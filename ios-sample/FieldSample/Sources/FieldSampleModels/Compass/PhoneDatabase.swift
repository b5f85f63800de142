import CompassCore
import Foundation

/// What can be done to the database whether or not it opens.
public protocol PhoneDatabase: Sendable {
    /// Puts a backup in the place of the database, all of it. Refused with `undelivered` where messages would be lost, unless a person
    /// gives them up.
    func restore(_ copy: URL, discarding: DiscardUndelivered?) async throws
    /// Removes the database; an empty one takes its place. Refused as `restore` is.
    func erase(discarding: DiscardUndelivered?) async throws
    /// Writes what can still be read of the database to a file that is not there yet, unsent messages first. The database stays as it is.
    func salvage(to file: URL) async throws -> SalvageReport
}

/// The database under the app's lazy handle, which goes on with what is there then.
public struct CompassDatabase: PhoneDatabase {
    private let compass: Compass
    private let network: PhoneNetwork
    private let file: @Sendable () throws -> URL

    public init(_ compass: Compass, _ network: PhoneNetwork, file: @escaping @Sendable () throws -> URL) {
        (self.compass, self.network, self.file) = (compass, network, file)
    }

    public func restore(_ copy: URL, discarding: DiscardUndelivered?) async throws {
        try await replace { try await Compass.restore(from: copy, options: RestoreOptions(file: $0, discardUndelivered: discarding)) }
    }

    public func erase(discarding: DiscardUndelivered?) async throws {
        try await replace { try await Compass.erase($0, discardUndelivered: discarding) }
    }

    public func salvage(to file: URL) async throws -> SalvageReport { try await Compass.salvage(try self.file(), to: file) }

    private func replace(_ work: @escaping @Sendable (URL) async throws -> Void) async throws {
        // Also after a refusal there is another core under the handle, which knows nothing of the network yet.
        do {
            try await compass.whileClosed(work)
        } catch {
            try? await network.tell(compass)
            throw error
        }
        try await network.tell(compass)
    }
}
