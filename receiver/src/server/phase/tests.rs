#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(10),
    idle: Duration::from_secs(75),
    write: Duration::from_secs(5),
    close: Duration::from_secs(2),
};

/// A machine and the clock beside it.
struct Bench {
    machine: Machine,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        let start = Instant::now();
        Self {
            machine: Machine::new(TIMEOUTS, start),
            start,
        }
    }

    fn at(&self, second: u64) -> Instant {
        self.start + Duration::from_secs(second)
    }

    fn verdict(&mut self, second: u64) -> Verdict {
        self.machine.verdict(self.at(second))
    }

    fn wait_until(&self, second: u64) -> Verdict {
        Verdict::Wait(Some(self.at(second)))
    }

    fn one_request(&mut self, multiplexed: bool, done: u64) {
        self.machine.request_begun(multiplexed);
        assert!(self.machine.request_done(self.at(done)));
    }
}

#[test]
fn the_first_head_has_its_deadline_and_drops_do_not_move_it() {
    let mut bench = Bench::new();
    assert_eq!(bench.verdict(0), bench.wait_until(10));
    bench.machine.bytes_read(bench.at(9));
    assert_eq!(bench.verdict(9), bench.wait_until(10));
    assert_eq!(bench.verdict(10), Verdict::Expired(Expiry::Head));
}

#[test]
fn a_request_under_way_has_no_deadline_here() {
    let mut bench = Bench::new();
    bench.machine.request_begun(false);
    bench.machine.bytes_read(bench.at(500));
    assert_eq!(bench.verdict(1000), Verdict::Wait(None));
}

#[test]
fn rest_is_long_and_a_head_that_begins_is_short() {
    let mut bench = Bench::new();
    bench.one_request(false, 1);
    assert_eq!(bench.verdict(1), bench.wait_until(76));
    bench.machine.bytes_read(bench.at(70));
    assert_eq!(bench.verdict(70), bench.wait_until(80));
    assert_eq!(bench.verdict(80), Verdict::Expired(Expiry::Head));
}

#[test]
fn idle_time_ends_with_a_goodbye_said_once() {
    let mut bench = Bench::new();
    bench.one_request(false, 0);
    assert_eq!(bench.verdict(75), Verdict::SayGoodbye);
    assert_eq!(bench.verdict(75), bench.wait_until(77));
    assert!(bench.machine.idled_out());
    assert_eq!(bench.verdict(77), Verdict::Expired(Expiry::Idle));
}

#[test]
fn pings_neither_prolong_nor_shorten_the_rest_of_http2() {
    let mut bench = Bench::new();
    bench.one_request(true, 0);
    for second in 1..75 {
        bench.machine.bytes_read(bench.at(second));
        assert_eq!(bench.verdict(second), bench.wait_until(75));
    }
    assert_eq!(bench.verdict(75), Verdict::SayGoodbye);
}

#[test]
fn streams_are_counted_and_only_the_last_one_rests() {
    let mut bench = Bench::new();
    bench.machine.request_begun(true);
    bench.machine.request_begun(true);
    assert!(!bench.machine.request_done(bench.at(1)));
    assert_eq!(bench.verdict(500), Verdict::Wait(None));
    assert!(bench.machine.request_done(bench.at(500)));
    assert_eq!(bench.verdict(500), bench.wait_until(575));
}

#[test]
fn a_stream_that_crosses_the_goodbye_is_served() {
    let mut bench = Bench::new();
    bench.one_request(true, 0);
    assert_eq!(bench.verdict(75), Verdict::SayGoodbye);
    bench.machine.request_begun(true);
    assert_eq!(bench.verdict(100), Verdict::Wait(None));
    assert!(bench.machine.request_done(bench.at(100)));
    assert_eq!(bench.verdict(100), bench.wait_until(102));
}

#[test]
fn a_stalled_write_is_cut_and_progress_restarts_the_clock() {
    let mut bench = Bench::new();
    bench.machine.request_begun(false);
    bench.machine.write_blocked(bench.at(0));
    bench.machine.write_blocked(bench.at(4));
    assert_eq!(bench.verdict(4), bench.wait_until(5));
    bench.machine.write_progressed();
    bench.machine.write_blocked(bench.at(4));
    assert_eq!(bench.verdict(8), bench.wait_until(9));
    assert_eq!(bench.verdict(9), Verdict::Expired(Expiry::Write));
}

#[test]
fn closing_lets_http1_end_by_its_answer_and_tells_http2() {
    let mut http1 = Bench::new();
    http1.machine.proceed(Course::Closing, http1.at(0));
    http1.machine.request_begun(false);
    assert_eq!(http1.verdict(0), Verdict::Wait(None));

    let mut idle = Bench::new();
    idle.one_request(true, 0);
    idle.machine.proceed(Course::Closing, idle.at(0));
    assert_eq!(
        idle.verdict(0),
        idle.wait_until(75),
        "an idle connection may bring one more request"
    );
    idle.machine.request_begun(true);
    assert_eq!(idle.verdict(1), Verdict::SayGoodbye);

    let mut busy = Bench::new();
    busy.machine.request_begun(true);
    busy.machine.proceed(Course::Closing, busy.at(0));
    assert_eq!(busy.verdict(0), Verdict::SayGoodbye);
    assert_eq!(busy.verdict(0), Verdict::Wait(None));
}

#[test]
fn draining_ends_rest_at_once_and_gives_a_silent_connection_a_last_call() {
    let mut idle = Bench::new();
    idle.one_request(false, 0);
    idle.machine.proceed(Course::Draining, idle.at(0));
    assert_eq!(idle.verdict(0), Verdict::SayGoodbye);
    assert_eq!(idle.verdict(2), Verdict::Expired(Expiry::Close));

    let mut silent = Bench::new();
    silent.machine.proceed(Course::Draining, silent.at(3));
    assert_eq!(silent.verdict(3), silent.wait_until(5));
    silent.machine.request_begun(false);
    assert_eq!(silent.verdict(4), Verdict::SayGoodbye);
    assert_eq!(silent.verdict(50), Verdict::Wait(None));
}

#[test]
fn a_course_never_goes_back() {
    let mut bench = Bench::new();
    bench.machine.proceed(Course::Draining, bench.at(0));
    bench.machine.proceed(Course::Closing, bench.at(0));
    bench.machine.request_begun(false);
    assert_eq!(bench.verdict(0), Verdict::SayGoodbye);
}

#[test]
fn the_wait_for_the_peers_fin_is_bounded() {
    let mut bench = Bench::new();
    bench.one_request(false, 0);
    bench.machine.shut_down(bench.at(1));
    bench.machine.bytes_read(bench.at(2));
    bench.machine.shut_down(bench.at(2));
    bench.machine.request_begun(true);
    assert!(
        !bench.machine.request_done(bench.at(2)),
        "nothing counts after our FIN"
    );
    assert_eq!(bench.verdict(2), bench.wait_until(3));
    assert_eq!(bench.verdict(3), Verdict::Expired(Expiry::Close));
}
