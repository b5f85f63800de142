import Observation

/// Opens the app's one handle, and the screens above it.
///
/// Before the first unlock of the phone nothing can be read. It is tried again by itself when the phone says that it can be, and by a tap.
@MainActor @Observable
public final class OpeningModel {
    /// The app, once it is open.
    public private(set) var screens: OpenScreens?
    /// Why it is not.
    public private(set) var failure: Phrase?

    private let open: @MainActor () async throws -> Workplace
    private var opening = false

    public init(_ open: @escaping @MainActor () async throws -> Workplace) { self.open = open }

    /// What could not be read before can be read now. What nobody has asked to be opened stays closed.
    public func retryIfItFailed() async {
        if failure != nil { await retry() }
    }

    /// Tries, unless it is open or under way.
    public func retry() async {
        if screens != nil || opening { return }
        opening = true
        defer { opening = false }
        do {
            screens = OpenScreens(try await open())
            failure = nil
        } catch let refused as GatewayFailure {
            failure = refused.words
        } catch {
            failure = .text(.failureOther, .plain("internal"))
        }
    }
}
