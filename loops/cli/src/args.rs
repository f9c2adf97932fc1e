//! The command line: verbs, their arguments, and the help that `--help` prints. What they do is in [`crate::verbs`].

mod desktop;
mod past;
mod time;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCandidates as Values;

use loopwright_engine::api::MOST_DAYS;

use crate::complete;

pub(crate) use desktop::{AutostartArgs, DesktopVerb, LoginArgs, LogoutArgs, ServeArgs, WakeArgs};
pub(crate) use past::{LogsArgs, RunsArgs, ShowArgs, SpendArgs};
pub(crate) use time::{EnableArgs, NextArgs, WhyArgs};

/// Closes `loopwright --help`.
const AFTER_HELP: &str = "\
With --json the answer is one JSON document on stdout, and an error is one on stderr: {code, message, hint}.

Environment:
  LOOPWRIGHT_HOME     replaces all folders at once: $LOOPWRIGHT_HOME/{config,data,cache,state}
  LOOPWRIGHT_COMMAND  stands for `loopwright` in the commands that are printed
  NO_COLOR            no colours

Exit codes:
   0  done
   1  failed
   2  the command line is wrong, or a confirmation is missing
   3  the loop file is invalid
  10  halted
  11  the budget is reached
  12  no progress (run --finding only)
  13  the cap of iterations is reached (run --finding only)
  14  the time is over
  20  nothing to do
  21  something waits for a person: open pull requests, or findings handed over
  22  it waits, and goes on later
  70  a defect of Loopwright";

/// Runs loops of coding agents on your own machine.
///
/// A loop finds work, makes a change in a sandbox, checks it, and waits for you.
/// Nothing reaches your branches until you approve.
#[derive(Debug, Parser)]
#[command(name = "loopwright", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// Answers with one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What a person may ask for.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Looks at a repository and writes a loop that fits it
    #[command(after_help = "\
Nothing of the repository is run or changed (--share writes one file), and the loop begins by only reporting.

Example: loopwright init --repo ~/src/shop-api")]
    Init(InitArgs),
    /// Makes a small sample project with a loop for it, which replays recorded answers
    #[command(after_help = "\
To see a loop work once without a key, a network or a cost. It lies in Loopwright's own folder.

Example: loopwright sample && loopwright run sample")]
    Sample,
    /// Lists the loops that ship with Loopwright, or prints or writes one
    #[command(after_help = "\
Some have scripts beside their loop.yaml: --out writes all of it.

Example: loopwright templates daily-triage > loop.yaml")]
    Templates(TemplatesArgs),
    /// Registers a loop after showing what it may do
    #[command(after_help = "Example: loopwright add daily-triage --repo ~/src/shop-api")]
    Add(AddArgs),
    /// Reads a loop file and says all that is wrong with it, or how it was understood
    #[command(after_help = "Example: loopwright check .loopwright/daily-triage/loop.yaml")]
    Check(CheckArgs),
    /// Prints the JSON Schema of loop files, for editors
    #[command(after_help = "Example: loopwright schema > loop.schema.json")]
    Schema,
    /// Says when loops are due
    #[command(after_help = "Example: loopwright next daily-triage\n         loopwright next -n 10")]
    Next(NextArgs),
    /// Says what became of a due time of a loop, or will become of it
    #[command(after_help = "\
Times: last, 09:00, 'yesterday 09:00', 2026-11-21, '2026-11-21 09:00', on the clock of the loop's zone.
Without one: the last due time and the next.

Example: loopwright why daily-triage yesterday 09:00")]
    Why(WhyArgs),
    /// Lets nothing start a loop by itself until it is enabled; by hand it starts all the same
    #[command(after_help = "Example: loopwright disable daily-triage")]
    Disable(EnableArgs),
    /// Lets a loop start by itself again
    #[command(after_help = "Example: loopwright enable daily-triage")]
    Enable(EnableArgs),
    /// Runs a loop now and shows how it goes
    #[command(after_help = "\
Ctrl-C and SIGTERM halt the run; a second one leaves at once while the watchdog ends it.
A terminal that is closed leaves the run alone.

