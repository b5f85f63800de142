import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Sends requests with the platform's `URLSession`: its proxies, its certificate authorities, its VPN. Keeps no cookies and no cache.
///
/// ```swift
/// options.transport = URLSessionTransport()
/// ```
public final class URLSessionTransport: Transport {
    // The head decides. The body is awaited only this long, so that the connection can be used again.
    private static let timeForBody = Duration.seconds(2)

    private struct State {
        var session: URLSession?
        var attempts: [UInt64: Attempt] = [:]
    }

    private let state = Locked(State())
    private let delegate = AttemptDelegate()

    /// Connects when there is something to send.
    public init() {}

    deinit { end() }

    public func send(_ request: TransportRequest) -> TransportOutcome {
        guard let url = URL(string: request.url) else {
            return .failed(TransportFailure(kind: .other, phase: .resolve, requestSent: .no, detail: "the URL cannot be used"))
        }
        var http = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: request.timeout.seconds)
        http.httpMethod = "POST"
        http.httpShouldHandleCookies = false
        for header in request.headers { http.addValue(header.value, forHTTPHeaderField: header.name) }
        // From memory, so that its length is known and stated.
        http.httpBody = request.body

        let attempt = Attempt()
        let task = task(for: http)
        attempt.task.withLock { $0 = task }
        delegate.begin(attempt, for: task)
        state.withLock { $0.attempts[request.id] = attempt }
        defer {
            delegate.end(task)
            _ = state.withLock { $0.attempts.removeValue(forKey: request.id) }
        }
        task.resume()
        let outcome = attempt.wait(request.timeout, forBody: Self.timeForBody)
        task.cancel()
        return outcome
    }

    public func cancel(_ id: UInt64) {
        state.withLock { $0.attempts[id] }?.cancel()
    }

    /// Later requests go over new connections; running ones go on, and their session ends with the last of them.
    public func renew() { end() }

    private func end() {
        let session = state.withLock { state in
            defer { state.session = nil }
            return state.session
        }
        guard let session else { return }
        session.finishTasksAndInvalidate()
        #if canImport(FoundationNetworking)
        // Linux's library ends the process when a session is freed while it keeps a connection, so there it is never freed.
        _ = Unmanaged.passRetained(session)
        #endif
    }

    // Made under the lock: a session that `renew` has ended can make no task.
    private func task(for request: URLRequest) -> URLSessionTask {
        state.withLock { state in
            if let session = state.session { return session.dataTask(with: request) }
            let configuration = URLSessionConfiguration.ephemeral
            configuration.urlCache = nil
            configuration.httpCookieStorage = nil
            configuration.httpShouldSetCookies = false
            configuration.httpMaximumConnectionsPerHost = 8
            let session = URLSession(configuration: configuration, delegate: delegate, delegateQueue: nil)
            state.session = session
            return session.dataTask(with: request)
        }
    }
}

extension Duration {
    fileprivate var seconds: TimeInterval { Double(wholeMilliseconds) / 1000 }
}
