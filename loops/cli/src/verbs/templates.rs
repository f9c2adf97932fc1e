//! `loopwright templates [NAME] [--out FOLDER]`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError, TemplateView, WrittenTemplate};

use crate::App;
use crate::args::TemplatesArgs;
use crate::commands::command;
use crate::output::usage_error;
use crate::page::{Page, Tint};
use crate::render;

pub(crate) fn run(args: &TemplatesArgs, app: &App) -> Result<u8, ApiError> {
    let all = api::templates();
    match (&args.name, &args.out) {
        (Some(name), Some(folder)) => {
            let written = api::write_template(&app.context, name, folder)?;
            app.output.answer(&written, |page| list_written(page, &written))?;
        }
        (Some(name), None) => {
            let unknown = || {
                let hint = format!("see `{}`", command("templates"));
                usage_error(format!("there is no template `{name}`"), hint)
            };
            let one = all.iter().find(|t| t.name == *name).ok_or_else(unknown)?;
            app.output.answer(one, |page| page.block(&one.text))?;
        }
        (None, _) => app.output.answer(&all, |page| list(page, &all))?,
    }
    Ok(exit::DONE)
}

fn list(page: &mut Page, all: &[TemplateView]) {
    let cells = |t: &TemplateView| vec![(Tint::Strong, t.name.clone()), (Tint::Plain, t.summary.clone())];
    render::aligned(page, 0, &all.iter().map(cells).collect::<Vec<_>>());
    if let Some(first) = all.first() {
        page.gap();
        let add = command(&format!("add {} --repo FOLDER", first.name));
        page.tinted(Tint::Accent, &add);
    }
}

fn list_written(page: &mut Page, written: &WrittenTemplate) {
    for file in &written.files {
        page.line(file);
    }
}
