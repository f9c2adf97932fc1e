//! `loopwright doctor`: what is there, what is missing, and the command that repairs it.

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, DoctorRow, Header};

use crate::App;
use crate::args::DoctorArgs;
use crate::commands;
use crate::page::{Page, Tint};
use crate::render::{aligned, tint};

pub(crate) fn run(args: &DoctorArgs, app: &App) -> Result<u8, ApiError> {
    match args.repair {
        true => repair(args, app),
        false => look(app),
    }
}

/// Repairs, and exits 21 where a person has to do the rest.
fn repair(args: &DoctorArgs, app: &App) -> Result<u8, ApiError> {
    let header = if args.not_newer { Header::Damaged } else { Header::Believed };
    let view = api::repair(&app.context, header)?;
    app.output.answer(&view, |page| {
        page.line(if view.damaged { "The database was damaged and is repaired." } else { "The database is sound." });
        for line in &view.lines {
            page.line(&format!("- {line}"));
        }
        for line in &view.left {
            page.tinted(Tint::Accent, &format!("! {}", commands::in_text(line)));
        }
    })?;
    Ok(if view.left.is_empty() { exit::DONE } else { exit::WAITS })
}

fn look(app: &App) -> Result<u8, ApiError> {
    let rows = api::doctor(&app.context);
    app.output.answer(&rows, |page| table(page, &rows))?;
    Ok(match rows.iter().any(missing) {
        true => exit::FAILED,
        false => exit::DONE,
    })
}

fn missing(row: &DoctorRow) -> bool {
    matches!(mark(row), Mark::Failed | Mark::Halted)
}

fn mark(row: &DoctorRow) -> Mark {
    match row.state.as_str() {
        "ok" => Mark::Passed,
        "not built yet" | "not seen" => Mark::Skipped,
        "not advised" => Mark::NeedsYou,
        "halted" => Mark::Halted,
        _ => Mark::Failed,
    }
}

fn table(page: &mut Page, rows: &[DoctorRow]) {
    let cells = |r: &DoctorRow| {
        let mark = mark(r);
        let repair = r.repair.as_deref().map(commands::in_text).unwrap_or_default();
        vec![
            (tint(mark), format!("{} {}", mark.shape(), r.part)),
            (Tint::Plain, r.state.clone()),
            (Tint::Plain, r.detail.clone()),
            (Tint::Accent, repair),
        ]
    };
    aligned(page, 0, &rows.iter().map(cells).collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repair_stands_beside_what_is_missing() {
        let row = |part: &str, state: &str, repair: Option<&str>| DoctorRow {
            part: part.to_owned(),
            state: state.to_owned(),
            detail: "seen".to_owned(),
            repair: repair.map(str::to_owned),
        };
        let rows = [
            row("git", "ok", None),
            row("sandbox", "missing", Some("apt install bubblewrap")),
            row("gateway", "not built yet", None),
        ];
        let mut page = Page::new(false);
        table(&mut page, &rows);
        insta::assert_snapshot!(page.text());
        assert_eq!(rows.iter().map(missing).collect::<Vec<_>>(), [false, true, false]);
    }
}
