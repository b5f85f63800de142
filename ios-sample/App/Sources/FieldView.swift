import FieldSampleModels
import SwiftUI

/// A line of text, or several, with its label above.
struct LineInput: View {
    let id: TextId
    @Binding var text: String
    var multiline = false

    var body: some View {
        VStack(alignment: .leading) {
            Words(id)
            TextField("", text: $text, axis: multiline ? .vertical : .horizontal).textFieldStyle(.roundedBorder).minimumTarget()
                .accessibilityLabel(Words(id).label)
        }
    }
}

extension Words {
    /// For a screen reader.
    var label: Text { Text(verbatim: Phrases(locale: .current, zone: .current, messages: BundleMessages())(words)) }
}

/// One of several, with a sign that says whether it is chosen.
struct ChosenButton: View {
    let name: Phrase
    let chosen: Bool
    let act: () -> Void

    var body: some View {
        Button(action: act) {
            Label { Words(name) } icon: { Image(systemName: chosen ? "checkmark.circle.fill" : "circle") }
                .frame(maxWidth: .infinity, minHeight: Size.target)
        }
        .buttonStyle(.bordered)
        .accessibilityAddTraits(chosen ? .isSelected : [])
    }
}

/// A question with its input. What is done goes to the model as it happens.
struct FieldView: View {
    @Environment(\.phrases) private var phrases
    let item: FieldItem
    let act: (FieldAct) -> Void
    @FocusState private var focused: Bool

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Text(verbatim: item.name).font(.title3).bold()
            if item.required { Words(.labelRequired) }
            if let help = item.help { Text(verbatim: help) }
            input
            if item.holding == .empty || item.holding == .notApplicable { Words(item.holding == .empty ? .empty : .notApplicable) }
            if let problem = item.problem {
                Label { Words(problem).bold() } icon: { Image(systemName: "exclamationmark.triangle") }
            }
            if item.opensSettings { PhoneSettingsButton() }
            if let note = item.note { Words(note) }
            if item.canClear { BigButton(.buttonClear) { act(.clear) } }
            if item.canBeNotApplicable { BigButton(.notApplicable) { act(.notApplicable) } }
            if item.canBeEmpty { BigButton(.buttonEmpty) { act(.empty) } }
        }
        .onChange(of: item.problem) { _, problem in
            if let problem { AccessibilityNotification.Announcement(phrases(problem)).post() }
        }
    }

    @ViewBuilder private var input: some View {
        switch item.input {
        case .line(let text, let keyboard, let multiline):
            TextField("", text: Binding(get: { text }, set: { act(.typed($0)) }), axis: multiline ? .vertical : .horizontal)
                .textFieldStyle(.roundedBorder)
                .keyboardType(keyboard.type)
                .minimumTarget()
                .focused($focused)
                .onSubmit { act(.left) }
                .onChange(of: focused) { _, now in if !now { act(.left) } }
                .accessibilityLabel(Text(verbatim: item.name))
        case .yesNo(let yes):
            HStack {
                ChosenButton(name: .message(.yes, []), chosen: yes == true) { act(.yesNo(true)) }
                ChosenButton(name: .message(.no, []), chosen: yes == false) { act(.yesNo(false)) }
            }
        case .day(let day, _, _): picker(.date, day.flatMap { Calendars.date($0) }) { act(.day(Calendars.day($0))) }
        case .time(let time): picker(.hourAndMinute, time.flatMap { Calendars.date($0) }) { act(.time(Calendars.time($0))) }
        case .moment(let moment):
            picker([.date, .hourAndMinute], moment?.at) {
                act(.moment(OffsetMoment(at: $0, offsetSeconds: TimeZone.current.secondsFromGMT(for: $0))))
            }
        case .choice(let options, _):
            ForEach(options) { option in ChosenButton(name: .plain(option.name), chosen: option.chosen) { act(.option(option.key)) } }
        case .place(let place, let searching):
            if let place { Words(place) }
            if searching { Words(.locationSearching) }
            LocateButton(act: act).disabled(searching)
        case .file(let file, let signature, let types):
            if let file { Words(file) }
            if signature { SignButton(act: act) } else { AttachButtons(mediaTypes: types, act: act) }
        }
    }

    private func picker(_ parts: DatePickerComponents, _ chosen: Date?, _ choose: @escaping (Date) -> Void) -> some View {
        VStack(alignment: .leading) {
            if chosen == nil { Words(.notProvided) }
            DatePicker(item.name, selection: Binding(get: { chosen ?? Date() }, set: choose), displayedComponents: parts).minimumTarget()
        }
    }
}

extension Keyboard {
    fileprivate var type: UIKeyboardType {
        switch self {
        case .text, .barcode: .default
        case .number: .numberPad
        case .decimal: .decimalPad
        // The pads have no minus.
        case .signedNumber, .signedDecimal: .numbersAndPunctuation
        case .email: .emailAddress
        case .phone: .phonePad
        case .url: .URL
        }
    }
}

/// Between pickers, which know moments, and days and times, which have no zone.
enum Calendars {
    static func date(_ day: Day) -> Date? {
        Calendar.current.date(from: DateComponents(year: day.year, month: day.month, day: day.day, hour: 12))
    }

    static func date(_ time: TimeOfDay) -> Date? {
        Calendar.current.date(bySettingHour: time.hour, minute: time.minute, second: time.second, of: Date())
    }

    static func day(_ date: Date) -> Day {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = calendar.dateComponents([.year, .month, .day], from: date)
        return Day(year: parts.year ?? 2000, month: parts.month ?? 1, day: parts.day ?? 1)
    }

    static func time(_ date: Date) -> TimeOfDay {
        let parts = Calendar.current.dateComponents([.hour, .minute], from: date)
        return TimeOfDay(hour: parts.hour ?? 0, minute: parts.minute ?? 0)
    }
}
