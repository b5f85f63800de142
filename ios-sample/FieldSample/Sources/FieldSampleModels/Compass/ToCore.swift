import CompassCore
import Foundation

// From the app's words to the core's.

extension EndpointLine {
    func core(headers: [EndpointHeader]) -> Endpoint {
        Endpoint(
            key: key, url: url, signing: secret.map { .standardWebhooks(secret: $0) } ?? .none, headers: headers,
            network: wifiOnly ? .unmetered : .any)
    }
}

extension Discard {
    func core() -> DiscardUndelivered { DiscardUndelivered(actor: actor, reason: reason) }
}
