//! How long the texts are that a simple pattern matches.

use std::iter::Peekable;
use std::str::Chars;

/// The fewest and the most characters of a text that a pattern matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) least: u64,
    /// None where there is no limit.
    pub(crate) most: Option<u64>,
}

impl Lengths {
    const NOTHING: Self = Self::exactly(0);

    const fn exactly(length: u64) -> Self {
        Self { least: length, most: Some(length) }
    }

    fn then(self, next: Self) -> Self {
        Self { least: self.least.saturating_add(next.least), most: self.most.zip(next.most).map(|(one, other)| one.saturating_add(other)) }
    }

    fn or(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.zip(other.most).map(|(one, other)| one.max(other)) }
    }

    fn times(self, least: u64, most: Option<u64>) -> Self {
        let most = if self.most == Some(0) { Some(0) } else { self.most.zip(most).map(|(length, times)| length.saturating_mul(times)) };
        Self { least: self.least.saturating_mul(least), most }
    }
}

/// The lengths of the texts that a pattern matches; none where the pattern is not simple: it changes flags, or uses a rare syntax. The
/// pattern must compile.
pub(crate) fn lengths(pattern: &str) -> Option<Lengths> {
    let mut rest = pattern.chars().peekable();
    let lengths = alternatives(&mut rest)?;
    rest.next().is_none().then_some(lengths)
}

type Rest<'a> = Peekable<Chars<'a>>;

fn alternatives(rest: &mut Rest) -> Option<Lengths> {
    let mut all = sequence(rest)?;
    while rest.next_if_eq(&'|').is_some() {
        all = all.or(sequence(rest)?);
    }
    Some(all)
}

fn sequence(rest: &mut Rest) -> Option<Lengths> {
    let mut all = Lengths::NOTHING;
    while let Some(next) = rest.next_if(|next| !matches!(next, '|' | ')')) {
        let mut one = match next {
            '(' => group(rest)?,
            '[' => class(rest)?,
            '\\' => escape(rest)?,
            '^' | '$' => Lengths::NOTHING,
            _ => Lengths::exactly(1),
        };
        while let Some((least, most)) = repetition(rest)? {
            one = one.times(least, most);
        }
        all = all.then(one);
    }
    Some(all)
}

/// After the parenthesis. A group may have a name; flags are not simple.
fn group(rest: &mut Rest) -> Option<Lengths> {
    if rest.next_if_eq(&'?').is_some() {
        match rest.next()? {
            ':' => {}
            'P' => {
                rest.next_if_eq(&'<')?;
                rest.find(|next| *next == '>')?;
            }
            '<' => _ = rest.find(|next| *next == '>')?,
            _ => return None,
        }
    }
    let inside = alternatives(rest)?;
    rest.next_if_eq(&')')?;
    Some(inside)
}

/// After the bracket: any one character.
fn class(rest: &mut Rest) -> Option<Lengths> {
    rest.next_if_eq(&'^');
    // A bracket at the beginning is a literal one.
    rest.next_if_eq(&']');
    loop {
        match rest.next()? {
            ']' => return Some(Lengths::exactly(1)),
            '\\' => _ = rest.next()?,
            '[' if rest.next_if_eq(&':').is_some() => {
                rest.find(|next| *next == ':')?;
                rest.next_if_eq(&']')?;
            }
            _ => {}
        }
    }
}

/// After the backslash.
fn escape(rest: &mut Rest) -> Option<Lengths> {
    let digits = match rest.next()? {
        'A' | 'z' | 'B' => return Some(Lengths::NOTHING),
        // `\b{start}` is rare.
        'b' => return (rest.peek() != Some(&'{')).then_some(Lengths::NOTHING),
        '<' | '>' => return None,
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0 && rest.next_if_eq(&'{').is_some() {
        rest.find(|next| *next == '}')?;
    } else {
        for _ in 0..digits {
            rest.next()?;
        }
    }
    Some(Lengths::exactly(1))
}

/// How often the part before is repeated; `Some(None)` where it is not.
#[expect(clippy::option_option, reason = "none where it is not simple, `Some(None)` where it is not repeated")]
fn repetition(rest: &mut Rest) -> Option<Option<(u64, Option<u64>)>> {
    let times = match rest.peek() {
        Some('*') => (0, None),
        Some('+') => (1, None),
        Some('?') => (0, Some(1)),
        Some('{') => {
            rest.next();
            let mut inside = String::new();
            loop {
                match rest.next()? {
                    '}' => break,
                    next => inside.push(next),
                }
            }
            let number = |text: &str| text.trim().parse::<u64>().ok();
            let times = match inside.split_once(',') {
                None => (number(&inside)?, Some(number(&inside)?)),
                Some((least, most)) if most.trim().is_empty() => (number(least)?, None),
                Some((least, most)) => (number(least)?, Some(number(most)?)),
            };
            rest.next_if_eq(&'?');
            return Some(Some(times));
        }
        _ => return Some(None),
    };
    rest.next();
    rest.next_if_eq(&'?');
    Some(Some(times))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pattern::whole_match;

    #[test]
    fn lengths_are_those_of_the_texts_that_match() {
        for (pattern, least, most) in [
            ("[0-9]{8}", 8, Some(8)),
            ("a|bcd|", 0, Some(3)),
            ("a^b", 2, Some(2)),
            (r"GB-\d{3}(/[A-Z])?", 6, Some(8)),
            ("(ab){2,3}c*", 4, None),
            ("(?:a|b)+?", 1, None),
            (r"(?P<y>\d{4})-(?<w>W\d{2,})", 8, None),
            (r"[]a\]]{2}[^]]", 3, Some(3)),
            ("[[:alpha:]x]", 1, Some(1)),
            (r"\x41\u{42}\u0043\.\\\b", 5, Some(5)),
            ("^(a{0,50}){0,50}b?$", 0, Some(2_501)),
            ("()*", 0, Some(0)),
            ("é😀", 2, Some(2)),
            ("a{2}{3}", 6, Some(6)),
        ] {
            whole_match(pattern).unwrap_or_else(|error| panic!("{pattern}: {error:?}"));
            assert_eq!(lengths(pattern), Some(Lengths { least, most }), "{pattern}");
        }
        for not_simple in ["(?x)a b", "(?i)a", "(?i:a)b", r"\b{start}a"] {
            assert_eq!(lengths(not_simple), None, "{not_simple}");
        }
    }
}
