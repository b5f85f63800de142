//! What is known about the network: the app's report, answers of receivers, and a generation that rises when the network changes. Plain data;
//! all times are of the monotonic clock. Nothing of it is stored.

use std::time::Duration;

use super::settings::{ANSWER_COUNTS_FOR, GENERATION_GAP};
use crate::model::{Connectivity, NetworkNeed, NetworkPolicy};

/// The network as delivery sees it.
#[derive(Debug, Default)]
pub(super) struct Network {
    connectivity: Connectivity,
    /// A failure of an earlier generation says nothing about the current network.
    generation: u64,
    rose_at: Option<Duration>,
    /// When the app last reported another network.
    came_at: Duration,
    /// A change came too soon after the one before; it counts once the gap is over, unless the network is gone by then.
    rises_later: bool,
    /// The last HTTP answer of each endpoint, and on which generation.
    answers: Vec<(String, (u64, Duration))>,
}

impl Network {
    pub(super) fn connectivity(&self) -> Connectivity {
        self.connectivity
    }

    pub(super) fn is_offline(&self) -> bool {
        self.connectivity == Connectivity::Offline
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the platform has reached the internet, where the app knows.
    pub(super) fn validated(&self) -> Option<bool> {
        match self.connectivity {
            Connectivity::Online { validated, .. } => validated,
            Connectivity::Unknown | Connectivity::Offline => None,
        }
    }

    /// When the network last changed; the generation may have risen later.
    pub(super) fn came_at(&self) -> Duration {
        self.came_at
    }

    /// Takes the app's report. True when the generation has risen.
    pub(super) fn set(&mut self, connectivity: Connectivity, now: Duration) -> bool {
        let before = std::mem::replace(&mut self.connectivity, connectivity);
        if self.is_offline() {
            // Answers over the lost network no longer count.
            self.answers.clear();
        } else if is_another(before, connectivity) {
            (self.rises_later, self.came_at) = (true, now);
        }
        self.rise_if_due(now)
    }

    /// Carries out a rise that had to wait. True when the generation has risen.
    pub(super) fn rise_if_due(&mut self, now: Duration) -> bool {
        if !self.rises_later || self.is_offline() || self.rises_at().is_some_and(|at| now < at) {
            return false;
        }
        self.rises_later = false;
        self.rose_at = Some(now);
        self.generation += 1;
        true
    }

    /// When a rise that waits will be carried out.
    pub(super) fn next_rise(&self) -> Option<Duration> {
        if self.rises_later && !self.is_offline() { self.rises_at() } else { None }
    }

    fn rises_at(&self) -> Option<Duration> {
        self.rose_at.map(|rose| rose.saturating_add(GENERATION_GAP))
    }

    /// An endpoint gave an HTTP answer to an attempt of this generation. A late one of an earlier generation does not replace a newer one.
    pub(super) fn answered(&mut self, endpoint: &str, generation: u64, now: Duration) {
        match self.answers.iter_mut().find(|(key, _)| key == endpoint) {
            Some((_, known)) => *known = (*known).max((generation, now)),
            None => self.answers.push((endpoint.to_owned(), (generation, now))),
        }
    }

    /// Whether some endpoint recently gave an HTTP answer on this generation.
    pub(super) fn answered_lately(&self, generation: u64, now: Duration) -> bool {
        self.answers.iter().any(|(_, answer)| is_recent(*answer, generation, now))
    }

    /// The same for an endpoint other than this one, unless the app reported `Offline`.
    pub(super) fn another_answered(&self, endpoint: &str, generation: u64, now: Duration) -> bool {
        !self.is_offline() && self.answers.iter().any(|(key, answer)| key != endpoint && is_recent(*answer, generation, now))
    }

    /// Whether the internet can be reached, as far as known.
    pub(super) fn is_reachable(&self, now: Duration) -> bool {
        self.validated() == Some(true) || self.answered_lately(self.generation, now)
    }
}

fn is_recent(answer: (u64, Duration), generation: u64, now: Duration) -> bool {
    answer.0 == generation && now.saturating_sub(answer.1) <= ANSWER_COUNTS_FOR
}

/// Whether the network changed: it appeared, has another number, or has just been validated.
fn is_another(before: Connectivity, after: Connectivity) -> bool {
    match (before, after) {
        (_, Connectivity::Offline) => false,
        (Connectivity::Offline, _) | (Connectivity::Unknown, Connectivity::Online { .. }) => true,
        (
            Connectivity::Online { validated: was_validated, network: old, .. },
            Connectivity::Online { validated: is_validated, network: new, .. },
        ) => (new.is_some() && new != old) || (is_validated == Some(true) && was_validated != Some(true)),
        (Connectivity::Unknown | Connectivity::Online { .. }, Connectivity::Unknown) => false,
    }
}

/// The network that messages of an endpoint with this policy wait for.
pub(super) fn need(policy: NetworkPolicy) -> NetworkNeed {
    match policy {
        NetworkPolicy::Any => NetworkNeed::Any,
        NetworkPolicy::Unmetered => NetworkNeed::Unmetered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONLINE: Connectivity = Connectivity::Online { validated: Some(true), metered: false, network: Some(1) };

    fn online(validated: Option<bool>, network: Option<u64>) -> Connectivity {
        Connectivity::Online { validated, metered: false, network }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn the_generation_rises_when_the_network_changes() {
        for (before, after, rises) in [
            (Connectivity::Offline, ONLINE, true),
            (Connectivity::Offline, Connectivity::Unknown, true),
            (Connectivity::Unknown, online(None, None), true),
            (online(None, None), online(Some(true), None), true),
            (online(Some(false), Some(1)), online(Some(true), Some(1)), true),
            (online(Some(true), Some(1)), online(Some(true), Some(2)), true),
            (online(None, None), online(None, Some(2)), true),
            (ONLINE, ONLINE, false),
            (ONLINE, online(Some(false), Some(1)), false),
            (ONLINE, online(Some(true), None), false),
            (ONLINE, Connectivity::Offline, false),
            (ONLINE, Connectivity::Unknown, false),
        ] {
            let mut network = Network::default();
            network.set(before, seconds(0));
            let generation = network.generation();
            assert_eq!(network.set(after, seconds(10)), rises, "{before:?} to {after:?}");
            assert_eq!(network.generation() - generation, u64::from(rises));
        }
    }

    #[test]
    fn a_network_that_changes_often_raises_the_generation_once_in_two_seconds() {
        let mut network = Network::default();
        let mut rises = 0;
        for step in 0..100u64 {
            let now = Duration::from_millis(100 * step);
            let connectivity = if step % 2 == 0 { Connectivity::Offline } else { ONLINE };
            rises += u32::from(network.set(connectivity, now)) + u32::from(network.rise_if_due(now));
        }
        assert!((4..=6).contains(&rises), "{rises} in ten seconds");
    }

    #[test]
    fn a_change_that_came_too_soon_counts_later_unless_the_network_has_gone() {
        let mut network = Network::default();
        assert!(network.set(ONLINE, seconds(10)));
        assert!(!network.set(online(Some(true), Some(2)), seconds(11)));
        assert_eq!(network.next_rise(), Some(seconds(12)));
        assert!(!network.rise_if_due(Duration::from_millis(11_999)));
        assert!(network.rise_if_due(seconds(12)));
        assert_eq!(network.next_rise(), None);

        assert!(!network.set(online(Some(true), Some(3)), seconds(13)));
        network.set(Connectivity::Offline, seconds(13));
        assert!(!network.rise_if_due(seconds(20)), "the last state is offline");
        assert!(network.set(ONLINE, seconds(21)));
    }

    #[test]
    fn an_answer_counts_for_a_minute_on_its_own_generation() {
        let mut network = Network::default();
        network.set(online(None, Some(1)), seconds(0));
        network.answered("office", network.generation(), seconds(1));
        assert!(network.is_reachable(seconds(61)) && !network.is_reachable(seconds(62)));
        assert!(network.another_answered("lab", 1, seconds(5)) && !network.another_answered("office", 1, seconds(5)));
        network.set(Connectivity::Offline, seconds(6));
        network.answered("office", network.generation(), seconds(7));
        assert!(!network.another_answered("lab", 1, seconds(7)), "a late answer, after the network has gone");
        network.set(online(None, Some(2)), seconds(10));
        assert!(!network.is_reachable(seconds(10)), "the answer came over another network");
        network.answered("office", network.generation(), seconds(11));
        network.answered("office", network.generation() - 1, seconds(12));
        assert!(network.is_reachable(seconds(71)), "a late answer over the earlier network changes nothing");
    }
}
