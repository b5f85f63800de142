/// A reason to deliver and to keep connections open: the app is in the foreground, or a background job runs. When the last one is released,
/// the handle quiesces: nothing leaves before the next `resume`. It holds the database that the handle has open: also the next one after
/// `whileClosed`, until the handle is quiesced or closed. Dropping the object releases it too, on that thread; better call ``release()``.
///
/// ```swift
/// let hold = try await compass.resume()
/// _ = try await compass.flush(deadline: .seconds(20))
/// await hold.release()
/// ```
public final class Hold: Sendable {
    private let onRelease: Locked<(@Sendable () async -> Void)?>

    package init(release: @escaping @Sendable () async -> Void) {
        onRelease = Locked(release)
    }

    /// Releases it; releasing again does nothing. The last one takes up to two seconds.
    public func release() async {
        let release = onRelease.withLock { state in
            defer { state = nil }
            return state
        }
        await release?()
    }
}

extension CompassHandle {
    /// Holds the handle while `work` runs, and releases it even if `work` fails.
    ///
    /// ```swift
    /// let report = try await compass.held { try await compass.flush(deadline: .seconds(20)) }
    /// ```
    public func held<Value: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
    ) async throws -> Value {
        let hold = try await resume()
        let result: Result<Value, any Error>
        do { result = .success(try await work()) } catch { result = .failure(error) }
        await hold.release()
        return try result.get()
    }
}
