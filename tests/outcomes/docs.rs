//! `docs/delivery.md` tells integrators and app developers about every reason there is.

use compass_core::testing::rules::waits_for_person;
use compass_core::{RetryPolicy, reason};

const PAGE: &str = include_str!("../../docs/delivery.md");

/// The rows of the tables in the section on status and reason.
fn reason_rows() -> Vec<&'static str> {
    let section = PAGE.split_once("\n## 7. Status and reason").expect("the section").1.split_once("\n## 8.").expect("the next section").0;
    section.lines().filter(|line| line.starts_with("| `")).collect()
}

#[test]
fn every_reason_code_is_explained_with_what_fixes_it() {
    for code in reason::ALL {
        assert!(reason_rows().iter().any(|row| row.starts_with(&format!("| `{code}`"))), "`{code}` is not explained");
    }
}

#[test]
fn no_reason_code_is_explained_that_does_not_exist() {
    for row in reason_rows() {
        let code = row.split('`').nth(1).expect("a code");
        assert!(reason::ALL.contains(&code), "`{code}` does not exist");
    }
}

#[test]
fn the_marks_of_the_tables_agree_with_the_rules() {
    for code in reason::ALL {
        let marked = |mark: &str| reason_rows().iter().any(|row| row.starts_with(&format!("| `{code}`")) && row.contains(mark));
        assert_eq!(marked("(**R**)"), reason::revived_by_change(code), "{code}");
        assert_eq!(marked("(**P**)"), waits_for_person(code), "{code}");
    }
}

#[test]
fn the_schedules_on_the_page_are_the_ones_in_use() {
    let words = |schedule: &[std::time::Duration]| {
        let step = |delay: &std::time::Duration| match delay.as_secs() {
            seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
            seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
            seconds => format!("{seconds} s"),
        };
        schedule.iter().map(step).collect::<Vec<_>>().join(", ")
    };
    let policy = RetryPolicy::default();
    assert!(PAGE.contains(&format!("| schedule | {}, then every 24 h |", words(&policy.schedule))));
    assert!(PAGE.contains(&format!("| slow schedule | {};", words(&policy.slow_schedule))));
}
