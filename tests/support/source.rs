//! Reads Rust source just well enough to see what it uses: comments and literals are blanked, paths are resolved, tests are told apart.
//!
//! A scanner and no parser: paths made by a macro, or written through an alias of a module, are not seen.

#![allow(unreachable_pub, missing_docs)]

use std::fs;
use std::path::Path;

/// One source file.
pub struct Source {
    /// Below `src/`, with `/`.
    pub path: String,
    /// Everything but comments, and what stands in literals; same lines and columns as the file.
    pub code: Vec<char>,
    /// Everything but comments.
    pub text: Vec<char>,
    /// Where `code` is compiled for tests only.
    test: Vec<bool>,
    whole_file_is_test: bool,
}

/// A path that a file names, with `self`, `super` and `crate` resolved.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// Line, from 1.
    pub line: usize,
    /// Whether it is named in code for tests only.
    pub test: bool,
    /// From the crate's root, or from another crate or a local name.
    pub from_root: bool,
    /// The segments after `crate`, or all of them.
    pub segments: Vec<String>,
}

impl Source {
    /// `path` is below `src/`.
    pub fn new(path: &str, content: &str) -> Self {
        let (text, code) = blank(content);
        let test = mark_tests(&code);
        let name = path.rsplit('/').next().unwrap_or(path);
        let whole_file_is_test = name == "tests.rs" || name.ends_with("_tests.rs") || path.split('/').any(|part| part == "tests");
        Self { path: path.to_owned(), code, text, test, whole_file_is_test }
    }

    /// All files below a directory, sorted by path.
    pub fn below(root: &Path) -> Vec<Self> {
        let mut sources = Vec::new();
        let mut open = vec![root.to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).expect("a readable directory") {
                let path = entry.expect("a readable entry").path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let content = fs::read_to_string(&path).expect("a readable file");
                    let relative = path.strip_prefix(root).expect("below the root").components();
                    let parts: Vec<_> = relative.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
                    sources.push(Self::new(&parts.join("/"), &content));
                }
            }
        }
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        sources
    }

    /// The module: the first part of the path, without `.rs`.
    pub fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or(&self.path);
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many lines the file has.
    pub fn lines(&self) -> usize {
        self.text.iter().filter(|c| **c == '\n').count()
    }

    /// The lines, outside tests, where `text` (comments blanked, literals kept) holds `needle`.
    pub fn lines_with(&self, needle: &str) -> Vec<usize> {
        let needle: Vec<char> = needle.chars().collect();
        let hits = self.text.windows(needle.len()).enumerate().filter(|(at, window)| *window == needle && !self.is_test(*at));
        hits.map(|(at, _)| line_of(&self.text, at)).collect()
    }

    /// Whether this position is compiled for tests only.
    pub fn is_test(&self, at: usize) -> bool {
        self.whole_file_is_test || self.test[at]
    }

    /// The lines, outside tests, where one of these macros is called.
    pub fn calls_of_macros(&self, names: &[&str]) -> Vec<usize> {
        let tokens = tokens(&self.code);
        let calls =
            tokens.windows(2).filter(|pair| pair[1].word == "!" && names.contains(&pair[0].word.as_str()) && !self.is_test(pair[0].at));
        calls.map(|pair| line_of(&self.code, pair[0].at)).collect()
    }

    /// Every path that the file names, tests included: in `use` trees and elsewhere.
    pub fn names(&self) -> Vec<Named> {
        let tokens = tokens(&self.code);
        let mut module = module_of(&self.path);
        let mut inline_ends = Vec::new();
        let mut named = Vec::new();
        let mut add = |module: &[String], start: usize, path: Vec<String>| {
            if let Some((from_root, segments)) = resolve(module, path) {
                named.push(Named { line: line_of(&self.code, start), test: self.is_test(start), from_root, segments });
            }
        };
        let (mut at, mut depth) = (0, 0usize);
        let word = |index: usize| tokens.get(index).map_or("", |token| token.word.as_str());
        while at < tokens.len() {
            match word(at) {
                "use" => {
                    at = use_tree(&tokens, at + 1, &mut Vec::new(), &mut |start, path| add(&module, start, path));
                    continue;
                }
                "mod" if word(at + 2) == "{" => {
                    module.push(word(at + 1).to_owned());
                    inline_ends.push(depth);
                    depth += 1;
                    at += 3;
                    continue;
                }
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    if inline_ends.last() == Some(&depth) {
                        inline_ends.pop();
                        module.pop();
                    }
                }
                first if is_ident(first) && word(at + 1) == "::" && (at == 0 || word(at - 1) != "::") => {
                    let (start, mut path) = (tokens[at].at, vec![first.to_owned()]);
                    while word(at + 1) == "::" && is_ident(word(at + 2)) {
                        path.push(word(at + 2).to_owned());
                        at += 2;
                    }
                    add(&module, start, path);
                }
                _ => {}
            }
            at += 1;
        }
        named
    }
}