Example: loopwright run daily-triage --ship")]
    Run(RunArgs),
    /// Shows everything at a glance: halts, runs, what waits for you
    #[command(after_help = "Example: loopwright status --json")]
    Status,
    /// Lists runs, the newest first
    #[command(after_help = "Example: loopwright runs daily-triage")]
    Runs(RunsArgs),
    /// Tells the story of one run
    #[command(after_help = "Example: loopwright show last")]
    Show(ShowArgs),
    /// Prints what agents and gates of a run wrote
    #[command(after_help = "Example: loopwright logs -f")]
    Logs(LogsArgs),
    /// Says what was spent, against the ceilings, by loop and by model
    #[command(after_help = "Example: loopwright spend --month")]
    Spend(SpendArgs),
    /// Lists the pull requests that wait for you
    #[command(after_help = "Example: loopwright reviews --all")]
    Reviews(ReviewsArgs),
    /// Shows a pull request with its evidence and its diff
    #[command(after_help = "Example: loopwright review 1a2b3c4d")]
    Review(ReviewArgs),
    /// Approves exactly the change that was shown and merges it
    #[command(after_help = "\
Without --tree a terminal shows the change and asks; anything else exits 2.
Where the branch moved meanwhile, the same change is checked again on it, and lands if it passes.

Example: loopwright approve 1a2b3c4d --tree 0123456789ab")]
    Approve(ApproveArgs),
    /// Sends a pull request back for another attempt, with what is to be different
    #[command(after_help = "\
The note goes to the maker in your words; it may name places as file:line.
The next attempt updates the same pull request.

Example: loopwright send-back 1a2b3c4d --note 'src/price.rs:12: round half to even'")]
    SendBack(SendBackArgs),
    /// Rejects a pull request; its finding is left alone until what fails changes or you ask for it
    #[command(after_help = "Example: loopwright reject 1a2b3c4d --reason 'not a problem'")]
    Reject(RejectArgs),
    /// Puts a pull request out of sight until a time; it decides nothing
    #[command(after_help = "\
Times: 30m, 1h, 2d, evening, tomorrow, 2026-12-01, 2026-12-01T14:00.

Example: loopwright later 1a2b3c4d tomorrow")]
    Later(LaterArgs),
    /// Takes your last decision on a pull request back, as long as nothing followed from it
    #[command(after_help = "Example: loopwright undo 1a2b3c4d")]
    Undo(UndoArgs),
    /// Stops everything, a loop or a run, and keeps it stopped
    #[command(after_help = "\
Stops at once and asks nothing. Nothing starts again until `loopwright resume`.

Example: loopwright halt --loop daily-triage --reason 'wrong branch'")]
    Halt(HaltArgs),
    /// Allows again what was halted
    #[command(after_help = "Example: loopwright resume --reason 'branch fixed'")]
    Resume(ResumeArgs),
    /// Tries the kill switch on a harmless run made for it, and says how long that took
    #[command(after_help = "None of your loops is touched by it.\n\nExample: loopwright drill")]
    Drill,
    /// Starts what is due, and puts right what a crash left: runs go on, approved changes land, leftovers go
    #[command(after_help = "\
Verbs that let something begin make this pass first, but for loops whose time has come: those start by this one and by
`loopwright serve`, which repeats it.

Example: loopwright tick")]
    Tick,
    /// Is the scheduler: starts loops at their times until it is told to stop
    #[command(after_help = "\
One per data folder. SIGTERM and Ctrl-C end it within a second; the runs that it started go on, and the next one takes
up what is left. It writes its log to state/log/serve.log.

Example: loopwright serve")]
    Serve(ServeArgs),
    #[command(flatten)]
    Desktop(DesktopVerb),
    /// Looks at what Loopwright needs on this machine
    #[command(after_help = "Example: loopwright doctor\n         loopwright doctor --repair")]
    Doctor(DoctorArgs),
    /// Shows on a virtual clock what loops would do, or what each guard-rail alone makes of a story
    #[command(after_help = "\
Nothing is started and nothing of yours is written: what agents, repositories and commands do is made up.
Without --scenario, nobody sleeps, and each run finds nothing and takes two minutes.

