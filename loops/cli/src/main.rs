//! The terminal shell: reads a command line, asks `engine::api`, prints the answer. Decisions are made elsewhere.

use std::process::ExitCode;

use clap::Parser;
use loopwright_core::exit;
use loopwright_engine::api::{ApiError, Context};

mod args;
mod commands;
mod complete;
mod interrupt;
mod live;
mod log;
mod output;
mod page;
mod render;
mod verbs;
mod zone;

use args::{Cli, Verb};
use output::Output;
use zone::Zone;

/// What every verb works with.
struct App {
    context: Context,
    output: Output,
    zone: Zone,
}

fn main() -> ExitCode {
    // A panic is a defect of Loopwright and has its own code; the message is printed by the default hook.
    let code = std::panic::catch_unwind(start).unwrap_or(exit::INTERNAL);
    ExitCode::from(code)
}

fn start() -> u8 {
    if complete::asked() {
        return exit::DONE;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error),
    };
    let output = Output::new(cli.json);
    let answered = match &cli.verb {
        // A shell asks for these whenever it starts: they make nothing and need nothing.
        Verb::Completions(args) => verbs::completions::run(args, &output),
        Verb::Man(args) => verbs::man::run(args, &output),
        _ => answer(cli.verb, output.clone()),
    };
    match answered {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            error.code
        }
    }
}

fn answer(verb: Verb, output: Output) -> Result<u8, ApiError> {
    let context = Context::open()?;
    let app = App { zone: Zone::new(context.zone), context, output };
    match verb {
        Verb::Init(args) => verbs::init::run(&args, &app),
        Verb::Completions(args) => verbs::completions::run(&args, &app.output),
        Verb::Man(args) => verbs::man::run(&args, &app.output),
        Verb::Sample => verbs::sample::run(&app),
        Verb::Templates(args) => verbs::templates::run(&args, &app),
        Verb::Add(args) => verbs::add::run(&args, &app),
        Verb::Check(args) => verbs::check::run(&args, &app),
        Verb::Schema => verbs::schema::run(&app),
        Verb::Next(args) => verbs::next::run(&args, &app),
        Verb::Why(args) => verbs::why::run(&args, &app),
        Verb::Disable(args) => verbs::enable::disable(&args, &app),
        Verb::Enable(args) => verbs::enable::enable(&args, &app),
        Verb::Run(args) => verbs::run::run(&args, &app),
        Verb::Status => verbs::status::run(&app),
        Verb::Runs(args) => verbs::runs::run(&args, &app),
        Verb::Show(args) => verbs::show::run(&args, &app),
        Verb::Logs(args) => verbs::logs::run(&args, &app),
        Verb::Spend(args) => verbs::spend::run(&args, &app),
        Verb::Reviews(args) => verbs::reviews::run(&args, &app),
        Verb::Review(args) => verbs::review::run(&args, &app),
        Verb::Approve(args) => verbs::approve::run(&args, &app),
        Verb::SendBack(args) => verbs::send_back::run(&args, &app),
        Verb::Reject(args) => verbs::reject::run(&args, &app),
        Verb::Later(args) => verbs::later::run(&args, &app),
        Verb::Undo(args) => verbs::undo::run(&args, &app),
        Verb::Halt(args) => verbs::halt::run(&args, &app),
        Verb::Resume(args) => verbs::resume::run(&args, &app),
        Verb::Drill => verbs::drill::run(&app),
        Verb::Tick => verbs::tick::run(&app),
        Verb::Serve(args) => verbs::serve::run(&args, &app),
        Verb::Desktop(verb) => verbs::desktop::run(&verb, &app),
        Verb::Doctor(args) => verbs::doctor::run(&args, &app),
        Verb::Simulate(args) => verbs::simulate::run(&args, &app),
        Verb::RunInner(args) => verbs::run_inner::run(&args, &app),
        Verb::FinallyInner(args) => verbs::run_inner::finally(&args, &app),
    }
}
