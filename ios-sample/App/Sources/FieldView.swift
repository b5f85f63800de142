import CompassCore
import FieldSampleModels
import SwiftUI

/// A question with its input. What is done goes to the model as it happens.
struct FieldView: View {
    let item: FieldItem
    let act: (FieldAct) -> Void

    var body: some View {
        Card {
            HStack(alignment: .firstTextBaseline) {
                Words(.plain(item.name)).font(.headline).accessibilityAddTraits(.isHeader).frame(maxWidth: .infinity, alignment: .leading)
                if case .provided = item.state { Sign("checkmark").ink(\.good) }
            }
            if item.required { Words(.labelRequired).ink(\.quietInk) }
            if let help = item.help { Words(.plain(help)).ink(\.quietInk) }
            FieldControl(item: item, act: act)
            if item.state == .empty { Badge(.empty, "slash.circle") }
            if item.state == .notApplicable { Badge(.notApplicable, "minus.circle") }
            if let problem = item.problem { Badge(problem, "exclamationmark.triangle", .bad) }
            if item.opensSettings { PhoneSettingsButton(about: item.name) }
            if let note = item.note { Words(note).ink(\.quietInk) }
            if item.canClear || item.canBeNotApplicable || item.canBeEmpty {
                Beside {
                    if item.canClear { BigButton(.buttonClear, about: item.name) { act(.clear) } }
                    if item.canBeNotApplicable { BigButton(.notApplicable, about: item.name) { act(.notApplicable) } }
                    if item.canBeEmpty { BigButton(.buttonEmpty, about: item.name) { act(.empty) } }
                }
            }
        }
        .announcing(item.problem)
    }
}

/// The input of each type.
private struct FieldControl: View {
    let item: FieldItem
    let act: (FieldAct) -> Void

    var body: some View {
        switch item.input {
        case .line(let text, let keyboard, let multiline):
            if keyboard == .barcode { Words(.labelScan).ink(\.quietInk) }
            LineBox(
                text: Binding(get: { text }, set: { act(.typed($0)) }), label: .plain(item.name), keyboard: keyboard, multiline: multiline
            ) { act(.left) }
        case .yesNo(let yes):
            Beside {
                ChosenButton(name: .message(.yes, []), about: item.name, chosen: yes == true) { act(.yesNo(true)) }
                ChosenButton(name: .message(.no, []), about: item.name, chosen: yes == false) { act(.yesNo(false)) }
            }
        case .day(let day, _, _):
            TimeInput(name: item.name, shown: day.map { .day($0) }, chosen: day.flatMap { Calendars.date($0) }, parts: .date) {
                if let day = LocalDate($0, in: .current) { act(.day(day)) }
            }
        case .time(let time):
            TimeInput(name: item.name, shown: time.map { .time($0) }, chosen: time.flatMap { Calendars.date($0) }, parts: .hourAndMinute) {
                if let time = Calendars.time($0) { act(.time(time)) }
            }
        case .moment(let moment):
            TimeInput(name: item.name, shown: moment.map { .offsetMoment($0) }, chosen: moment?.instant, parts: [.date, .hourAndMinute]) {
                if let moment = OffsetDateTime($0, in: .current) { act(.moment(moment)) }
            }
        case .choice(let options, _):
            ForEach(options) { option in
                ChosenButton(name: .plain(option.name), about: item.name, chosen: option.chosen) { act(.option(option.key)) }
            }
        case .place(let place, let searching):
            if let place { Words(place).bold() }
            if searching { Badge(.locationSearching, "hourglass") }
            LocateButton(about: item.name, act: act).disabled(searching)
        case .file(let file, let signature, let types):
            if let file { Words(file).bold() }
            if signature { SignButton(about: item.name, act: act) } else { AttachButtons(mediaTypes: types, about: item.name, act: act) }
        }
    }
}

/// A day, a time, or both: "now", or what a sheet with the phone's own wheels says. Nothing is chosen until it is.
private struct TimeInput: View {
    @Environment(\.phrases) private var phrases
    let name: String
    let shown: Phrase?
    let chosen: Date?
    let parts: DatePickerComponents
    let choose: (Date) -> Void
    @State private var choosing = false
    @State private var wheel = Date()

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Words(shown ?? .message(.notProvided, [])).bold()
            Beside {
                BigButton(.buttonChoose, sign: "calendar", about: name) {
                    wheel = chosen ?? Date()
                    choosing = true
                }
                BigButton(parts == .date ? .buttonToday : .buttonNow, sign: "clock", about: name) { choose(Date()) }
            }
        }
        .sheet(isPresented: $choosing) {
            Page(.plain(name)) {
                DatePicker(name, selection: $wheel, displayedComponents: parts).datePickerStyle(.wheel).labelsHidden()
            } foot: {
                BigButton(.buttonUse, sign: "checkmark", isMain: true) {
                    choose(wheel)
                    choosing = false
                }
                BigButton(.buttonCancel) { choosing = false }
            }
        }
    }
}

/// Between pickers, which know moments, and days and times, which have no zone. Days are those of the Gregorian calendar, also where
/// the phone shows another.
enum Calendars {
    private static var gregorian: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        return calendar
    }

    static func date(_ day: LocalDate) -> Date? {
        gregorian.date(from: DateComponents(year: day.year, month: day.month, day: day.day, hour: 12))
    }

    static func date(_ time: LocalTime) -> Date? {
        gregorian.date(bySettingHour: time.hour, minute: time.minute, second: time.second, of: Date())
    }

    /// To the minute: a wheel shows no seconds.
    static func time(_ date: Date) -> LocalTime? { LocalTime(date, in: .current).flatMap { LocalTime(hour: $0.hour, minute: $0.minute) } }
}