A scenario is a YAML file, each key one or a list, its times those of --zone; loops/README.md has an example of every key:
  sleeps, off, battery   {from: \"2026-12-02 22:00\", to: \"2026-12-03 10:30\"}, {daily: \"23:00-07:00\"} or {every: SAT-SUN}
  clock                  {at: \"2026-12-04 12:00\", by: -1h}: the computer's clock is set
  halts                  {from: …, to: …, loop: daily-triage}: a person halts; without `loop`, everything
  kills                  {times: 10, seed: 1} or {at: \"2026-12-06 09:00\"}: of the scheduler
  runs                   what runs do, with the keys below
    loop                 of which loop; without it, of all that no other item names
    takes                20m: to look for findings, and each step of a loop of steps
    findings             2: new ones in each run
    makes                [fix(2), declines, nothing]: of findings in turn; fix(2): verified in round 2
    round_takes          10m: maker and checker, each
    costs                $0.40: an attempt
    fails_every          7: each seventh run can't look
    failing_steps        [login]: steps that fail

Example: loopwright simulate daily-triage --from 2026-12-01 --days 14
         loopwright simulate trading-day --from 2026-12-01 --days 2
         loopwright simulate --story runaway")]
    Simulate(SimulateArgs),
    /// Prints what makes a shell complete verbs, loops, runs and pull requests
    #[command(after_help = "\
It belongs to this very version, so have the shell ask for it when it starts:
  bash        source <(loopwright completions bash)                            in ~/.bashrc
  zsh         source <(loopwright completions zsh)                             in ~/.zshrc
  fish        loopwright completions fish | source                             in ~/.config/fish/config.fish
  elvish      eval (loopwright completions elvish | slurp)                     in ~/.elvish/rc.elv
  powershell  loopwright completions powershell | Out-String | Invoke-Expression   in $PROFILE

Example: loopwright completions bash")]
    Completions(CompletionsArgs),
    /// Prints a manual page, or writes all of them into a folder
    #[command(after_help = "Example: loopwright man --out ~/.local/share/man/man1")]
    Man(ManArgs),
    /// The process of a run; started by its watchdog
    #[command(name = "__run", hide = true)]
    RunInner(RunInnerArgs),
    /// The process of what follows on a run's end; started by its watchdog
    #[command(name = "__finally", hide = true)]
    FinallyInner(RunInnerArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The template; default: the one that fits what is found
    #[arg(long, value_name = "TEMPLATE", add = Values::new(complete::templates))]
    pub(crate) template: Option<String>,
    /// The loop's name; default: the template's
    #[arg(long, value_name = "NEW")]
    pub(crate) name: Option<String>,
    /// The repository; default: the one around the current folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub(crate) repo: Option<PathBuf>,
    /// Puts the loop into the repository, for everybody who works on it
    #[arg(long)]
    pub(crate) share: bool,
    /// Writes and registers it without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_parser = ["bash", "zsh", "fish", "powershell", "elvish"])]
    pub(crate) shell: String,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The verb; default: the page of the whole program
    #[arg(conflicts_with = "out")]
    pub(crate) verb: Option<String>,
    /// Writes every page into this folder
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TemplatesArgs {
    /// Prints this one's loop.yaml
    #[arg(add = Values::new(complete::templates))]
    pub(crate) name: Option<String>,
    /// Writes it into this folder instead, with the scripts beside it
    #[arg(long, value_name = "FOLDER", requires = "name", value_hint = clap::ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// A loop file, its folder, or the name of a template
    #[arg(add = Values::new(complete::templates))]
    pub(crate) target: String,
    /// The repository it works on; default: the one around the file or the current folder
    #[arg(long)]
    pub(crate) repo: Option<PathBuf>,
    /// The new loop's name, for a template; default: the template's
    #[arg(long, value_name = "NEW")]
    pub(crate) name: Option<String>,
    /// Lets it open pull requests; without, it only reports
    #[arg(long)]
    pub(crate) ship: bool,
    /// Confirms the file with this hash, without asking
    #[arg(long, value_name = "HASH")]
    pub(crate) confirm: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A loop file, its folder, or the name of a loop or template
    #[arg(add = Values::new(complete::loops_and_templates))]
    pub(crate) target: String,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Loop files, their folders, or names of loops or templates; without any, a story is told
    #[arg(value_name = "LOOP", add = Values::new(complete::loops_and_templates))]
    pub(crate) loops: Vec<String>,
    /// The first day (or the moment) of the simulation: `2026-12-01`; now, if it is left out
    #[arg(long, value_name = "DAY", requires = "loops")]
    pub(crate) from: Option<String>,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 14, requires = "loops",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DAYS)))]
    pub(crate) days: u32,
    /// The computer's zone in the simulation; as it is, if it is left out
    #[arg(long, value_name = "ZONE", requires = "loops")]
    pub(crate) zone: Option<String>,
    /// Tells the steps of each run below its start; by itself for one loop over at most three days
    #[arg(long, requires = "loops")]
    pub(crate) journal: bool,
    /// A file that says when the computer sleeps, what runs find, and what they cost
    #[arg(long, value_name = "FILE", requires = "loops", value_hint = clap::ValueHint::FilePath)]
    pub(crate) scenario: Option<PathBuf>,
    /// Tells what each rail alone makes of this story: `runaway`
    #[arg(long, value_name = "NAME", default_value = "runaway", conflicts_with = "loops",
        add = Values::new(complete::stories))]
    pub(crate) story: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The loop's name
    #[arg(value_name = "LOOP", add = Values::new(complete::loops))]
    pub(crate) name: String,
    /// Lets this loop open pull requests from now on
    #[arg(long)]
    pub(crate) ship: bool,
    /// Acts on this finding alone
    #[arg(long, value_name = "ID")]
    pub(crate) finding: Option<String>,
    /// Returns at once and prints the run's id
    #[arg(long)]
    pub(crate) detach: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewsArgs {
    /// The decided ones too
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// The pull request's id
    #[arg(add = Values::new(complete::pull_requests))]
    pub(crate) id: String,
    /// Shows what the last update changed, instead of the whole change
    #[arg(long)]
    pub(crate) since: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The pull request's id
    #[arg(add = Values::new(complete::pull_requests))]
    pub(crate) id: String,
    /// The tree that you looked at: at least 12 hex digits, as `review` prints them
    #[arg(long, value_name = "HEX", value_parser = tree)]
    pub(crate) tree: Option<String>,
    /// Lands it only after this time, so that `undo` can take it back until then: 20s, 5m
    #[arg(long = "in", value_name = "TIME", value_parser = moment)]
    pub(crate) after_s: Option<u32>,
    /// Does not wait while the change is checked again on a branch that moved
    #[arg(long)]
    pub(crate) detach: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SendBackArgs {
    /// The pull request's id
    pub(crate) id: String,
    /// What is to be different; without it a terminal asks
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    pub(crate) note: Option<String>,
    /// Reads the note from a file, or from standard input: -
    #[arg(short = 'F', long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RejectArgs {
    /// The pull request's id
    pub(crate) id: String,
    /// Why; remembered, and told to whoever tries again
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LaterArgs {
    /// The pull request's id
    #[arg(add = Values::new(complete::pull_requests))]
    pub(crate) id: String,
    /// Until when
    #[arg(default_value = loopwright_core::review::later::DEFAULT)]
    pub(crate) when: String,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The pull request's id
    pub(crate) id: String,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct LevelArgs {
    /// Only this loop
    #[arg(long = "loop", value_name = "LOOP", add = Values::new(complete::loops))]
    pub(crate) of_loop: Option<String>,
    /// Only this run
    #[arg(long = "run", value_name = "RUN", add = Values::new(complete::runs))]
    pub(crate) of_run: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HaltArgs {
    #[command(flatten)]
    pub(crate) level: LevelArgs,
    /// Leaves out the `finally:` steps too
    #[arg(long)]
    pub(crate) now: bool,
    /// Why, for whoever resumes
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) level: LevelArgs,
    /// Why it may go on
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Puts a damaged database aside, goes back to its newest backup with all that was done since, and compares
    #[arg(long)]
    pub(crate) repair: bool,
    /// With a database that says a newer Loopwright wrote it: none was ever used here, so its header is damaged
    #[arg(long, requires = "repair")]
    pub(crate) not_newer: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunInnerArgs {
    /// The run's id
    pub(crate) run: String,
    /// The whole fingerprint of the one finding to act on
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) finding: Option<String>,
}

/// A short time in seconds.
fn moment(text: &str) -> Result<u32, String> {
    let seconds = loopwright_core::review::later::duration(text).map(|d| d.num_seconds());
    let fits = seconds.and_then(|s| u32::try_from(s).ok()).filter(|s| *s <= 24 * 3600);
    fits.ok_or_else(|| "a time is a number and s, m or h, as in 20s; at most a day".to_owned())
}

/// A tree's id, abbreviated to no less than twelve digits.
fn tree(text: &str) -> Result<String, String> {
    match text.bytes().all(|b| b.is_ascii_hexdigit()) && (12..=64).contains(&text.len()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("a tree is at least 12 hex digits, as `review` prints them".to_owned()),
    }
}

#[cfg(test)]
mod tests;
