/// The names of Apple's symbols that the app uses. A phone shows nothing for a name that it does not know, and nothing here would notice: a new
/// one is looked up first.
let knownSigns = Set("""
    arrow.clockwise arrow.forward arrow.up.circle arrow.uturn.backward calendar camera checkmark checkmark.circle checkmark.circle.fill
    checkmark.square.fill chevron.backward chevron.down chevron.forward circle clock doc doc.text ellipsis exclamationmark.triangle
    externaldrive eye gearshape hourglass keyboard.chevron.compact.down line.3.horizontal.decrease.circle list.bullet.rectangle location
    minus.circle note.text paperplane pause.circle pencil play play.fill plus signature slash.circle square square.and.arrow.down
    square.and.arrow.up square.and.pencil star.fill stop text.bubble trash tray.and.arrow.up wifi.slash xmark
    """.split(whereSeparator: \.isWhitespace).map(String.init))
