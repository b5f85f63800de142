//! The threads of a process: those that were asked for, and no others.

use super::*;

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn a_phone_whose_threads_are_counted() {
    let before = threads().len();
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.backlog(40, OFFICE);
    field.complete();
    field.next_due_and_totals();
    say(format!("open {}", threads().len() - before));
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let subscription = field.compass.observe(Arc::new(move |_| {
        seen.fetch_max(threads().len(), Ordering::SeqCst);
    }));
    let report = field.flush();
    drop(subscription);
    say(format!("sent {}", report.sent));
    say(format!("flushing {}", most.load(Ordering::SeqCst) - before));
    // The kernel takes a moment to bury a thread that has ended.
    eventually("flush has ended its threads", || threads().len() == before);
    field.compass.start_delivery().unwrap();
    say(format!("worker {}", threads().len() - before));
    field.complete();
    Watch::on(&field.compass).until("all is sent", all_sent);
    field.compass.stop_delivery().unwrap();
    eventually("its threads have ended", || threads().len() == before);
    field.compass.start_delivery().unwrap();
    field.compass.close().unwrap();
    eventually("its threads have ended", || threads().len() == before);
    say("ended");
}

impl Field {
    fn next_due_and_totals(&self) {
        self.compass.next_due().unwrap();
        self.compass.outbox_totals().unwrap();
        self.compass.set_connectivity(ONLINE);
        drop(self.compass.resume().unwrap());
        let _forever: &'static mut Hold = Box::leak(Box::new(self.compass.resume().unwrap()));
    }
}

#[test]
fn there_are_no_threads_but_those_that_were_asked_for() {
    let said = Process::run("threads::a_phone_whose_threads_are_counted", &[]).finish();
    let number = |what: &str| -> usize {
        let line = said.iter().find_map(|line| line.strip_prefix(what)).unwrap_or_else(|| panic!("{what} in {said:?}"));
        line.trim().parse().unwrap()
    };
    assert_eq!(number("open"), 0, "opening and commands start none");
    assert_eq!(number("sent"), 41);
    assert!((1..=4).contains(&number("flushing")), "as many as attempts at one endpoint: {said:?}");
    assert_eq!(number("worker"), 1);
    assert!(said.iter().any(|line| line == "ended"));
}
