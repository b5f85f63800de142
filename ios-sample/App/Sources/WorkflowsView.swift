import FieldSampleModels
import SwiftUI

/// What to go on with, and the workflows; incomplete ones say what is wrong with them.
struct WorkflowsView: View {
    @Bindable var model: WorkflowsModel

    var body: some View {
        Page(.message(.tabWorkflows, []), notice: $model.notice, hasFoot: model.resume != nil) {
            if let resume = model.resume {
                Card {
                    Heading(.headingResume)
                    Words(.plain(resume.workflowName)).font(.title3).bold()
                    Words(.plain(resume.sectionName))
                    Words(.message(.labelStarted, [resume.startedAt])).ink(\.quietInk)
                    if let more = model.moreInProgress { BigButton(more, sign: "clock") { model.openMore() } }
                }
            }
            if model.loading { Words(.labelLoading) }
            if !model.loading, model.workflows.isEmpty { Words(.labelNoWorkflows) }
            ForEach(model.workflows) { workflow in
                Card {
                    Heading(.plain(workflow.name))
                    Words(.message(.labelVersion, [.plain(workflow.version)])).ink(\.quietInk)
                    if let about = workflow.about { Words(.plain(about)) }
                    if let mark = workflow.mark { Badge(mark, "exclamationmark.triangle", .waiting) }
                    ForEach(workflow.findings, id: \.self) { Words($0) }
                    Beside {
                        BigButton(.buttonStart, sign: "play", about: workflow.name) { model.start(workflow.key) }
                            .disabled(!workflow.startable || model.starting != nil)
                        BigButton(.buttonOpen, about: workflow.name) { model.open(workflow.key) }
                    }
                }
            }
        } foot: {
            if let resume = model.resume {
                BigButton(.buttonContinue, sign: "play.fill", about: resume.workflowName, isMain: true) { model.goOn() }
            }
        }
    }
}

struct WorkflowsPreviews: PreviewProvider {
    static var previews: some View { WorkflowsView(model: WorkflowsModel(.preview)) }
}
