//! SQLite's files beside the database are removed, or others take their place, while a handle works. What it writes from then on goes into
//! files without a name, which nobody finds again: so it goes into the database itself.

use std::path::PathBuf;

use compass_core::Compass;
use compass_core::model::*;

use crate::support::App;
use crate::support::app::{id, text};

/// A session with a value, and one of its files beside the database gone, or replaced by what this says.
fn without(suffix: &str, replaced_by: Option<&[u8]>) -> (App, SessionKey) {
    let app = App::new();
    app.completed();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    let file = PathBuf::from(format!("{}{suffix}", app.path().display()));
    std::fs::remove_file(&file).unwrap();
    if let Some(content) = replaced_by {
        std::fs::write(file, content).unwrap();
    }
    (app, session)
}

/// What is left when the process has ended.
fn assert_kept(app: &mut App, session: SessionKey, values: usize, what: &str) {
    app.compass = Compass::open(app.options()).unwrap();
    let kept = app.view(session).fields.iter().filter(|field| matches!(field.state, FieldState::Provided(_))).count();
    assert_eq!(kept, values, "{what}");
    assert_eq!(app.faults(), [""; 0], "{what}");
    app.completed();
    app.reopen();
    assert_eq!(app.faults(), [""; 0], "{what}");
}

/// Removed, emptied, or with something else in it.
const REPLACED: [Option<&[u8]>; 3] = [None, Some(&[]), Some(&[0xa5; 40_000])];

#[test]
fn what_is_written_after_a_side_file_was_removed_survives_a_kill() {
    for suffix in ["-wal", "-shm"] {
        for content in REPLACED {
            let what = format!("{suffix} {:?}", content.map(<[u8]>::len));
            let (mut app, session) = without(suffix, content);
            app.set(session, "remark", "A dog");
            assert_eq!(app.compass.session(session).unwrap().fields.len(), 2, "{what}");
            app.compass.note(session, "It barks", &id()).unwrap();
            app.compass.clone().kill();
            assert_kept(&mut app, session, 2, &what);
            assert_eq!(app.view(session).notes.len(), 1, "{what}");
        }
    }
}

#[test]
fn what_was_written_before_a_side_file_was_removed_is_kept_by_quiescing_and_closing() {
    for suffix in ["-wal", "-shm"] {
        for content in REPLACED {
            for quiesces in [true, false] {
                let what = format!("{suffix} {:?}, quiesces {quiesces}", content.map(<[u8]>::len));
                let (mut app, session) = without(suffix, content);
                if quiesces {
                    app.compass.quiesce().unwrap();
                    assert_eq!(app.view(session).visit, 1, "{what}");
                    app.set(session, "remark", "A dog");
                    app.compass.clone().kill();
                } else {
                    app.compass.set_field(session, "remark", text("A dog")).unwrap();
                    app.compass.close().unwrap();
                }
                assert_kept(&mut app, session, 2, &what);
            }
        }
    }
}
