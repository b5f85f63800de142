//! What years of work leave, and what it costs.

use serde_json::json;

use super::App;

/// Sessions as years of work leave them: a site, a street, an order number, a remark and a note, some 250 characters in all.
pub fn filled(app: &App, sessions: u32) {
    let mut seed = 7_u32;
    let mut random = move |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((u64::from(seed >> 8) * u64::from(below)) >> 24) as u32
    };
    const SYLLABLES: [&str; 48] = [
        "ab", "an", "auf", "bau", "be", "ber", "bren", "dich", "dorf", "druck", "ein", "en", "er", "fen", "fil", "gas", "ge", "gel", "hei",
        "her", "kes", "la", "le", "lei", "ler", "ma", "mei", "mül", "ner", "öl", "pe", "pum", "re", "rei", "sel", "stra", "ße", "ter",
        "tung", "über", "un", "ven", "ver", "vor", "was", "weg", "zen", "zung",
    ];
    let words: Vec<String> = (0..20_000).map(|_| (0..=random(4)).map(|_| SYLLABLES[random(48) as usize]).collect()).collect();
    let mut text = |count: u32| -> String {
        // Few words are frequent.
        let word = |random: &mut dyn FnMut(u32) -> u32| words[(u64::from(random(20_000)).pow(3) / 400_000_000) as usize].clone();
        (0..count).map(|_| word(&mut random)).collect::<Vec<_>>().join(" ")
    };
    let sql = app.sql();
    sql.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    let add = |statement: &str, values: &[&dyn rusqlite::ToSql]| sql.prepare_cached(statement).unwrap().execute(values).unwrap();
    for id in 1..=sessions {
        let at = 1_700_000_000_000_i64 + i64::from(id) * 60_000;
        add(
            "INSERT INTO session (id, key, workflow_id, state, won, started_at, finished_at, section_name, last_visit, last_seq, actions_differing)
             VALUES (?1, CAST(printf('%016d', ?1) AS BLOB), 1, 'completed', 1, ?2, ?2, 'Done', 1, 1, 0)",
            &[&id, &at],
        );
        add("INSERT INTO visit (session_id, number, section, at) VALUES (?1, 1, 'done', ?2)", &[&id, &at]);
        for (field, value) in [("site", text(3)), ("order_no", format!("{}", 400_000 + id)), ("tag", text(2)), ("remark", text(12))] {
            let json = json!({ "state": "provided", "value": { "type": "text", "value": value } }).to_string();
            add("INSERT INTO value (session_id, field, json, completed_at) VALUES (?1, ?2, ?3, ?4)", &[&id, &field, &json, &at]);
        }
        add("INSERT INTO note (session_id, seq, at, text) VALUES (?1, 1, ?2, ?3)", &[&id, &at, &text(15)]);
    }
    sql.execute_batch("COMMIT").unwrap();
}

/// What this thread has used of a processor so far, in milliseconds, no matter what else runs.
pub fn used() -> f64 {
    let used = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    used.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}
