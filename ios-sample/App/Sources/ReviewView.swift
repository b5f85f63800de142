import FieldSampleModels
import SwiftUI

/// Before a session is completed: what is missing, what will be sent and to whom, and what was answered. Nothing has to be confirmed.
struct ReviewView: View {
    @Environment(\.dismiss) private var dismiss
    @Bindable var model: ReviewModel

    var body: some View {
        Page(.message(.titleReview, []), notice: $model.notice, back: WayBack { dismiss() }, hasFoot: !model.loading) {
            if model.loading { Words(.labelLoading) }
            Badge(.savedOnPhone, "checkmark.circle", .good)
            Card {
                Words(.plain(model.workflowName)).ink(\.quietInk)
                Heading(.plain(model.sectionName))
                if model.win { Badge(.labelWin, "star.fill", .good) }
            }
            if !model.missing.isEmpty {
                Heading(.headingMissing)
                ForEach(model.missing) { missing in
                    Button { model.open(missing) } label: {
                        Words(.plain(missing.name)).bold()
                        Badge(missing.problem, "exclamationmark.triangle", .bad)
                    }
                    .buttonStyle(CardStyle())
                }
            }
            Heading(.headingWillBeSent)
            Card {
                if let willSend = model.willSend { Words(willSend).bold() } else { Words(.labelNothingToSend) }
                if model.integrationOff { Badge(.labelIntegrationOff, "exclamationmark.triangle", .waiting) }
                ForEach(model.messages, id: \.key) { Pair(name: .plain($0.name), value: .message(.labelTo, [.plain($0.endpoint)])) }
            }
            FieldsCard(fields: model.fields)
        } foot: {
            BigButton(.buttonComplete, sign: "checkmark", isMain: true) { model.complete() }.disabled(!model.canComplete || model.completing)
        }
    }
}

/// Fields with what they hold.
struct FieldsCard: View {
    let fields: [FieldLine]

    var body: some View {
        if !fields.isEmpty {
            Heading(.headingFields)
            Card { ForEach(fields) { Pair(name: .plain($0.name), value: $0.value) } }
        }
    }
}

struct ReviewPreviews: PreviewProvider {
    static var previews: some View { ReviewView(model: ReviewModel("s1", .preview)) }
}