/// The path of a file's module, from the crate's root. By convention `noun_tests.rs` is the module `tests` of `noun.rs`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs").replace("_tests", "/tests");
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// Whether the path is one from the crate's root, and its segments from there; none for what belongs to a type.
fn resolve(module: &[String], path: Vec<String>) -> Option<(bool, Vec<String>)> {
    let mut rest = path.as_slice();
    let mut base = module.to_vec();
    match rest.first()?.as_str() {
        "crate" => base.clear(),
        "self" | "super" => {}
        "Self" => return None,
        _ => return Some((false, path)),
    }
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "crate" | "self" => {}
            "super" => drop(base.pop()),
            _ => break,
        }
        rest = others;
    }
    base.extend_from_slice(rest);
    Some((true, base))
}

/// Gives every leaf of the tree that begins at `at`; returns the index after it.
fn use_tree(tokens: &[Token], mut at: usize, prefix: &mut Vec<String>, found: &mut impl FnMut(usize, Vec<String>)) -> usize {
    let depth = prefix.len();
    let start = tokens.get(at).map_or(0, |token| token.at);
    let mut grouped = false;
    while let Some(token) = tokens.get(at) {
        match token.word.as_str() {
            "::" => {}
            "{" => {
                grouped = true;
                at += 1;
                while tokens.get(at).is_some_and(|token| token.word != "}") {
                    at = use_tree(tokens, at, prefix, found);
                    if tokens.get(at).is_some_and(|token| token.word == ",") {
                        at += 1;
                    }
                }
            }
            "as" => at += 1,
            "," | "}" | ";" => break,
            segment => prefix.push(segment.to_owned()),
        }
        at += 1;
    }
    if !grouped {
        found(start, prefix.clone());
    }
    prefix.truncate(depth);
    at
}

struct Token {
    at: usize,
    word: String,
}

fn is_ident(word: &str) -> bool {
    word.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// Words, `::`, and single signs.
fn tokens(code: &[char]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let start = at;
        at += 1;
        if code[start].is_whitespace() {
            continue;
        }
        if code[start].is_alphanumeric() || code[start] == '_' {
            while code.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                at += 1;
            }
        } else if code[start] == ':' && code.get(at) == Some(&':') {
            at += 1;
        }
        tokens.push(Token { at: start, word: code[start..at].iter().collect() });
    }
    tokens
}

fn line_of(code: &[char], at: usize) -> usize {
    code[..at].iter().filter(|c| **c == '\n').count() + 1
}

/// Marks what belongs to an item under `#[cfg(test)]`: up to its closing brace, or to its semicolon.
fn mark_tests(code: &[char]) -> Vec<bool> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let attribute: Vec<char> = ATTRIBUTE.chars().collect();
    let mut test = vec![false; code.len()];
    for start in (0..code.len().saturating_sub(attribute.len())).filter(|at| code[*at..].starts_with(&attribute)) {
        let mut depth = 0usize;
        for at in start..code.len() {
            test[at] = true;
            match code[at] {
                '{' => depth += 1,
                '}' if depth == 1 => break,
                '}' => depth = depth.saturating_sub(1),
                ';' if depth == 0 => break,
                _ => {}
            }
        }
    }
    test
}

/// The content without comments, and without comments and what stands in literals. Blanked characters become spaces, so that lines stay.
fn blank(content: &str) -> (Vec<char>, Vec<char>) {
    let source: Vec<char> = content.chars().collect();
    let (mut text, mut code) = (source.clone(), source.clone());
    let erase = |into: &mut Vec<char>, from: usize, to: usize| {
        into[from..to].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
    };
    let mut at = 0;
    while at < source.len() {
        let start = at;
        let rest = &source[at..];
        if rest.starts_with(&['/', '/']) {
            at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
            erase(&mut text, start, at);
            erase(&mut code, start, at);
        } else if rest.starts_with(&['/', '*']) {
            at = end_of_comment(&source, at);
            erase(&mut text, start, at);
            erase(&mut code, start, at);
        } else if let Some(hashes) = raw_string(&source, at) {
            let open = at + rest.iter().position(|c| *c == '"').expect("a raw string opens with a quote") + 1;
            let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let body = source[open..].windows(close.len()).position(|window| window == close);
            let end = body.map_or(source.len(), |length| open + length);
            erase(&mut code, open, end);
            at = (end + close.len()).min(source.len());
        } else if rest[0] == '"' {
            at = end_of_literal(&source, at, '"');
            erase(&mut code, start + 1, at - 1);
        } else if rest[0] == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
            at = end_of_literal(&source, at, '\'');
            erase(&mut code, start + 1, at - 1);
        } else {
            at += 1;
        }
    }
    (text, code)
}

/// Block comments nest.
fn end_of_comment(source: &[char], mut at: usize) -> usize {
    let mut depth = 0usize;
    while at < source.len() {
        let step = match (source[at], source.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                2
            }
            ('*', Some('/')) => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at.min(source.len())
}

fn end_of_literal(source: &[char], open: usize, quote: char) -> usize {
    let mut at = open + 1;
    while at < source.len() && source[at] != quote {
        at += if source[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(source.len())
}

/// How many `#` a raw string that begins here has.
fn raw_string(source: &[char], at: usize) -> Option<usize> {
    let word_goes_on = at > 0 && (source[at - 1].is_alphanumeric() || source[at - 1] == '_') && !matches!(source[at - 1], 'b' | 'c');
    if source[at] != 'r' || word_goes_on {
        return None;
    }
    let hashes = source[at + 1..].iter().take_while(|c| **c == '#').count();
    (source.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}
