//! The façade: one file per verb, plain data in and out. Shells (terminal, tray, windows) are one-liners over it.
//!
//! Any process may call any verb: the store is the truth, and nobody needs a living daemon.

mod add;
mod approve;
mod background;
mod changes;
mod check;
mod credentials;
mod desk;
mod doctor;
mod doctor_desktop;
mod doubted;
mod drill;
mod effort;
mod enable;
mod evidence;
mod finally_inner;
mod glance;
mod halt;
mod hinders;
mod history;
mod init;
mod keys;
mod landing;
mod later;
mod login_item;
mod loop_detail;
mod loop_draft;
mod loop_new;
mod loop_save;
pub mod notices;
mod pause_all;
mod preferences;
mod queue;
mod reconcile;
mod reject;
mod repair;
mod review_diff;
mod reviews;
mod revise;
mod run;
mod run_inner;
mod run_logs;
mod runs;
mod sample;
mod schedule;
mod scheduler;
mod send_back;
mod serve;
mod serve_unit;
mod settings_view;
mod simulate;
mod spend;
mod status;
mod templates;
mod test_agent;
mod tick;
mod timeline;
mod trouble;
mod undo;
mod views;
mod wake;
mod watched;
mod welcome;
mod why;

use std::fmt::Display;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use loopwright_core::exit;
use serde::Serialize;

use self::trouble::Trouble;
use reconcile::Reach;

use crate::git::UserRepoError;
use crate::home::Home;
use crate::resolve::ResolveError;
use crate::sandbox::toolchain::HostEnvironment;
use crate::settings::{self, InvalidSettings};
use crate::store::{Damaged, Newer, Store, says_damaged};

pub use add::{AddRequest, Confirm, add};
pub use approve::{Approval, approve, landed};
pub use background::serve_in_background;
pub use changes::{Changes, changes};
pub use check::{check, schema};
pub use credentials::{
    CredentialState, CredentialView, CredentialsView, KeychainView, credentials, login, logout, unlock_keychain,
};
pub use desk::{DraftView, drafts, drop_draft, mark_viewed, put_draft, send_drafts, undo_decision};
pub use doctor::doctor;
pub use drill::{DrillView, Switch, drill, drill_with};
pub use enable::{EnableView, disable, enable, pause};
pub use evidence::{EvidencePage, evidence};
pub use finally_inner::finally_inner;
pub use glance::{DeskLook, Shell};
pub use halt::{HaltView, Level, ResumeView, halt, how_far_halted, resume};
pub use history::{HistoryFilter, HistoryPage, HistoryRow, history, history_row, run_facts};
pub use init::{InitRequest, init};
pub use keys::look_at_keys;
pub use later::later;
pub use login_item::{LoginItemView, login_item, repair_login_item, set_login_item};
pub use loop_detail::{loop_detail, loop_list};
pub use loop_draft::{draft_loop, simulate_draft};
pub use loop_new::{create_loop, create_written, new_loop};
pub use loop_save::{confirm_loop, delete_loop, save_loop};
pub use pause_all::pause_all;
pub use preferences::{Preferences, preferences, tray_icon};
pub use queue::{QueueRow, QueueView, review_queue};
pub use reconcile::Deed;
pub use reject::reject;
pub use repair::{Header, RepairView, repair};
pub use review_diff::{Against, DiffFile, DiffView, Found, LinePage, OpenedDiff};
pub use reviews::{put_off, review, review_head, reviews};
pub use run::{StartRequest, start};
pub use run_inner::run_inner;
pub use run_logs::{LogFile, LogFound, LogPage, LogPlace, log_find, log_page};
pub use runs::{journal_after, log_files, open_log, run_row, runs, show};
pub use sample::{SampleView, sample, try_sample};
pub use scheduler::{SchedulerView, scheduler};
pub use send_back::send_back;
pub use serve::{Began, serve};
pub use serve_unit::{ServeUnitView, install_serve_unit, remove_serve_unit};
pub use settings_view::{ChangedSetting, SettingsView, change_setting, settings_view};
pub use simulate::{
    Line, MOST_DAYS, Played, Setting, SimulateRequest, Simulated, Simulation, SimulationView, Tally, What, play,
    simulate, simulate_loops,
};
pub use spend::{CeilingSet, ModelShare, SpendRow, SpendView, UnknownPrice, set_ceiling, spend};
pub use status::{loops, next, status};
pub use templates::{templates, write_template};
pub use test_agent::{AgentTest, test_agent};
pub use tick::{TickView, settle, tick};
pub use timeline::{LiveRun, TimelineView, live, timeline};
pub use undo::undo;
pub use views::*;
pub use wake::{WakeState, WakeView, wake, wake_units};
pub use welcome::{
    DryRun, FirstDraft, WelcomeView, dry_run, dry_run_so_far, first_loop, repositories, welcome, welcome_done,
    welcome_needed,
};
pub use why::{WhyRow, WhyView, why, why_row};

pub use crate::launch::own_program;

/// What every verb works with, read once from the process.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where things are kept.
    pub home: Home,
    /// Whether `LOOPWRIGHT_HOME` chose that.
    pub chosen: bool,
    /// What leads to the machine's toolchains.
    pub host: HostEnvironment,
    /// The working directory.
    pub cwd: PathBuf,
    /// The computer's zone.
    pub zone: Tz,
    /// The time when the verb began.
    pub now: DateTime<Utc>,
    /// Where the person is who asks: `terminal`, `tray`, `window`, `notification`. HALT files tell it.
    pub by: &'static str,
}

