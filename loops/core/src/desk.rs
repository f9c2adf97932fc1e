//! The tray: what is so becomes one icon and one menu. Every text, cut, order and limit of the menu is decided here.
//!
//! Gathering the facts is the engine's; drawing and doing what was clicked are the tray's.

mod ink;
mod lines;
#[cfg(test)]
mod tests;
mod words;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::money::Micros;
use crate::scheduler::Health;

pub use ink::Ink;
pub use words::{MOST as LONGEST_LINE, age};

/// The most rows that a menu has, lines between groups not counted.
pub const MOST_ROWS: usize = 20;

/// How long a run that lived is shown at least, in milliseconds.
const RUNNING_MS: u64 = 2000;

/// What is so at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// The moment.
    pub now: DateTime<Utc>,
    /// The computer's zone.
    pub zone: Tz,
    /// Whether the store was read; otherwise which loops and runs there are is not known.
    pub known: bool,
    /// The loops, by name.
    pub loops: Vec<LoopFact>,
    /// What runs, the oldest first.
    pub running: Vec<RunFact>,
    /// What waits for a person, and what was approved and has not landed.
    pub waiting: Vec<PullRequestFact>,
    /// The next time at which a loop is due.
    pub next: Option<NextFact>,
    /// What stopped everything; none = nothing is halted.
    pub halted: Option<HaltFact>,
    /// How the scheduler is.
    pub scheduler: SchedulerFact,
    /// What else is broken, the worst first.
    pub repairs: Vec<Repair>,
    /// Whether the computer wakes for the next time; none = nobody asked for it.
    pub wake: Option<WakeFact>,
    /// Whether the tray starts at login.
    pub at_login: bool,
    /// What came of the last click, if it failed.
    pub said: Option<Said>,
}

/// A loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopFact {
    /// Its name.
    pub name: String,
    /// Whether it may start by itself.
    pub pause: Pause,
}

/// Whether a loop starts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// It does.
    On,
    /// Not before this time.
    Until(DateTime<Utc>),
    /// Not until a person says so.
    UntilResumed,
}

/// A run that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFact {
    /// Its id.
    pub id: String,
    /// Its loop's name.
    pub loop_name: String,
    /// What it does now, in one word.
    pub doing: &'static str,
    /// What it has cost so far.
    pub spent: Micros,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestFact {
    /// Its id.
    pub id: String,
    /// Its title, as whoever made it wrote it.
    pub title: String,
    /// Since when it is there.
    pub opened: DateTime<Utc>,
    /// The tree that it shows now, as hex.
    pub tree: String,
    /// Where it stands.
    pub stands: Stands,
}

/// Where a pull request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It may be approved without the diff.
    Open,
    /// It must be looked at, and why.
    Look(String),
    /// It is approved and lands in a moment, unless that is taken back.
    Landing,
    /// It is approved and lands when what is in its way is gone.
    Waits,
}

/// A due time that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextFact {
    /// Whose.
    pub loop_name: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The loop's zone.
    pub zone: Tz,
}

/// What stopped everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaltFact {
    /// A person did, or a program for them.
    Asked {
        /// When; none = the file does not say.
        at: Option<DateTime<Utc>>,
        /// By whom: `tray`, `terminal`.
        by: String,
        /// How many runs it stopped.
        stopped: usize,
    },
    /// The file that lets things start is gone, or one that decides can't be read; in words.
    Unarmed(String),
}

/// How the scheduler is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchedulerFact {
    /// Alive, stuck or gone.
    pub health: Health,
    /// When its last pass was.
    pub last: Option<DateTime<Utc>>,
    /// Whether its passes fail.
    pub fails: bool,
}

/// Something broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What is broken, without a full stop.
    pub problem: String,
    /// The verb that stands behind it.
    pub verb: String,
    /// The repair, or its place.
    pub act: Act,
}

/// Whether the computer wakes for the next due time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WakeFact {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the alarm was read back.
    pub armed: bool,
}

/// What came of a click that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What failed, in few words.
    pub what: String,
    /// Where more is told.
    pub act: Act,
}

/// How far a HALT for everything came that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halted {
    /// It does not hold.
    Not,
    /// It holds, and something still lives.
    Lives,
    /// It holds, and nothing lives; what failed is the store.
    Ended,
    /// It holds; what lives can't be seen.
    Unknown,
}

impl Halted {
    /// What the menu says of it.
    pub fn words(self) -> &'static str {
        match self {
            Halted::Not => "HALT could not be set",
            Halted::Lives => "Something still runs after HALT",
            Halted::Ended => "All halted, but the store failed",
            Halted::Unknown => "HALT is set; what runs is unknown",
        }
    }

    /// The window that shows more: what runs, or what is broken.
    pub fn place(self) -> Act {
        match self {
            Halted::Ended => Act::Open { view: View::Settings, target: Some("doctor".to_owned()) },
            _ => Act::Open { view: View::Runs, target: None },
        }
    }
}

