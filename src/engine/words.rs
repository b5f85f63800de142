//! Search: the plain form of a text, and the query of a person.
//!
//! Both get the same plain form: small letters, without accents and vowel points, `ß` as `ss`; characters that are not a letter, digit or sign
//! of a script separate words. A plain text is its words, each after two blanks. So each piece of three characters is one of:
//!
//! - two blanks and a character: a beginning of one character,
//! - a blank and two characters: a beginning of two,
//! - three characters: a part of a word. A longer part is all the pieces in it, in their order.
//!
//! In a script without spaces between words, each character begins a word: it is added again with the next character, as a word.

use super::letters;
use crate::sorted::sort;

/// The most words of a query; further ones are ignored.
const MAX_TERMS: usize = 16;
/// The most pieces of a long part that are looked up; the rest is compared.
const MAX_PIECES: usize = 6;
const PIECE: usize = 3;

/// The plain form of a text, by which it is found.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + text.len() / 4);
    for word in words(text) {
        plain.push_str("  ");
        plain.extend(&word);
        for at in 1..word.len() {
            if is_without_spaces(word[at]) || is_without_spaces(word[at - 1]) {
                plain.push_str("  ");
                plain.extend(&word[at..word.len().min(at + PIECE - 1)]);
            }
        }
    }
    plain
}

/// The query of a person: every part has to be in the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    parts: Vec<String>,
    pieces: Vec<String>,
}

impl Query {
    /// The query of a typed text. None where there is no word in it.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let mut query = Self { parts: Vec::new(), pieces: Vec::new() };
        for word in words(text).take(MAX_TERMS) {
            let is_part = word.len() >= PIECE;
            let padded: Vec<char> = if is_part { word } else { [' ', ' '].into_iter().chain(word).collect() };
            query.parts.push(if is_part { padded.iter().collect() } else { padded[1..].iter().collect() });
            let last = padded.len() - PIECE;
            let starts = if is_part { (0..last).step_by(PIECE).take(MAX_PIECES - 1).chain([last]).collect() } else { vec![last] };
            query.pieces.extend(starts.into_iter().map(|start| padded[start..start + PIECE].iter().collect::<String>()));
        }
        sort(&mut query.pieces, PartialOrd::lt);
        query.pieces.dedup();
        if query.parts.is_empty() { None } else { Some(query) }
    }

    /// Pieces of three characters that every matching text has ([`matches`](Self::matches)); other texts may have them, too.
    pub(crate) fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Whether a [`plain`] text matches.
    pub(crate) fn matches(&self, plain: &str) -> bool {
        self.parts.iter().all(|part| plain.contains(part))
    }
}

/// The words of a text, made plain.
fn words(text: &str) -> impl Iterator<Item = Vec<char>> {
    let mut rest = text.chars();
    std::iter::from_fn(move || {
        let mut word = Vec::new();
        for c in rest.by_ref() {
            if is_skipped(c) {
                continue;
            }
            if is_of_word(c) {
                push(&mut word, c);
            } else if !word.is_empty() {
                return Some(word);
            }
        }
        if word.is_empty() { None } else { Some(word) }
    })
}

fn push(word: &mut Vec<char>, c: char) {
    // East Asian wide forms of ASCII.
    let c = if matches!(c, '\u{ff01}'..='\u{ff5e}') { char::from_u32(c as u32 - 0xfee0).unwrap_or(c) } else { c };
    for small in c.to_lowercase().filter(|small| !is_skipped(*small)) {
        match letters::plain(small) {
            Some(plain) => word.extend(plain.chars()),
            None => word.push(small),
        }
    }
}

/// Accents, vowel points, and invisible characters.
fn is_skipped(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}'                                                                       // accents
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}'   // Hebrew points
        | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'                                             // Arabic ones, and lengthening
        | '\u{ad}' | '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn is_of_word(c: char) -> bool {
    // Signs of the scripts from India to Cambodia are parts of words, but not letters.
    c.is_alphanumeric() || matches!(c, '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{17d3}') && !matches!(c, '\u{964}' | '\u{965}' | '\u{e3f}')
}