/// Why a verb could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[error("{message}")]
pub struct ApiError {
    /// The exit code.
    pub code: u8,
    /// What failed.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl ApiError {
    /// A failure with this code.
    pub fn new(code: u8, message: impl Display) -> ApiError {
        ApiError { code, message: message.to_string(), hint: None }
    }

    /// The same with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> ApiError {
        self.hint = Some(hint.into());
        self
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> ApiError {
        if let Some(damaged) = error.downcast_ref::<Damaged>() {
            return ApiError::new(exit::FAILED, damaged).hint(damaged.repair());
        }
        if says_damaged(&error) {
            let message = format!("the database is damaged: {error:#}");
            return ApiError::new(exit::FAILED, message).hint("loopwright doctor --repair");
        }
        if let Some(newer) = error.downcast_ref::<Newer>() {
            return ApiError { hint: newer.hint(), ..ApiError::new(exit::FAILED, newer) };
        }
        if let Some(trouble) = Trouble::of(&error) {
            return ApiError::new(exit::FAILED, format!("{}: {error:#}", trouble.words())).hint(trouble.hint());
        }
        if let Some(invalid) = error.downcast_ref::<InvalidSettings>() {
            let help = invalid.first.help.clone().unwrap_or_default();
            return ApiError::new(exit::USAGE, invalid).hint(format!("{help}; nothing starts until it can be read"));
        }
        match error.downcast_ref::<ResolveError>() {
            Some(ResolveError::Invalid { path, .. }) => {
                let hint = format!("`loopwright check {path}` shows every fault");
                ApiError::new(exit::INVALID_LOOP, &error).hint(hint)
            }
            Some(ResolveError::Changed { path, now }) => {
                let hint = format!("look at it, then: loopwright add {path} --confirm {now}");
                ApiError::new(exit::USAGE, &error).hint(hint)
            }
            Some(ResolveError::NotCommitted { .. }) => {
                ApiError::new(exit::FAILED, &error).hint("commit the loop file, or keep it outside of the repository")
            }
            None => {
                let hint = error.downcast_ref::<UserRepoError>().and_then(UserRepoError::hint);
                ApiError { hint, ..ApiError::new(exit::FAILED, format!("{error:#}")) }
            }
        }
    }
}

impl Context {
    /// That of this process; makes the folders that are missing.
    ///
    /// # Errors
    /// No home folder is known, or a folder can't be made.
    pub fn open() -> Result<Context, ApiError> {
        let root = std::env::var_os("LOOPWRIGHT_HOME").filter(|r| !r.is_empty()).map(PathBuf::from);
        let home = Home::of(root.as_deref())?;
        let now = crate::clock::now();
        home.create(now)?;
        Ok(Context {
            home,
            chosen: root.is_some(),
            host: HostEnvironment::read(),
            cwd: std::env::current_dir().unwrap_or_default(),
            zone: settings::zone(),
            now,
            by: "terminal",
        })
    }

    /// The same for a person who is elsewhere.
    #[must_use]
    pub fn by(self, by: &'static str) -> Context {
        Context { by, ..self }
    }

    /// The same, but none where Loopwright was never used, and nothing is made.
    pub fn look() -> Option<Context> {
        let root = std::env::var_os("LOOPWRIGHT_HOME").filter(|r| !r.is_empty()).map(PathBuf::from);
        let used = Home::of(root.as_deref()).ok()?.database().is_file();
        used.then(Context::open)?.ok()
    }

    /// Opens the store.
    fn store(&self) -> Result<Store, ApiError> {
        Ok(Store::open(&self.home)?)
    }

    /// Opens the store after a reconcile pass that only writes the ends that are due. Nothing starts or lands by it.
    fn acting(&self) -> Result<Store, ApiError> {
        let mut store = self.store()?;
        reconcile::reconcile(self, &mut store, Reach::Ends)?;
        store.back_up(&self.home)?;
        Ok(store)
    }

    /// The same after a whole pass: runs that lost their processes go on, approved changes that waited land, and what
    /// decisions asked for begins. What the verbs that let something begin do first (run, approve, send-back) or at last (add, resume),
    /// and no verb that looks or halts.
    fn landing(&self) -> Result<Store, ApiError> {
        Ok(self.pass()?.0)
    }

    /// Makes such a pass after something that stands whatever comes of the pass.
    fn then(&self, after: &str) -> Vec<Deed> {
        self.pass().map(|(_, deeds)| deeds).unwrap_or_else(|error| {
            tracing::warn!("after {after}: {error}");
            Vec::new()
        })
    }

    /// The same, with what it did.
    fn pass(&self) -> Result<(Store, Vec<Deed>), ApiError> {
        let mut store = self.store()?;
        let mut deeds = reconcile::reconcile(self, &mut store, Reach::Whole)?;
        store.back_up(&self.home)?;
        deeds.extend(landing::land_waiting(self, &mut store)?);
        deeds.extend(revise::begin_due(self, &mut store)?);
        Ok((store, deeds))
    }
}

/// The one thing that a person means by what was typed.
fn only_one<T: Copy>(found: &[T], kind: &str, typed: &str, list: &str) -> Result<T, ApiError> {
    match found {
        [one] => Ok(*one),
        [] => Err(ApiError::new(exit::USAGE, format!("no {kind} {typed}")).hint(format!("`{list}` lists them"))),
        _ => {
            Err(ApiError::new(exit::USAGE, format!("more than one {kind} matches {typed}")).hint("type more of its id"))
        }
    }
}
