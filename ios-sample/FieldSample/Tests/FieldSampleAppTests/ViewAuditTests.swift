import SwiftUI
import XCTest

@testable import FieldSampleApp
@testable import FieldSampleModels

/// That the audit finds what it is for: one view for each fault.
@MainActor
final class ViewAuditTests: XCTestCase {
    private func faults(_ view: some View, _ theme: Theme = .light, text: DynamicTypeSize = .xLarge, known: Set<String> = []) -> [String] {
        let page = VStack { view }.foregroundStyle(Color(theme.ink)).background(Color(theme.page)).environment(\.theme, theme)
        let drawn = Sketch(page, EnvironmentValues(.light, text: text)).draw()
        return ViewAudit(theme) { known.isEmpty || known.contains($0) ? nil : "is not known" }.faults(of: drawn)
    }

    private func assert(_ found: [String], _ expected: String, file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertTrue(found.contains { $0.hasSuffix(expected) }, "\(found)", file: file, line: line)
    }

    func testWhatIsWellIsNoFault() async {
        let well = VStack {
            Text(verbatim: "Words")
            BigButton(.buttonSave) {}
            PageFoot { BigButton(.buttonSave, isMain: true) {} }
            Badge(.labelWin, "star.fill", .good)
            Switch(.labelContrast, isOn: true) { _ in }
            LineInput(id: .labelName, text: .constant(""))
        }
        for theme in [Theme.light, .dark, .strongLight, .strongDark] { XCTAssertEqual(faults(well, theme), []) }
    }

    /// A button whose label is so large.
    private func button(width: CGFloat = .infinity, height: CGFloat, whole: Bool = true) -> some View {
        Button {} label: {
            let label = Text(verbatim: "Go").frame(minWidth: width == .infinity ? 0 : width, maxWidth: width, minHeight: height)
            if whole { label.contentShape(Rectangle()) } else { label }
        }
    }

    private var line: TextField { TextField("", text: .constant(""), axis: .horizontal) }

    func testASmallTarget() async {
        assert(faults(button(height: 44)), "target of inf by 44.0 points")
        assert(faults(button(width: 40, height: 56)), "target of 40.0 by 56.0 points")
        // A frame around a button makes it no larger.
        assert(faults(Button {} label: { Text(verbatim: "Go") }.frame(maxWidth: .infinity, minHeight: 56)), "target of 0.0 by 0.0 points")
        assert(faults(line.spoken(.plain("Name"))), "target of 0.0 by 0.0 points")
        assert(faults(ShareLink(item: URL(fileURLWithPath: "/file")) { Text(verbatim: "Share") }), "target of 0.0 by 0.0 points")
        assert(faults(Toggle("On", isOn: .constant(true))), "is a switch of the system's, which is too small")
        assert(faults(PageFoot { button(height: 56).buttonStyle(Bare.MainStyle()) }), "target of inf by 56.0 points")
    }

    func testATargetThatIsOnlyWhereItsWordsAre() async {
        assert(faults(button(height: 56, whole: false)), "target only where its words are")
        assert(faults(line.frame(maxWidth: .infinity, minHeight: 56)), "target only where its words are")
    }

    func testAMainActionOutsideTheFoot() async {
        assert(faults(BigButton(.buttonSave, isMain: true) {}), "is a main action outside the foot")
        let filled = Button {} label: {
            Text(verbatim: "Go").frame(maxWidth: .infinity, minHeight: 64).background(Color(Theme.light.accent)).contentShape(Rectangle())
        }
        assert(faults(filled), "is a main action outside the foot")
    }

    func testWhatAScreenReaderHasNoWordsFor() async {
        let sign = Button {} label: { Image(systemName: "xmark").frame(minWidth: 56, minHeight: 56).contentShape(Rectangle()) }
        assert(faults(sign), "is a sign without words")
        assert(faults(Button {} label: { Sign("xmark").frame(minWidth: 56, minHeight: 56).contentShape(Rectangle()) }), "is a button without words")
        XCTAssertFalse(faults(sign.spoken(.message(.buttonCancel, []))).contains { $0.hasSuffix("without words") })
        assert(faults(line), "is an input without a label")
    }

    func testSmallTextAndTextThatDoesNotGrow() async {
        assert(faults(Text(verbatim: "Words").font(.footnote)), "is text of 15 points")
        assert(faults(Text(verbatim: "Words"), text: .large), "is text of 17 points")
        assert(faults(Text(verbatim: "Words").font(.system(size: 20))), "is text of a fixed size")
        assert(faults(Text(verbatim: "Words").lineLimit(1)), "cuts words after some lines")
        assert(faults(Text(verbatim: "Words").frame(width: 100, height: 20)), "is words in a frame that does not grow")
    }

    func testARowThatDoesNotStack() async {
        let two = HStack {
            Text(verbatim: "One")
            Text(verbatim: "Two")
        }
        assert(faults(two, text: .accessibility2), "is a row that does not stack when text is very large")
        XCTAssertEqual(faults(two), [])
        let beside = Beside {
            Text(verbatim: "One")
            Text(verbatim: "Two")
        }
        XCTAssertEqual(faults(beside, text: .accessibility2), [])
    }

