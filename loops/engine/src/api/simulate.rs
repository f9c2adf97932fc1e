//! `simulate`: what loops would do on a virtual clock, or a story told with each of its rails alone. Nothing of the person's
//! is written, no process is started.

mod actor;
mod cast;
mod changes;
mod computer;
mod script;
mod told;
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _, Duration, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use loopwright_core::definition::{read_bytes, scenario};
use loopwright_core::exit;
use loopwright_core::run::Mode;
use loopwright_core::scenario::Scenario;
use loopwright_core::schedule::local;
pub use loopwright_core::simulate::Simulation;
use loopwright_core::simulate::{self, STORIES};
use loopwright_core::story::{Titles, tell};
use serde::Serialize;

use super::check::{Target, find, load};
use super::{ApiError, Context};
use crate::settings;
use crate::store::{loops, projection, simulated};

pub use crate::store::simulated::Tally;
pub use told::{Line, What};
pub use world::{Played, Setting, Simulated, play};

/// The longest simulation, in days.
pub const MOST_DAYS: u32 = 3_660;

/// The years in which a simulation may begin.
const YEARS: RangeInclusive<i32> = 1970..=2200;
const A_DAY: &str = "write it as in `--from 2026-12-01`";

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct SimulateRequest {
    /// Loop files, their folders, registered loops or templates.
    pub loops: Vec<String>,
    /// The first day, or the moment: `2026-12-01`, `2026-12-01 08:00`; none = now.
    pub from: Option<String>,
    /// How many days.
    pub days: u32,
    /// The computer's zone in the simulation; none = as it is.
    pub zone: Option<String>,
    /// What happens around the loops; none = nothing.
    pub scenario: Option<PathBuf>,
    /// Whether the steps of each run are told.
    pub journal: bool,
}

/// What loops would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SimulationView {
    /// From this moment on.
    pub from: DateTime<Utc>,
    /// Until this one.
    pub to: DateTime<Utc>,
    /// The computer's zone.
    pub zone: String,
    /// The zone in which times are shown, but for lines with a zone of their own: that of all loops, else the computer's.
    pub shown_in: String,
    /// What happened, in its order.
    pub journal: Vec<Line>,
    /// What became of all due times, a loop each.
    pub loops: Vec<Tally>,
}

/// Tells a story.
///
/// # Errors
/// There is no such story.
pub fn simulate(story: &str) -> Result<Simulation, ApiError> {
    simulate::simulate(story).ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("there is no story `{story}`"))
            .hint(format!("the stories are: {}", STORIES.join(", ")))
    })
}

/// Plays loops on a virtual clock.
///
/// # Errors
/// A loop or the scenario is not there or not valid, or the simulation can't write its folder.
pub fn simulate_loops(context: &Context, request: &SimulateRequest) -> Result<SimulationView, ApiError> {
    let zone = request.zone.as_ref().map_or(Ok(context.zone), |name| named(name))?;
    let from = match &request.from {
        Some(text) => moment(text, zone)?,
        None => context.now,
    };
    let to = from + Duration::days(i64::from(request.days.min(MOST_DAYS)));
    let scenario = request.scenario.as_deref().map_or(Ok(Scenario::default()), |path| read(&context.cwd, path))?;
    let simulated: Vec<Simulated> =
        request.loops.iter().map(|target| simulated(context, target)).collect::<Result<_, _>>()?;
    distinct(&simulated)?;
    known(&scenario, &simulated)?;
    // What can't be read stops whatever starts, and is told here.
    settings::read(&context.home)?;
    let settings = fs::read_to_string(settings::path(&context.home)).unwrap_or_default();
    let played = play(&Setting { from, to, zone, scenario, settings }, &simulated)?;
    let loops = simulated::tallies(played.store().read())?;
    let journal = if request.journal { with_steps(&played, zone)? } else { played.lines };
    let shown_in = clock_of(&simulated, zone).name().to_owned();
    Ok(SimulationView { from, to, zone: zone.name().to_owned(), shown_in, journal, loops })
}

/// The zone that all loops go by; the computer's, if they go by several.
fn clock_of(simulated: &[Simulated], zone: Tz) -> Tz {
    let mut zones = simulated.iter().map(|one| one.definition.timing.zone.unwrap_or(zone));
    let first = zones.next().unwrap_or(zone);
    if zones.all(|other| other == first) { first } else { zone }
}

/// The lines, with the story of each run at its start.
fn with_steps(played: &Played, zone: Tz) -> Result<Vec<Line>, ApiError> {
    let mut lines = played.lines.clone();
    for line in &mut lines {
        let Some(run) = line.run else { continue };
        let entries: Vec<_> = projection::entries(played.store().read(), run, 0)?.into_iter().map(|(_, e)| e).collect();
        let own = line.zone.as_ref().and_then(|name| name.parse().ok()).unwrap_or(zone);
        line.story = tell(&entries, &Titles::new(), own.offset_from_utc_datetime(&line.at.naive_utc()).fix());
    }
    Ok(lines)
}

