import Foundation
import XCTest

@testable import FieldSampleModels

final class ThemeTests: XCTestCase {
    private let themes: [(String, Theme)] = [
        ("light", .light), ("dark", .dark), ("high contrast", .strongLight), ("high contrast, dark", .strongDark),
    ]

    func testTextCanBeReadOnWhateverLiesBehindIt() {
        for (name, theme) in themes {
            let least = theme.isStrong ? 7.0 : 4.5
            var pairs = [("on a filled button", theme.onAccent, theme.accent)]
            for (place, ground) in [("page", theme.page), ("card", theme.card), ("what is chosen", theme.tint)] {
                pairs += [("ink on \(place)", theme.ink, ground), ("quiet ink on \(place)", theme.quietInk, ground)]
                pairs += [("accent on \(place)", theme.accent, ground), ("bad on \(place)", theme.bad, ground)]
            }
            for tone in Tone.allCases { pairs.append(("\(tone)", theme.ink(tone), theme.ground(tone))) }
            for (pair, ink, ground) in pairs {
                XCTAssertGreaterThanOrEqual(contrast(ink, ground), least, "\(name): \(pair), \(ink) on \(ground)")
            }
        }
        XCTAssertGreaterThanOrEqual(contrast(Theme.pen, Theme.paper), 7)
    }

    func testBordersOfWhatCanBeTappedAreSeen() {
        for (name, theme) in themes {
            for ground in [theme.page, theme.card] {
                XCTAssertGreaterThanOrEqual(contrast(theme.line, ground), 3, "\(name): \(theme.line) on \(ground)")
            }
        }
    }

    func testTheThemeFollowsThePhoneAndTheSetting() {
        XCTAssertEqual(Theme.of(dark: false, strong: false), .light)
        XCTAssertEqual(Theme.of(dark: true, strong: false), .dark)
        XCTAssertEqual(Theme.of(dark: false, strong: true), .strongLight)
        XCTAssertEqual(Theme.of(dark: true, strong: true), .strongDark)
        XCTAssertGreaterThan(Theme.strongLight.lineWidth, Theme.light.lineWidth)
    }

    func testContrastIsReckonedAsWCAGHasIt() {
        XCTAssertEqual(contrast(Shade(0x000000), Shade(0xFFFFFF)), 21, accuracy: 0.001)
        XCTAssertEqual(contrast(Shade(0x777777), Shade(0xFFFFFF)), 4.478, accuracy: 0.001)
        XCTAssertEqual("\(Shade(0x0A5C46))", "#0A5C46")
    }
}