/// The windows that a menu opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Pull requests.
    Review,
    /// Loops.
    Loops,
    /// Runs.
    Runs,
    /// Money.
    Spend,
    /// Settings.
    Settings,
    /// The first start.
    Welcome,
    /// Whether loops go on.
    Quit,
}

impl View {
    /// The word by which a window is asked for.
    pub fn word(self) -> &'static str {
        match self {
            View::Review => "review",
            View::Loops => "loops",
            View::Runs => "runs",
            View::Spend => "spend",
            View::Settings => "settings",
            View::Welcome => "welcome",
            View::Quit => "quit",
        }
    }
}

/// What a click does. It carries all that it needs: a menu that is drawn anew under the pointer changes nothing in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Opens a window.
    Open {
        /// Which.
        view: View,
        /// What it shows first.
        target: Option<String>,
    },
    /// Approves what was shown, to land in 20 s.
    Approve {
        /// The pull request.
        id: String,
        /// The tree of the moment at which this was drawn.
        tree: String,
    },
    /// Takes an approval back.
    Undo {
        /// The pull request.
        id: String,
    },
    /// Puts a pull request off.
    Later {
        /// The pull request.
        id: String,
        /// `1h`, `evening`, `tomorrow`.
        when: String,
    },
    /// Halts a run.
    HaltRun {
        /// Its id.
        id: String,
    },
    /// Halts everything.
    HaltAll,
    /// Starts a loop.
    Run {
        /// Its name.
        name: String,
    },
    /// Lets nothing start a loop by itself.
    Pause {
        /// Its name.
        name: String,
        /// Until tomorrow; otherwise until a person says so.
        until_tomorrow: bool,
    },
    /// Lets a loop start by itself again.
    Enable {
        /// Its name.
        name: String,
    },
    /// Starts the scheduler, or another one in the place of one that is stuck.
    Serve,
    /// Turns starting at login on or off.
    AtLogin {
        /// On.
        on: bool,
    },
    /// Quits the icon: loops go on.
    Quit,
}

/// Which icon is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Nothing below holds.
    Idle,
    /// A run lives.
    Running,
    /// So many wait for a person.
    NeedsYou(usize),
    /// Everything is halted.
    Halted,
    /// Something is broken.
    Degraded,
}

/// The icon and the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// The icon.
    pub sign: Sign,
    /// The same in words, for those who can't see it.
    pub title: String,
    /// The menu, from the top.
    pub menu: Vec<Line>,
}

/// One line of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line between groups.
    Between,
    /// A line that says something and can't be clicked.
    Says(String),
    /// A line that does something.
    Does(String, Act),
    /// The same with a tick before it.
    Ticks(String, bool, Act),
    /// A line that leads to more.
    Leads(String, Vec<Line>),
}

/// The icon and the menu for what is so.
pub fn desk(glance: &Glance) -> Desk {
    let sign = sign(glance);
    Desk { sign, title: title(glance, sign), menu: lines::menu(glance, sign) }
}

/// One icon at a time: halted, then degraded, then needs you, then running.
fn sign(glance: &Glance) -> Sign {
    let waiting = glance.needs_you();
    match glance {
        _ if glance.halted.is_some() => Sign::Halted,
        _ if !lines::repairs(glance).is_empty() => Sign::Degraded,
        _ if waiting > 0 => Sign::NeedsYou(waiting),
        _ if !glance.running.is_empty() => Sign::Running,
        _ => Sign::Idle,
    }
}

fn title(glance: &Glance, sign: Sign) -> String {
    let words = match sign {
        Sign::Idle => "all quiet".to_owned(),
        Sign::Running => format!("{} running", glance.running.len()),
        Sign::NeedsYou(1) => "1 waits for you".to_owned(),
        Sign::NeedsYou(n) => format!("{n} wait for you"),
        Sign::Halted => "halted".to_owned(),
        Sign::Degraded => "needs repair".to_owned(),
    };
    format!("Loopwright: {words}")
}

impl Sign {
    /// How much longer a sign that was shown for so long stays before this one takes its place: a run that is over at once is
    /// seen all the same, and what is worse is never kept waiting.
    pub fn waits(self, shown: Sign, for_ms: u64) -> Option<u64> {
        let gone = shown == Sign::Running && matches!(self, Sign::Idle);
        RUNNING_MS.checked_sub(for_ms).filter(|left| gone && *left > 0)
    }
}

impl Glance {
    /// How many pull requests wait for a decision.
    fn needs_you(&self) -> usize {
        self.waiting.iter().filter(|p| matches!(p.stands, Stands::Open | Stands::Look(_))).count()
    }
}
