package import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// One request in flight: what is known of it, and the thread of the core that waits for it.
final class Attempt: Sendable {
    struct Known {
        var head: HTTPURLResponse?
        var body = Data()
        var sent = false
        var cancelled = false
        var ended = false
        var error: (any Error)?
        /// How far the connection came, by the system's measurements, if there are any.
        var phase: Phase?
    }

    let task = Locked<URLSessionTask?>(nil)
    private let known = Locked(Known())
    private let news = DispatchSemaphore(value: 0)

    func learn(_ change: (inout Known) -> Void) {
        known.withLock { change(&$0) }
        news.signal()
    }

    func cancel() {
        learn { $0.cancelled = true }
        task.withLock { $0 }?.cancel()
    }

    /// Blocks until there is an outcome.
    func wait(_ timeout: Duration, forBody bodyTimeout: Duration) -> TransportOutcome {
        var deadline = DispatchTime.now() + .milliseconds(Int(clamping: timeout.wholeMilliseconds))
        var headSeen = false
        while true {
            let inTime = news.wait(timeout: deadline) == .success
            let known = known.withLock { $0 }
            if let head = known.head {
                if known.ended || known.cancelled || known.body.count >= 4096 || !inTime { return .answered(known.response(head)) }
                if !headSeen {
                    headSeen = true
                    deadline = min(deadline, .now() + .milliseconds(Int(clamping: bodyTimeout.wholeMilliseconds)))
                }
            } else if known.ended || known.cancelled {
                return .failed(known.failure(known.error))
            } else if !inTime {
                return .failed(known.failure(URLError(.timedOut)))
            }
        }
    }
}

extension Attempt.Known {
    func response(_ head: HTTPURLResponse) -> TransportResponse {
        let headers = head.allHeaderFields.compactMap { name, value in
            (name as? String).flatMap { name in (value as? String).map { TransportHeader(name: name.lowercased(), value: $0) } }
        }
        return TransportResponse(status: UInt16(clamping: head.statusCode), headers: headers, body: body.prefix(4096))
    }

    /// The meaning of an error. Where the error does not decide, the message may have been delivered.
    func failure(_ error: (any Error)?) -> TransportFailure {
        let code = (error as? URLError)?.code
        var (kind, place) = cancelled ? (FailureKind.cancelled, nil) : FailureKind.meaning(of: code)
        if sent, place == .connect || place == .resolve {
            // Swift's own library for Linux reports many errors after the request as a failure to connect.
            (kind, place) = (.closed, .receive)
        }
        #if canImport(FoundationNetworking)
        // It reports a sent body before it reports the end, so a body that was not reported was not sent.
        let unreported: Phase = ended ? .connect : .send
        #else
        let unreported = Phase.send
        #endif
        let reached = place ?? phase ?? (sent ? .receive : unreported)
        let nothingLeft = !sent && (reached == .resolve || reached == .connect)
        // Only the code, which is a number: the texts of the error contain the URL.
        let detail = "URLError \(code.map { String($0.rawValue) } ?? "unknown")"
        return TransportFailure(kind: kind, phase: reached, requestSent: nothingLeft ? .no : .maybe, detail: detail)
    }
}

extension FailureKind {
    /// The kind of failure, and the phase if the code decides it. A cancellation that was not requested (a session that ended, a challenge
    /// that was refused) is a failure like others: as `cancelled`, the message would be tried again at once, for ever.
    package static func meaning(of code: URLError.Code?) -> (FailureKind, Phase?) {
        switch code {
        case .notConnectedToInternet?, .internationalRoamingOff?, .callIsActive?, .dataNotAllowed?: (.noNetwork, .connect)
        case .cannotFindHost?, .dnsLookupFailed?: (.dns, .resolve)
        case .cannotConnectToHost?: (.refused, .connect)
        case .timedOut?: (.timeout, nil)
        case .networkConnectionLost?: (.closed, nil)
        case .secureConnectionFailed?, .clientCertificateRejected?, .clientCertificateRequired?: (.tls, .connect)
        case .serverCertificateHasBadDate?, .serverCertificateNotYetValid?: (.certificate(timeInvalid: true), .connect)
        case .serverCertificateUntrusted?, .serverCertificateHasUnknownRoot?: (.certificate(timeInvalid: false), .connect)
        case .badServerResponse?, .cannotParseResponse?, .cannotDecodeRawData?, .cannotDecodeContentData?: (.protocol, .receive)
        case .badURL?, .unsupportedURL?, .appTransportSecurityRequiresSecureConnection?: (.other, .connect)
        default: (.other, nil)
        }
    }
}

/// Gets the session's calls on its queue and passes them to the attempt.
final class AttemptDelegate: NSObject, URLSessionDataDelegate, Sendable {
    private let attempts = Locked<[ObjectIdentifier: Attempt]>([:])

    func begin(_ attempt: Attempt, for task: URLSessionTask) {
        attempts.withLock { $0[ObjectIdentifier(task)] = attempt }
    }

    func end(_ task: URLSessionTask) {
        _ = attempts.withLock { $0.removeValue(forKey: ObjectIdentifier(task)) }
    }

    private func attempt(_ task: URLSessionTask) -> Attempt? {
        attempts.withLock { $0[ObjectIdentifier(task)] }
    }

    // A redirect is an answer: it is never followed.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        attempt(task)?.learn { $0.head = response }
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64, totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        attempt(task)?.learn { $0.sent = true }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        attempt(dataTask)?.learn { $0.head = response as? HTTPURLResponse }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        attempt(dataTask)?.learn { known in
            // Of a large answer only the part that is kept is read.
            if known.body.count < 4096 { known.body.append(data.prefix(4096)) }
        }
    }

    #if canImport(Darwin)
    func urlSession(_ session: URLSession, task: URLSessionTask, didFinishCollecting metrics: URLSessionTaskMetrics) {
        guard let last = metrics.transactionMetrics.last else { return }
        attempt(task)?.learn { known in
            if last.requestStartDate != nil {
                known.sent = true
                known.phase = last.requestEndDate == nil ? .send : .receive
            } else if last.connectStartDate != nil {
                known.phase = .connect
            } else if last.domainLookupStartDate != nil {
                known.phase = .resolve
            }
        }
    }
    #endif

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        attempt(task)?.learn { known in
            known.ended = true
            known.error = error
        }
    }
}