fn named(zone: &str) -> Result<Tz, ApiError> {
    zone.parse().map_err(|_| {
        ApiError::new(exit::USAGE, format!("there is no zone `{zone}`"))
            .hint("write its IANA name, as in `--zone Europe/Berlin`")
    })
}

fn moment(text: &str, zone: Tz) -> Result<DateTime<Utc>, ApiError> {
    let wrong = |why: &str| ApiError::new(exit::USAGE, format!("`{text}` {why}")).hint(A_DAY);
    let at = scenario::parse_moment(text).ok_or_else(|| wrong("is no day"))?;
    let moment = YEARS.contains(&at.year()).then(|| local(at, zone)).flatten();
    moment.ok_or_else(|| wrong("is outside of 1970 to 2200"))
}

/// A loop as it would be registered; one that is registered ships if it does, any other one if it can.
fn simulated(context: &Context, target: &str) -> Result<Simulated, ApiError> {
    let found = find(context, target)?;
    let registered = match &found {
        Target::File(path) => loops::by_path(context.store()?.read(), path)?.map(|row| row.mode),
        Target::Template(..) => None,
    };
    let (path, bytes) = load(&found)?;
    let reading = read_bytes(&bytes);
    let Some(definition) = reading.definition else {
        let first = reading.diagnostics.first().map(|fault| fault.message.clone()).unwrap_or_default();
        let message = format!("{path} is not a valid loop: {first}");
        return Err(
            ApiError::new(exit::INVALID_LOOP, message).hint(format!("`loopwright check {target}` shows every fault"))
        );
    };
    Ok(Simulated { definition, mode: registered.unwrap_or(Mode::Ship) })
}

fn read(cwd: &Path, path: &Path) -> Result<Scenario, ApiError> {
    let bytes = fs::read(cwd.join(path)).map_err(|error| {
        ApiError::new(exit::USAGE, format!("the scenario {} can't be read: {error}", path.display()))
            .hint("name a file that is there; what stands in one: `loopwright simulate --help`")
    })?;
    scenario::read(&bytes).map_err(|faults| {
        let Some(first) = faults.first() else {
            return ApiError::new(exit::USAGE, format!("{} is no scenario", path.display()));
        };
        let place = format!("{}:{}:{}", path.display(), first.span.line, first.span.column);
        let more = match faults.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let error = ApiError::new(exit::USAGE, format!("{place}: {}{more}", first.message));
        first.help.clone().map_or(error.clone(), |help| error.hint(help))
    })
}

/// Refuses two loops of one name: nobody could tell their lines apart.
fn distinct(simulated: &[Simulated]) -> Result<(), ApiError> {
    let mut seen = BTreeMap::new();
    for one in simulated {
        if seen.insert(&one.definition.name, ()).is_some() {
            let message = format!("two of the loops are called {}", one.definition.name);
            return Err(ApiError::new(exit::USAGE, message).hint("simulate one of them, or give it another `name:`"));
        }
    }
    Ok(())
}

/// Refuses a scenario that names a loop which is not there: a slip would change nothing, unseen.
fn known(scenario: &Scenario, simulated: &[Simulated]) -> Result<(), ApiError> {
    let named =
        scenario.runs.iter().filter_map(|s| s.of.as_ref()).chain(scenario.halts.iter().filter_map(|h| h.of.as_ref()));
    for name in named {
        if !simulated.iter().any(|one| one.definition.name == *name) {
            let names: Vec<&str> = simulated.iter().map(|one| one.definition.name.as_str()).collect();
            let message = format!("the scenario names the loop {name}, which is not simulated");
            return Err(ApiError::new(exit::USAGE, message).hint(format!("simulated are: {}", names.join(", "))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_begins_in_a_year_that_calendars_know() {
        for (text, said) in [
            ("1969-12-31", "`1969-12-31` is outside of 1970 to 2200"),
            ("2201-01-01", "`2201-01-01` is outside of 1970 to 2200"),
            ("+99999-01-01", "`+99999-01-01` is outside of 1970 to 2200"),
            ("soon", "`soon` is no day"),
        ] {
            let error = moment(text, Tz::UTC).expect_err(text);
            assert_eq!((error.code, error.message.as_str()), (exit::USAGE, said));
        }
        assert!(moment("2200-12-31", Tz::UTC).is_ok());
    }

    #[test]
    fn a_scenario_that_is_not_there_is_a_fault_of_the_command_line() {
        let error = read(Path::new("/"), Path::new("/nope")).expect_err("nothing is there");
        assert_eq!(error.code, exit::USAGE, "{error:?}");
        assert!(error.hint.is_some(), "{error:?}");
    }
}
