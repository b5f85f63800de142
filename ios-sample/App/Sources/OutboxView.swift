import CompassCore
import FieldSampleModels
import SwiftUI

/// What is saved and not delivered; what needs a person is on top.
struct OutboxView: View {
    @Bindable var model: OutboxModel

    var body: some View {
        Page(.message(.tabOutbox, []), notice: $model.notice) {
            Card {
                Heading(model.waiting)
                if let oldest = model.oldest { Words(oldest) }
                if let next = model.nextAttempt { Words(next) }
                if model.isEmpty { Badge(.labelOutboxEmpty, "checkmark.circle", .good) }
                if model.loading { Words(.labelLoading) }
            }
            .announcing(model.waiting)
            if let needs = model.needsPerson {
                Heading(needs)
                ForEach(model.persons) { card($0) }
            }
            if !model.lines.isEmpty {
                Heading(.headingWaiting)
                LazyVStack(alignment: .leading, spacing: 16) { ForEach(model.lines) { card($0) } }
            }
            if model.more { BigButton(.buttonMore, sign: "chevron.down") { model.showMore() } }
        } foot: {
            if model.canSendFailedAgain { BigButton(.buttonSendFailedAgain, sign: "arrow.clockwise") { model.sendFailedAgain() } }
            BigButton(.buttonSendNow, sign: "paperplane", isMain: true) { model.sendNow() }.disabled(!model.canSendNow || model.sending)
        }
    }

    private func card(_ row: OutboxRow) -> some View {
        Button { model.open(row.session) } label: {
            Words(.plain(row.name)).font(.title3).bold()
            Badge(row.reason.map { .message(.labelPair, [row.state.words, $0]) } ?? row.state.words, row.state.sign, row.state.tone)
            Words(.plain(row.workflowName))
            Words(.message(.labelTo, [.plain(row.endpoint)])).ink(\.quietInk)
            Words(.message(.labelSaved, [row.savedAt])).ink(\.quietInk)
            ForEach([row.detail, row.attempts, row.warning].compactMap { $0 }, id: \.self) { Words($0) }
        }
        .buttonStyle(CardStyle())
    }
}

extension ActionStatus {
    var sign: String {
        switch self {
        case .notFired: "pause.circle"
        case .pending: "arrow.up.circle"
        case .sent: "checkmark.circle"
        case .failed: "exclamationmark.triangle"
        }
    }

    var tone: Tone {
        switch self {
        case .notFired: .plain
        case .pending: .waiting
        case .sent: .good
        case .failed: .bad
        }
    }
}

struct OutboxPreviews: PreviewProvider {
    static var previews: some View { OutboxView(model: OutboxModel(.preview)) }
}
