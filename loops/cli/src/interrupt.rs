//! Ctrl-C or SIGTERM while a run is followed: the first halts the run, the second leaves at once.
//!
//! A terminal that is closed (SIGHUP) ends only the following: the run goes on.
//! What is said is what is known: a halt that was not confirmed is not called one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_engine::api::{self, ApiError, Context, Level};

use crate::commands::command;
use crate::live::Screen;

/// How far halting has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Halt {
    /// Nobody pressed.
    #[default]
    NotAsked,
    /// Asked, not answered.
    Asked,
    /// The run is halted; its watchdog ends it.
    Done,
    /// It could not be halted.
    Failed,
}

#[derive(Debug, Default)]
struct State {
    run: Option<RunId>,
    halt: Halt,
    /// What asked first.
    by: &'static str,
}

/// The watch over Ctrl-C and SIGTERM.
#[derive(Clone)]
pub(crate) struct Interrupt {
    state: Arc<Mutex<State>>,
    screen: Screen,
}

/// What one press leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Press {
    /// The run is halted.
    Halt(RunId),
    /// There is no run yet; it is halted as soon as it is known.
    Wait,
    /// The shell leaves.
    Leave,
}

impl Interrupt {
    /// Watches from now on: before the run starts, so that no press is lost.
    pub(crate) fn listen(screen: &Screen) -> Result<Interrupt, ApiError> {
        let interrupt = Interrupt { state: Arc::default(), screen: screen.clone() };
        let watched = interrupt.clone();
        ctrlc::set_handler(move || watched.pressed("Ctrl-C")).map_err(unwatched)?;
        interrupt.terminated()?;
        Ok(interrupt)
    }

    /// Takes SIGTERM for a press.
    #[cfg(unix)]
    fn terminated(&self) -> Result<(), ApiError> {
        let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM]).map_err(unwatched)?;
        let watched = self.clone();
        std::thread::spawn(move || signals.forever().for_each(|_| watched.pressed("SIGTERM")));
        Ok(())
    }

    /// There is no such signal.
    #[cfg(not(unix))]
    fn terminated(&self) -> Result<(), ApiError> {
        Ok(())
    }

    /// Tells which run a press halts; one that came before halts it now.
    pub(crate) fn watch(&self, run: RunId) {
        let early = {
            let mut state = self.lock();
            state.run = Some(run);
            state.halt == Halt::Asked
        };
        if early {
            let by = self.lock().by;
            self.halt(run, by);
        }
    }

    fn pressed(&self, by: &'static str) {
        let press = self.lock().press(by);
        match press {
            Press::Wait => self.screen.say("Halting the run as soon as it has started…"),
            // On a thread of its own: a second press must not wait for the answer.
            Press::Halt(run) => {
                let interrupt = self.clone();
                std::thread::spawn(move || interrupt.halt(run, by));
            }
            Press::Leave => self.leave(),
        }
    }

    fn halt(&self, run: RunId, by: &'static str) {
        self.screen.say("Halting this run… its processes are ended.");
        let reason = Some(by.to_owned());
        let level = Level::Run(run.to_string());
        let halted = Context::open().and_then(|c| api::halt(&c, level, false, reason));
        self.lock().halt = match &halted {
            Ok(_) => Halt::Done,
            Err(_) => Halt::Failed,
        };
        if let Err(error) = halted {
            self.screen.say(&format!("The run could not be halted: {error}"));
            self.screen.say(&by_hand(run));
        }
    }

    fn leave(&self) {
        let said = self.lock().farewell();
        self.screen.clear();
        self.screen.say(&said);
        std::process::exit(i32::from(exit::HALTED));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is a single assignment, so a poisoned state is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn press(&mut self, by: &'static str) -> Press {
        match (self.halt, self.run) {
            (Halt::NotAsked, run) => {
                (self.halt, self.by) = (Halt::Asked, by);
                run.map_or(Press::Wait, Press::Halt)
            }
            _ => Press::Leave,
        }
    }

    fn farewell(&self) -> String {
        match (self.halt, self.run) {
            (Halt::Done, _) => "Leaving. The run is being ended by its watchdog.".to_owned(),
            (_, Some(run)) => format!("Leaving. The halt was not confirmed: {}", by_hand(run)),
            (_, None) => format!("Leaving before the run is known. See {}", command("status")),
        }
    }
}

fn unwatched(error: impl std::fmt::Display) -> ApiError {
    ApiError {
        code: exit::INTERNAL,
        message: format!("Ctrl-C can't be watched: {error}"),
        hint: Some(command("run LOOP --detach")),
    }
}

fn by_hand(run: RunId) -> String {
    command(&format!("halt --run {}", run.short()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunId {
        let id = "01936f2e-0000-7000-8000-00001a2b3c4d".parse();
        id.expect("an id")
    }

    #[test]
    fn the_first_press_halts_and_the_second_leaves() {
        let mut state = State { run: Some(run()), ..State::default() };
        assert_eq!(state.press("Ctrl-C"), Press::Halt(run()));
        assert_eq!(state.press("Ctrl-C"), Press::Leave);
    }

    #[test]
    fn a_press_before_the_run_is_known_is_kept() {
        let mut state = State::default();
        assert_eq!(state.press("Ctrl-C"), Press::Wait);
        assert_eq!(state.halt, Halt::Asked);
        assert_eq!(state.press("Ctrl-C"), Press::Leave);
    }

    #[test]
    fn only_a_confirmed_halt_is_called_one() {
        let farewell = |halt, run| State { run, halt, by: "Ctrl-C" }.farewell();
        let done = "Leaving. The run is being ended by its watchdog.";
        assert_eq!(farewell(Halt::Done, Some(run())), done);
        for halt in [Halt::Asked, Halt::Failed] {
            let said = farewell(halt, Some(run()));
            assert!(said.ends_with("loopwright halt --run 1a2b3c4d"), "{said}");
        }
        assert!(farewell(Halt::Asked, None).contains("loopwright status"));
    }
}
