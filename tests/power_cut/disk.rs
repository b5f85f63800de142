//! What may be on a disk after the power was cut: what was synced, and of the rest any part.

use std::collections::BTreeMap;
use std::path::Path;

use super::recorder::Event;

/// What a disk writes as a whole, or not.
const SECTOR: usize = 512;

/// Numbers that look random and are the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D)
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// A change of a file that was not synced.
#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Truncate(size) => content.resize(*size, 0),
            Self::Write { offset, bytes } => {
                content.resize(content.len().max(offset + bytes.len()), 0);
                content[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

/// A file.
#[derive(Clone, Default)]
struct File {
    /// Its content on the disk. None: its name is not.
    synced: Option<Vec<u8>>,
    changes: Vec<Change>,
    /// The content under a name that was removed, or given to a new file, without a sync of the folder.
    before: Option<Vec<u8>>,
    is_there: bool,
}

/// What of the changes that were not synced has reached the disk.
#[derive(Clone, Copy)]
enum Reached {
    Nothing,
    All,
    /// The first ones.
    First,
    /// Any sectors; some are torn.
    Any,
}

impl File {
    fn after_a_cut(&self, dice: &mut Dice) -> Option<Vec<u8>> {
        let name_is_lost = self.synced.is_none() || !self.is_there;
        if name_is_lost && (!self.is_there || dice.roll(2) == 0) {
            return self.before.clone().filter(|_| dice.roll(2) == 0);
        }
        let mut content = self.synced.clone().unwrap_or_default();
        let reached = [Reached::Nothing, Reached::All, Reached::First, Reached::Any, Reached::Any][dice.roll(5)];
        let first = dice.roll(self.changes.len() + 1);
        for (number, change) in self.changes.iter().enumerate() {
            match (reached, change) {
                (Reached::Nothing, _) => {}
                (Reached::First, _) if number >= first => {}
                (Reached::All | Reached::First, _) => change.apply(&mut content),
                (Reached::Any, Change::Truncate(_)) => {
                    if dice.roll(2) == 0 {
                        change.apply(&mut content);
                    }
                }
                (Reached::Any, Change::Write { offset, bytes }) => {
                    let mut at = 0;
                    while at < bytes.len() {
                        let end = (at + SECTOR - (offset + at) % SECTOR).min(bytes.len());
                        let mut sector = bytes[at..end].to_vec();
                        match dice.roll(8) {
                            0..=2 => {}
                            torn => {
                                if torn == 3 {
                                    let from = dice.roll(sector.len());
                                    sector[from..].iter_mut().for_each(|byte| *byte = dice.roll(256) as u8);
                                }
                                Change::Write { offset: offset + at, bytes: sector }.apply(&mut content);
                            }
                        }
                        at = end;
                    }
                }
            }
        }
        Some(content)
    }
}

/// The files of a folder, as a disk has them.
#[derive(Clone, Default)]
pub struct Disk(BTreeMap<String, File>);

impl Disk {
    /// What is there when the record begins is on the disk.
    pub fn of(folder: &Path, names: &[&str]) -> Self {
        let there = names.iter().filter_map(|name| {
            let content = std::fs::read(folder.join(name)).ok()?;
            Some(((*name).to_owned(), File { synced: Some(content), is_there: true, ..File::default() }))
        });
        Self(there.collect())
    }

    pub fn happens(&mut self, event: &Event) {
        match event {
            Event::Acknowledged => {}
            Event::Created(name) => {
                let file = self.0.entry(name.clone()).or_default();
                let before = file.synced.take().or(file.before.take());
                *file = File { before, is_there: true, ..File::default() };
            }
            Event::Written { file, offset, bytes } => self.change(file, Change::Write { offset: *offset, bytes: bytes.clone() }),
            Event::Truncated { file, size } => self.change(file, Change::Truncate(*size)),
            Event::Synced(name) => {
                let is_new = self.0.get(name).is_some_and(|file| file.synced.is_none());
                if let Some(file) = self.0.get_mut(name) {
                    let mut content = file.synced.take().unwrap_or_default();
                    file.changes.drain(..).for_each(|change| change.apply(&mut content));
                    file.synced = Some(content);
                    file.before = None;
                }
                if is_new {
                    self.folder_synced();
                }
            }
            Event::Deleted { file: name, synced } => {
                if let Some(file) = self.0.get_mut(name) {
                    let before = file.synced.take().or(file.before.take());
                    *file = File { before, ..File::default() };
                }
                if *synced {
                    self.folder_synced();
                }
            }
        }
    }

    fn change(&mut self, name: &str, change: Change) {
        // The core makes the database itself, with its folder, before SQLite opens it.
        let file = self.0.entry(name.to_owned()).or_insert_with(|| File { synced: Some(Vec::new()), is_there: true, ..File::default() });
        file.changes.push(change);
    }

    /// No removed file comes back.
    fn folder_synced(&mut self) {
        self.0.values_mut().filter(|file| !file.is_there).for_each(|file| file.before = None);
    }

    /// Writes what may be left of it to this folder.
    pub fn cut(&self, dice: &mut Dice, to: &Path) {
        for (name, file) in &self.0 {
            if let Some(content) = file.after_a_cut(dice) {
                std::fs::write(to.join(name), content).unwrap();
            }
        }
    }
}