    func testAColourThatIsNotOfTheTheme() async {
        assert(faults(Text(verbatim: "Words").foregroundStyle(.gray)), "has a colour that is not of the theme")
        assert(faults(Text(verbatim: "Words").background(Color(Shade(0x123456)))), "has a colour that is not of the theme")
        assert(faults(Text(verbatim: "Words").background(Color(Theme.light.accent).opacity(0.5))), "has a colour that is not of the theme")
        assert(faults(Text(verbatim: "Words").foregroundStyle(Color(Theme.light.ink)), .dark), "has a colour that is not of the theme")
        assert(faults(Text(verbatim: "Words").overlay { Rectangle().strokeBorder(.red) }), "has a colour that is not of the theme")
        assert(faults(Button {} label: { Text(verbatim: "Go") }), "looks as the system likes")
    }

    func testWordsThatCannotBeRead() async {
        assert(faults(Text(verbatim: "Words").foregroundStyle(Color(Theme.light.line))), "has a contrast of 3.2")
        // Enough in light, and not in high contrast.
        let pale = Theme(
            page: Shade(0xFFFFFF), card: Shade(0), ink: Shade(0x707070), quietInk: Shade(0), line: Shade(0), accent: Shade(0), onAccent: Shade(0),
            tint: Shade(0), good: Shade(0), goodGround: Shade(0), waiting: Shade(0), waitingGround: Shade(0), bad: Shade(0),
            badGround: Shade(0), isStrong: true)
        assert(faults(Text(verbatim: "Words"), pale), "has a contrast of 5.0")
    }

    func testABadgeWithoutSignOrWords() async {
        assert(faults(Bare.Badge(sign: nil, words: "Sent")), "is a Badge without a sign")
        assert(faults(Bare.Badge(sign: "checkmark", words: "")), "is a Badge without words")
    }

    func testWhatHasNoBorderInHighContrast() async {
        assert(faults(Bare.Badge(sign: "checkmark", words: "Sent"), .strongDark), "has no border in high contrast")
        XCTAssertEqual(faults(Bare.Badge(sign: "checkmark", words: "Sent"), .dark), [])
        XCTAssertEqual(faults(Card { Text(verbatim: "Words") }, .strongDark), [])
    }

    func testAGestureThatHasNoButton() async {
        assert(faults(Text(verbatim: "Words").gesture(DragGesture())), "is a gesture (DragGesture) that has no other way")
        assert(faults(Text(verbatim: "Words").onLongPressGesture {}), "is a gesture (long press) that has no other way")
        assert(faults(Text(verbatim: "Words").onTapGesture {}), "is tapped without being a button")
    }

    func testASignThatDoesNotTurnFromRightToLeftOrDoesNotExist() async {
        assert(faults(Sign("chevron.right")), "points the same way from right to left")
        assert(faults(Sign("chekmark")), "is a sign that nobody has looked up")
    }

    func testWordsThatAreNotInTheCatalog() async {
        for view in [
            AnyShown(Text(verbatim: "Hello")), AnyShown(Text(verbatim: "Words").accessibilityLabel(Text(verbatim: "Hello"))),
            AnyShown(TextField("Hello", text: .constant(""), axis: .horizontal)), AnyShown(Toggle("Hello", isOn: .constant(true))),
            AnyShown(DatePicker("Hello", selection: .constant(Date()), displayedComponents: .date)),
        ] {
            assert(faults(view, known: ["Words"]), "“Hello” is not known")
        }
        let known = KnownWords(.atWork)
        XCTAssertNil(known.wrong("⟦label_pair ⟦action_sent⟧ 1⟧"))
        XCTAssertNil(known.wrong("Boiler service"))
        XCTAssertNil(known.wrong("2027/01/15 8:00"))
        XCTAssertNotNil(known.wrong("Sent: ⟦action_sent⟧"))
        XCTAssertEqual(try phrases()(.message(.labelWin, [])), "Win")
    }

    func testAScreenWithoutAHeadingOrWithoutTheStrip() async {
        let drawn = Sketch(Text(verbatim: "Words")).draw()
        let found = ViewAudit(.light).faults(ofScreen: drawn)
        assert(found, "there is no status strip")
        assert(found, "a screen has no heading")
    }

    func testTwoButtonsThatSayTheSame() async {
        let three = VStack {
            BigButton(.buttonClear) {}
            BigButton(.buttonClear, about: "Pressure") {}
            BigButton(.buttonClear) {}
        }
        let drawn = Sketch(three).draw()
        assert(ViewAudit(.light).faults(ofScreen: drawn), "2 buttons say “button_clear”")
    }
}

/// As the app calls its own, and badly made.
private enum Bare {
    struct Badge: View {
        let sign: String?
        let words: String

        var body: some View {
            HStack {
                if let sign { Sign(sign) }
                Text(verbatim: words)
            }
        }
    }

    struct MainStyle: ButtonStyle {
        func makeBody(configuration: Configuration) -> some View { configuration.label.contentShape(Rectangle()) }
    }
}

private struct AnyShown: View {
    let body: Shown

    init(_ view: some View) { body = view.asShown }
}
