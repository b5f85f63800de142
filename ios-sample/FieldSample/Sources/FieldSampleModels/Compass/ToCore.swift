import CompassCore
import Foundation

// From the app's words to the core's.

extension SessionQuery {
    func core() -> SessionFilter {
        var filter = SessionFilter.all
        filter.states = phases.map {
            switch $0 {
            case .inProgress: .inProgress
            case .completed: .completed
            case .ended: .ended
            case .discarded: .discarded
            }
        }
        filter.won = won
        filter.actionStatus = action.map {
            switch $0 {
            case .notFired: .notFired
            case .pending: .pending
            case .sent: .sent
            case .failed: .failed
            }
        }
        filter.text = text
        return filter
    }
}

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
