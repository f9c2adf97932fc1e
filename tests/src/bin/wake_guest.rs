//! What runs inside of the guest of `make test-wake`: sets our wake timer, puts the guest to sleep, and tells what the clocks say.
//!
//! `wake_guest alarm N` uses the timer of `serve`; `wake_guest plain N` is the control, the same on a clock that wakes nobody.
#![expect(clippy::expect_used, reason = "a test says what it expected")]
#![expect(clippy::print_stdout, reason = "the guest's console is what the host reads")]

use std::fs;
use std::os::fd::AsFd as _;
use std::thread;
use std::time::Duration;

use chrono::Utc;
use loopwright_engine::os::{self, Wake};
use loopwright_engine::wake::{WakeTimer, hindrance};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, clock_gettime, timerfd_create,
    timerfd_settime,
};

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let seconds: i64 = words.get(2).and_then(|word| word.parse().ok()).expect("seconds");
    println!("HINDRANCE {:?}", hindrance());
    let at = Utc::now() + chrono::Duration::seconds(seconds);
    let mut timer = WakeTimer::default();
    if words[1] == "alarm" {
        let held = timer.set(at).expect("the timer is set");
        println!("SET and read back, off by {} ms", (held - at).num_milliseconds());
    }
    let plain = (words[1] == "plain").then(|| plain_timer(seconds));
    let (stop, _say) = rustix::pipe::pipe().expect("a pipe");
    // As `serve` waits: for something that is far off.
    let waits = thread::spawn(move || {
        let mut wake = Wake::new().expect("it can wait");
        let woken = wake.wait(Utc::now() + chrono::Duration::hours(1), stop.as_fd()).expect("it waited");
        (woken.time, since_boot())
    });
    thread::sleep(Duration::from_millis(300));
    let (boot, awake) = os::clocks();
    fs::write("/sys/power/state", "mem").expect("it goes to sleep, and returns awake");
    let resumed = since_boot();
    let (boot_then, awake_then) = os::clocks();
    let asleep = (boot_then - boot).saturating_sub(awake_then - awake);
    println!("RESUMED after {:.2} s, asleep {:.2} s", (boot_then - boot).as_secs_f64(), asleep.as_secs_f64());
    let (by_time, told) = waits.join().expect("it waited");
    println!("SERVE woken by the clock: {by_time}, {:.2} s after the resume", told - resumed);
    if let Some(plain) = plain {
        poll(&mut [PollFd::from_borrowed_fd(plain.as_fd(), PollFlags::IN)], None).expect("a time");
    }
    println!("DONE {} ms after the time", (Utc::now() - at).num_milliseconds());
}

fn since_boot() -> f64 {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), 0).as_secs_f64();
    seconds + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default()).as_secs_f64()
}

/// A timer that counts through sleep and does not end it.
fn plain_timer(seconds: i64) -> std::os::fd::OwnedFd {
    let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC).expect("a timer");
    let it_value = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once).expect("set");
    timer
}
