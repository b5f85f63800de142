//! The bytes that a finished session of 30 fields and two delivered messages leaves in the file, with its bodies, and those of the search index.

use std::path::Path;

use compass_core::model::SessionFilter;
use rusqlite::Connection;

use super::phone::{FIELDS, Phone};

/// The argument that asks for it.
pub(crate) const BYTES: &str = "--bytes";

const WORDS: [&str; 8] = ["at valve", "in cellar", "by meter", "on roof", "old seal", "new pump", "left pipe", "dry filter"];
const FEW: usize = 100;
const MANY: usize = 600;

/// Prints the difference that a session makes.
pub(crate) fn bytes(folder: &Path) {
    let [few, many] = [FEW, MANY].map(|sessions| {
        let path = folder.join(format!("{sessions}.db"));
        let phone = Phone::open(&path);
        for session in 0..sessions {
            // About as long as the values of other measures, and no two sessions alike.
            phone.complete_with("long", |field| {
                let number = session * FIELDS + field;
                format!("{} bar {} {}", number % 89, WORDS[number * 7 % WORDS.len()], number * 7_919 % 99_991)
            });
        }
        phone.flush(2 * sessions);
        // Each search adds some sessions to the index.
        let search = SessionFilter { text: Some("bar".into()), ..SessionFilter::default() };
        (0..sessions).for_each(|_| drop(phone.compass.sessions(&search, None, 1).unwrap()));
        phone.compass.close().unwrap();
        let connection = Connection::open(&path).unwrap();
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as f64;
        let file =
            number("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size");
        let text = number("SELECT sum(length(CAST(c0 AS BLOB))) FROM search_content");
        let index = number("SELECT sum(length(block)) FROM search_data");
        let words = number("SELECT count(*) FROM search_content");
        assert_eq!(words as usize, sessions, "all sessions are in the index");
        [file, text, index]
    });
    let [file, text, index] = [0, 1, 2].map(|part| (many[part] - few[part]) / (MANY - FEW) as f64);
    println!("a session of 30 fields and 2 delivered messages: {file:.0} bytes of the file (goal: 13,000 without the search index)");
    println!("of these the text for search {text:.0}, and the index {index:.0}: {:.1} times the text (goal: 3)", index / text);
}
