import CompassInternal
import Foundation

/// The app's transport as the core calls it.
final class TransportPort: CompassInternal.Transport {
    private let transport: any Transport

    init(_ transport: any Transport) {
        self.transport = transport
    }

    func send(request: HttpRequest) throws -> HttpOutcome {
        let headers = request.headers.map { TransportHeader(name: $0.name, value: $0.value) }
        let outcome = transport.send(
            TransportRequest(
                id: request.id, url: request.url, headers: headers, body: request.body, timeout: .milliseconds(request.timeoutMs)))
        switch outcome {
        case .answered(let response):
            let headers = response.headers.map { HttpHeader(name: $0.name, value: $0.value) }
            return .answered(response: HttpResponse(status: response.status, headers: headers, body: response.body.prefix(4096)))
        case .failed(let failure):
            return .failed(failure: failure)
        }
    }

    func cancel(id: UInt64) throws { transport.cancel(id) }
    func renew() throws { transport.renew() }
}

/// The app's store of secrets as the core calls it.
final class SecretsPort: CompassInternal.Secrets {
    private let store: any SecretStore

    init(_ store: any SecretStore) {
        self.store = store
    }

    func get(name: String, origin: String) throws -> SecretLookup {
        do {
            return try store.get(named: name, origin: origin)
        } catch {
            // The message of an unknown error may quote a secret.
            return .unavailable
        }
    }

    func refused(name: String, origin: String) throws { try store.refused(named: name, origin: origin) }
}
