//! What `tests/torture` puts into its table: a line for each fault.

/// What became of a fault.
pub struct Row<'a> {
    pub fault: &'a str,
    pub injected: u64,
    pub expected: &'a str,
    pub observed: &'a str,
    /// What was acknowledged and is lost, or done by half.
    pub lost: u64,
}

/// Says the line.
pub fn say(row: &Row<'_>) {
    let Row { fault, injected, expected, observed, lost } = row;
    let texts = [fault, expected, observed];
    assert!(texts.iter().all(|text| !text.contains(['|', '\n'])), "they fit into a table: {texts:?}");
    // The harness may have begun a line of its own.
    println!("\ntorture | {fault} | {injected} | {expected} | {observed} | {lost}");
}
