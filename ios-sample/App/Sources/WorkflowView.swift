import CompassCore
import FieldSampleModels
import SwiftUI

/// The outline of a workflow. A message is added to a section with three taps: "add", the endpoint, "add".
struct WorkflowView: View {
    @Environment(\.dismiss) private var dismiss
    @Bindable var model: WorkflowModel

    var body: some View {
        Page(
            model.outline.map { .plain($0.name) } ?? .message(.labelLoading, []), notice: $model.notice, back: WayBack { dismiss() },
            hasFoot: model.outline != nil
        ) {
            if let outline = model.outline {
                Card {
                    Words(.message(.labelVersion, [.plain(model.version)])).ink(\.quietInk)
                    if let about = outline.description { Words(.plain(about)) }
                    if !model.startable { Badge(.labelIncomplete, "exclamationmark.triangle", .waiting) }
                    ForEach(model.findings, id: \.self) { Words($0) }
                }
                ForEach(outline.sections, id: \.key) { section in
                    Card { SectionOutline(section: section, isStart: section.key == outline.start, model: model) }
                }
            }
        } foot: {
            BigButton(.buttonStart, sign: "play.fill", isMain: true) { model.start() }.disabled(!model.startable)
        }
        .panel(model.adding, close: { model.adding = nil }) { AddPanel(sheet: $0, model: model) }
        .panel(model.removing, close: { model.removing = nil }) { question in
            Page(question.words) {
                EmptyView()
            } foot: {
                BigButton(.buttonRemove, sign: "trash", isMain: true, isDestructive: true) { model.remove() }.disabled(model.saving)
                BigButton(.buttonCancel) { model.removing = nil }
            }
        }
    }
}

private struct SectionOutline: View {
    let section: WorkflowSection
    let isStart: Bool
    let model: WorkflowModel

    var body: some View {
        Heading(.plain(section.name))
        if isStart { Badge(.labelStartSection, "play") }
        if section.answers.isEmpty { Badge(section.win ? .labelWin : .labelEndSection, section.win ? "star.fill" : "stop", section.win ? .good : .plain) }
        if !section.fields.isEmpty { Words(.headingFields).bold() }
        ForEach(model.fields(of: section), id: \.key) { field in
            Words(field.required ? .message(.labelPair, [.plain(field.name), .message(.labelRequired, [])]) : .plain(field.name))
        }
        ForEach(section.answers, id: \.self) { answer in
            Pair(
                name: .plain(answer.name),
                value: model.target(of: answer).map { .message(.labelLeadsTo, [.plain($0)]) } ?? .message(.labelUnlinked, []))
        }
        if !section.actions.isEmpty { Words(.headingActions).bold() }
        ForEach(section.actions, id: \.key) { action in
            Pair(name: .plain(action.name), value: .message(.labelTo, [.plain(action.endpoint)]))
            BigButton(.buttonRemove, sign: "trash", about: action.name, isDestructive: true) { model.openRemove(action.key, from: section.key) }
        }
        BigButton(.buttonAddAction, sign: "plus", about: section.name) { model.openAdd(section.key) }
    }
}

private struct AddPanel: View {
    let sheet: AddSheet
    let model: WorkflowModel

    var body: some View {
        Page(.message(.buttonAddAction, []), notice: Binding(get: { model.notice }, set: { model.notice = $0 })) {
            Heading(.plain(sheet.sectionName))
            ForEach(sheet.endpoints, id: \.self) { endpoint in
                ChosenButton(name: .plain(endpoint), chosen: sheet.chosen == endpoint) { model.adding?.chosen = endpoint }
            }
            if sheet.endpoints.isEmpty {
                Words(.labelNoEndpoints)
                BigButton(.tabSettings, sign: "gearshape") { model.openSettings() }
            }
            LineInput(id: .labelName, text: Binding(get: { sheet.name }, set: { model.adding?.name = $0 }))
        } foot: {
            BigButton(.buttonAdd, sign: "plus", isMain: true) { model.add() }.disabled(!sheet.canAdd || model.saving)
            BigButton(.buttonCancel) { model.adding = nil }
        }
    }
}

struct WorkflowPreviews: PreviewProvider {
    static var previews: some View { WorkflowView(model: WorkflowModel("boiler-service", .preview)) }
}
