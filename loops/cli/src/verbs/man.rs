//! `loopwright man [VERB] [--out FOLDER]`: manual pages, made of the same words as `--help`.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use loopwright_core::exit;
use loopwright_engine::api::ApiError;

use crate::args::{Cli, ManArgs};
use crate::commands::command;
use crate::output::{Output, usage_error};

pub(crate) fn run(args: &ManArgs, output: &Output) -> Result<u8, ApiError> {
    let pages = pages();
    if let Some(folder) = &args.out {
        return write(&pages, folder, output);
    }
    let name = args.verb.as_ref().map_or_else(|| "loopwright".to_owned(), |verb| format!("loopwright-{verb}"));
    let unknown = || usage_error(format!("there is no verb {}", &name["loopwright-".len()..]), command("--help"));
    let (_, page) = pages.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
    output.print_raw(page);
    Ok(exit::DONE)
}

/// Each page with its name: the program's first, then a verb's each.
fn pages() -> Vec<(String, String)> {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    let verbs = whole.get_subcommands().filter(|verb| !verb.is_hide_set());
    let verbs: Vec<(String, Command)> = verbs.map(|v| (format!("loopwright-{}", v.get_name()), v.clone())).collect();
    std::iter::once(("loopwright".to_owned(), whole.clone())).chain(verbs).map(|(name, of)| page(name, of)).collect()
}

fn page(name: String, of: Command) -> (String, String) {
    let man = Man::new(of).title(name.to_uppercase()).source(concat!("Loopwright ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    // A vector takes whatever is written.
    let _ = man.manual("Loopwright's manual").render(&mut page);
    (name, String::from_utf8_lossy(&page).into_owned())
}

fn write(pages: &[(String, String)], folder: &Path, output: &Output) -> Result<u8, ApiError> {
    let failed = |error: std::io::Error| {
        ApiError::new(exit::FAILED, format!("writing manual pages into {}: {error}", folder.display()))
            .hint("name a folder that you may write to with --out")
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let mut files = Vec::new();
    for (name, page) in pages {
        let file = folder.join(format!("{name}.1"));
        fs::write(&file, page).map_err(failed)?;
        files.push(file.display().to_string());
    }
    output.answer(&files, |out| out.line(&format!("{} pages in {}", files.len(), folder.display())))?;
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_a_page_that_names_it() {
        let pages = pages();
        assert!(pages.len() > 15, "{}", pages.len());
        for (name, page) in &pages {
            assert!(page.contains(&format!(".TH {} 1", name.to_uppercase())), "{name}: {page}");
            assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}");
        }
        assert!(!pages.iter().any(|(name, _)| name.contains("__")), "internal verbs have none");
    }
}
