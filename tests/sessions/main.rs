//! Running sessions through the handle: starting, moving, changing one's mind, and finding everything again after the app was closed.

#[path = "../support/mod.rs"]
mod support;

mod clocks;
mod ends;
mod errors;
mod lists;
mod many;
mod moving;
mod random_walks;
mod recent;
mod record;
mod redaction;
mod repeats;
mod search;
mod starting;

use std::collections::BTreeMap;
use std::sync::Barrier;

use compass_core::document::{add_action, remove_action};
use compass_core::model::*;
use compass_core::{Compass, Error};
use support::app::{App, code, id, pump_check, pump_check_with, redaction, set, text};
use support::workflows::good_values;

fn start_on(version: u32) -> Start {
    Start { version: Some(WorkflowVersion { version, local_revision: 0 }), ..Start::new("pump-check", id()) }
}
