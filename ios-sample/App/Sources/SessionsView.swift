import CompassCore
import FieldSampleModels
import SwiftUI

/// All sessions, newest first; searched and filtered.
struct SessionsView: View {
    @Bindable var model: SessionsModel
    @State private var choosing = false

    var body: some View {
        Page(.message(.tabSessions, [])) {
            LineInput(id: .labelSearch, text: $model.text, keyboard: .text)
            BigButton(.message(.buttonFilter, [model.filter.words]), sign: "line.3.horizontal.decrease.circle") { choosing = true }
            if let failure = model.failure { Badge(failure, "exclamationmark.triangle", .bad) }
            if model.loading { Words(.labelLoading) }
            if !model.loading, model.sessions.isEmpty { Words(.labelNoSessions) }
            LazyVStack(alignment: .leading, spacing: 16) {
                ForEach(model.sessions) { row in
                    Button { model.open(row.session) } label: { SessionCard(row: row) }.buttonStyle(CardStyle())
                }
            }
            if model.more { BigButton(.buttonMore, sign: "chevron.down") { model.showMore() } }
        }
        .announcing(model.failure)
        .sheet(isPresented: $choosing) {
            Page(.message(.headingFilter, [])) {
                ForEach(SessionsFilter.allCases, id: \.self) { filter in
                    ChosenButton(name: filter.words, chosen: model.filter == filter) {
                        model.filter = filter
                        choosing = false
                    }
                }
            } foot: {
                BigButton(.buttonCancel) { choosing = false }
            }
        }
    }
}

private struct SessionCard: View {
    let row: SessionRow

    var body: some View {
        Words(.plain(row.workflowName)).font(.title3).bold()
        Words(.plain(row.sectionName))
        Badge(row.status, row.won ? "star.fill" : row.inProgress ? "play" : "checkmark", row.won ? .good : .plain)
        Words(.message(.labelStarted, [row.startedAt])).ink(\.quietInk)
        if let actor = row.actor { Words(.message(.labelBy, [.plain(actor)])).ink(\.quietInk) }
        if row.waiting > 0 { Badge(.count(.outboxWaiting, row.waiting), ActionStatus.pending.sign, .waiting) }
        if row.failed > 0 { Badge(.message(.labelFailed, [.number("\(row.failed)")]), ActionStatus.failed.sign, .bad) }
        if row.sent > 0 { Badge(.message(.labelSent, [.number("\(row.sent)")]), ActionStatus.sent.sign, .good) }
        if row.changed { Badge(.labelChanged, "square.and.pencil", .waiting) }
    }
}

struct SessionsPreviews: PreviewProvider {
    static var previews: some View { SessionsView(model: SessionsModel(.preview)) }
}
