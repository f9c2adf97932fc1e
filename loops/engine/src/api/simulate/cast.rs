//! Who plays: the loops, and how a run of one of them begins.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use loopwright_core::chores::with_moments;
use loopwright_core::definition::Definition;
use loopwright_core::ids::LoopId;
use loopwright_core::ledger::{Ceiling, Ceilings};
use loopwright_core::money::Micros;
use loopwright_core::run::{AgentLine, Chores, Mode, Retries, RunStart};
use loopwright_core::scenario::Scenario;

use super::actor::Actor;
use super::computer::Moment;
use super::script::Plot;
use super::world::Simulated;
use crate::api::schedule::Starting;
use crate::halt::HaltFiles;
use crate::home::Home;
use crate::store::{Store, simulated};

/// The loops of a simulation.
pub(super) struct Cast {
    zone: Tz,
    /// Of all loops together.
    of_fleet: Vec<Ceiling>,
    home: Home,
    scenario: Scenario,
    /// With the number of runs that began.
    loops: BTreeMap<LoopId, (Simulated, u64)>,
}

impl Cast {
    pub(super) fn new(zone: Tz, of_fleet: Vec<Ceiling>, home: &Home, scenario: Scenario) -> Cast {
        Cast { zone, of_fleet, home: home.clone(), scenario, loops: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, id: LoopId, simulated: Simulated) {
        self.loops.insert(id, (simulated, 0));
    }

    /// The loop of this name.
    pub(super) fn id(&self, name: &str) -> Option<LoopId> {
        self.loops.iter().find(|(_, (one, _))| one.definition.name == name).map(|(id, _)| *id)
    }

    /// The process of a run that was claimed.
    ///
    /// # Errors
    /// Its occurrence or its loop is unknown.
    pub(super) fn begin(&mut self, starting: Starting, store: &Store, now: Moment) -> Result<Actor> {
        let seen = simulated::one(store.read(), starting.occurrence)?.context("a start without its occurrence")?;
        let (simulated, number) = self.loops.get_mut(&starting.loop_id).context("a start of an unknown loop")?;
        *number += 1;
        let definition = &simulated.definition;
        let script = self.scenario.script(&definition.name);
        let zone = definition.timing.zone.unwrap_or(self.zone);
        let start = start(starting, simulated, seen.trigger, now, zone);
        let ceilings = Ceilings {
            loop_name: definition.name.clone(),
            run: definition.rails.budget,
            of_loop: definition.rails.ceilings.clone(),
            of_fleet: self.of_fleet.clone(),
            zone,
            fleet_zone: self.zone,
            beside: Micros::ZERO,
        };
        let halt = HaltFiles::of_run(&self.home.state, starting.loop_id, &self.home.run(starting.run));
        Ok(Actor::new(start, Plot { script, number: *number }, ceilings, halt, now))
    }
}

fn start(starting: Starting, simulated: &Simulated, cause: String, now: Moment, zone: Tz) -> RunStart {
    let definition = &simulated.definition;
    let work = definition.work.as_ref();
    let chores = Chores {
        steps: definition.chores.clone(),
        alone: definition.discover.is_none(),
        finally: definition.finally.clone(),
        ..Chores::default()
    };
    RunStart {
        run: starting.run,
        loop_id: starting.loop_id,
        loop_name: definition.name.clone(),
        occurrence: starting.occurrence,
        cause,
        mode: if work.is_some() { simulated.mode } else { Mode::Report },
        epoch: 1,
        worked_s: 0,
        definition: String::new(),
        rails: definition.rails.clone(),
        review: definition.review,
        maker: work.map_or_else(|| fixer("fixer"), |work| agent(definition, &work.act.maker)),
        checker: work.and_then(|work| work.verify.checker.as_ref()).map(|name| agent(definition, name)),
        retries: Retries {
            discover: definition.discover.as_ref().map_or_else(Default::default, |found| found.retry),
            act: work.map_or_else(Default::default, |work| work.act.retry),
            verify: work.map_or_else(Default::default, |work| work.verify.retry),
            ship: work.map_or_else(Default::default, |work| work.ship.retry),
        },
        only: None,
        parallel: work.map_or(1, |work| work.act.parallel),
        only_reports: work.is_none(),
        revises: None,
        chores: with_moments(chores, now.wall, zone),
    }
}

/// An agent as the loop defines it; what nothing defines is the fixer, which costs nothing.
fn agent(definition: &Definition, name: &str) -> AgentLine {
    definition.agents.get(name).map_or_else(
        || fixer(name),
        |spec| AgentLine {
            name: name.to_owned(),
            kind: "command".to_owned(),
            model: spec.model.clone(),
            vendor: spec.vendor.clone(),
            price: spec.price,
        },
    )
}

fn fixer(name: &str) -> AgentLine {
    AgentLine { name: name.to_owned(), kind: "fixer".to_owned(), model: None, vendor: None, price: Micros::ZERO }
}