/// Of a script with no spaces between words, or few, like Korean.
fn is_without_spaces(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(asked: &str, text: &str) -> bool {
        let plain = plain(text);
        let Some(query) = Query::of(asked) else { return false };
        let matches = query.matches(&plain);
        let chars: Vec<char> = plain.chars().collect();
        let indexed = |piece: &String| chars.windows(PIECE).any(|window| window.iter().copied().eq(piece.chars()));
        assert!(!matches || query.pieces().iter().all(indexed), "{asked} in {text}: found by comparing, and not by the index");
        matches
    }

    #[test]
    fn words_are_found_by_their_beginnings_and_by_parts_of_three_characters() {
        for asked in ["w", "wä", "war", "pum", "mpe", "pumpe", "WÄRMEPUMPE", "warmepumpe 4", "471199", "471", "119", "9 47"] {
            assert!(finds(asked, "Wärmepumpe, 471199: 98"), "{asked}");
        }
        for asked in ["p", "pe", "mpex", "xpumpe", "471 47119x", "19", "8"] {
            assert!(!finds(asked, "Wärmepumpe, 471199: 98"), "{asked}");
        }
    }

    #[test]
    fn case_accents_points_and_sharp_s_make_no_difference() {
        for (one, other) in [
            ("محمد", "مُحَمَّد"),
            ("שלום", "שָׁלוֹם"),
            ("strasse", "Straße"),
            ("STRASSE", "Straße"),
            ("Żółta", "zolta"),
            ("Z\u{307}o\u{301}łta", "Żółta"),
            ("İstanbul", "istanbul"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ёлка", "ЕЛКА"),
            ("й", "и\u{306}"),
            ("أحمد", "احمد"),
            ("ÅNGSTRÖM", "A\u{30a}ngstro\u{308}m"),
            ("ﬁlter", "Filter"),
            ("ＡＢ１２", "ab12"),
            ("Việt", "VIET"),
            ("nut\u{ad}zen", "nutzen"),
            ("می\u{200c}خواهم", "میخواهم"),
        ] {
            assert!(finds(one, other) && finds(other, one), "{one} {other}");
        }
        assert!(finds("ספר", "בית\u{5be}ספר") && finds("ספ", "בית\u{5be}ספר"), "a hyphen separates words");
    }

    #[test]
    fn any_two_characters_are_found_where_words_are_not_separated() {
        for (asked, text) in [
            ("新宿", "東京都新宿区西新宿2-8-1"),
            ("都新", "東京都新宿区"),
            ("区", "東京都新宿区"),
            ("京都新宿", "東京都新宿区"),
            ("宿2", "新宿2-8-1"),
            ("ปั๊ม", "ตรวจสอบปั๊มน้ำ"),
            ("น้ำ", "ตรวจสอบปั๊มน้ำ"),
            ("水泵", "换水泵了"),
            ("ポンプ", "温水ポンプ交換"),
            ("온수", "가스온수기"),
            ("pump", "ポンプPump新"),
            ("pu", "ポンプPump新"),
        ] {
            assert!(finds(asked, text), "{asked} in {text}");
        }
        for (asked, text) in [("宿東", "東京都新宿区"), ("新区", "東京都新宿区"), ("um", "ポンプPump新")] {
            assert!(!finds(asked, text), "{asked} in {text}");
        }
        assert!(finds("पानी", "गर्म पानी।") && finds("गर्", "गर्म पानी।"));
    }

    #[test]
    fn a_text_of_only_signs_is_not_a_query() {
        for asked in ["", " ", "#", "°", "😀", "\"", "- ;", "\u{301}", "\u{64b}", "฿", "।", "\0", "\u{200d}"] {
            assert_eq!(Query::of(asked), None, "{asked:?}");
        }
    }

    #[test]
    fn a_paste_asks_for_no_more_than_sixteen_words() {
        let paste = "word ".repeat(15) + "last beyond " + &"other ".repeat(50_000);
        assert!(finds(&paste, "last word") && !finds(&paste, "word"));
        assert!(Query::of(&"a".repeat(50_000)).is_some_and(|query| query.pieces() == ["aaa"]));
        let long: String = ('a'..='z').collect::<String>().repeat(100);
        assert_eq!(Query::of(&long).map(|query| query.pieces().len()), Some(MAX_PIECES));
        assert!(finds(&long, &long) && !finds(&long, &long[1..]));
    }

    #[test]
    fn a_plain_text_stays_the_same() {
        for text in ["Wärmepumpe Straße 4", "مُحَمَّد שָׁלוֹם", "Ǆ İ ﬃ Ｓ"] {
            let once = plain(text);
            assert_eq!(plain(&once), once);
        }
    }
}
