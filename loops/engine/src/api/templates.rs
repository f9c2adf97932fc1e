//! The loops that ship with the program: each a folder with its `loop.yaml` and the scripts beside it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use loopwright_core::definition::read_bytes;
use loopwright_core::exit;

use super::{ApiError, Context, TemplateFile, TemplateView, WrittenTemplate};
use crate::git::UserRepo;
use crate::home::replace;
use crate::os;

/// The file that makes a folder a loop.
const LOOP_FILE: &str = "loop.yaml";

/// A shipped loop.
struct Shipped {
    name: &'static str,
    text: &'static str,
    /// What lies beside `loop.yaml`: name and text.
    beside: &'static [(&'static str, &'static str)],
    /// Files of which the repository has to have one; without them a run can only fail.
    needs: &'static [&'static str],
}

/// A shipped folder by its name, and what lies in it besides `loop.yaml`.
macro_rules! shipped {
    ($name:literal $(, $file:literal)*) => {
        Shipped {
            name: $name,
            text: include_str!(concat!("../../../templates/", $name, "/loop.yaml")),
            beside: &[$(($file, include_str!(concat!("../../../templates/", $name, "/", $file)))),*],
            needs: &[],
        }
    };
}

const SHIPPED: [Shipped; 7] = [
    shipped!("daily-triage"),
    shipped!("report"),
    shipped!("todo-sweep"),
    shipped!("tidy"),
    Shipped { needs: &["Cargo.lock", "package-lock.json"], ..shipped!("dependency-updates", "fetch.sh", "update.sh") },
    shipped!("nightly-backup", "copy.sh", "report.sh"),
    shipped!(
        "trading-day",
        "book.sh",
        "engine.sh",
        "login.sh",
        "monitor.sh",
        "notify.sh",
        "open-day.sh",
        "report.sh",
        "square-off.sh"
    ),
];

/// The loop of the sample; it fits no other repository, so it is not among the templates.
const SAMPLE: Shipped = Shipped {
    name: super::sample::NAME,
    text: include_str!("../../../sample/loop.yaml"),
    beside: &[
        ("maker.sh", include_str!("../../../sample/maker.sh")),
        ("checker.sh", include_str!("../../../sample/checker.sh")),
    ],
    needs: &[],
};

/// All shipped loops; the first comment line of each says what it is for.
pub fn templates() -> Vec<TemplateView> {
    SHIPPED.iter().map(view).collect()
}

/// Writes a shipped loop as a folder of the person's own.
///
/// # Errors
/// There is no such template, or a file of it is there already with another text.
pub fn write_template(context: &Context, name: &str, folder: &Path) -> Result<WrittenTemplate, ApiError> {
    let shipped = find(name).ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("there is no template {name}")).hint("`loopwright templates` lists them")
    })?;
    let folder = context.cwd.join(folder);
    refuse_other(&folder, [(LOOP_FILE, shipped.text)].iter().chain(shipped.beside))?;
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    write_beside(name, &folder)?;
    replace(&folder.join(LOOP_FILE), shipped.text.as_bytes())?;
    let names = shipped.beside.iter().map(|(file, _)| *file);
    Ok(WrittenTemplate {
        name: name.to_owned(),
        files: names.chain([LOOP_FILE]).map(|file| folder.join(file).display().to_string()).collect(),
    })
}

/// One shipped loop's text.
pub(super) fn text(name: &str) -> Option<&'static str> {
    find(name).map(|shipped| shipped.text)
}

/// Whether a template's text is a loop that looks for work in a repository.
pub(super) fn works_on_code(text: &str) -> bool {
    read_bytes(text.as_bytes()).definition.is_some_and(|definition| definition.discover.is_some())
}

/// Refuses a repository in which every run of the template would fail, as nothing of what it works on is committed.
pub(super) fn refuse_unfit(name: &str, user: &UserRepo) -> Result<(), ApiError> {
    let needs = find(name).map_or(&[][..], |shipped| shipped.needs);
    let committed = |file: &&str| user.committed(Path::new(file)).is_some();
    // Where no branch is checked out, that is what a run says first.
    if needs.is_empty() || user.branch.is_none() || needs.iter().any(committed) {
        return Ok(());
    }
    let message = format!("{name} would fail here: neither {} is committed", needs.join(" nor "));
    Err(ApiError::new(exit::FAILED, message).hint("commit one of them, or choose another: `loopwright templates`"))
}

/// Refuses a folder in which a file of the template is already, with another text.
pub(super) fn refuse_beside(name: &str, folder: &Path) -> Result<(), ApiError> {
    refuse_other(folder, find(name).map_or(&[][..], |shipped| shipped.beside))
}

/// Writes what lies beside a template's `loop.yaml` into the folder of the new loop, scripts as programs.
pub(super) fn write_beside(name: &str, folder: &Path) -> anyhow::Result<()> {
    for (file, text) in find(name).map_or(&[][..], |shipped| shipped.beside) {
        let path = folder.join(file);
        replace(&path, text.as_bytes())?;
        os::set_program(&path, text.starts_with("#!"))
            .with_context(|| format!("making {} a program", path.display()))?;
    }
    Ok(())
}

fn refuse_other<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = &'a (&'static str, &'static str)>,
) -> Result<(), ApiError> {
    let differs = |path: &PathBuf, text: &str| {
        path.symlink_metadata()
            .is_ok_and(|found| !found.is_file() || fs::read(path).is_ok_and(|t| t != text.as_bytes()))
    };
    for (file, text) in files {
        let path = folder.join(file);
        if differs(&path, text) {
            let message = format!("{} is there already, with another text; it is left as it is", path.display());
            return Err(ApiError::new(exit::FAILED, message).hint("move it away, or choose another name or folder"));
        }
    }
    Ok(())
}

fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().chain([&SAMPLE]).find(|shipped| shipped.name == name)
}

fn view(shipped: &Shipped) -> TemplateView {
    let file = |(path, text): &(&str, &str)| TemplateFile { path: (*path).to_owned(), text: (*text).to_owned() };
    TemplateView {
        name: shipped.name.to_owned(),
        summary: shipped.text.lines().next().unwrap_or_default().trim_start_matches('#').trim().to_owned(),
        text: shipped.text.to_owned(),
        beside: shipped.beside.iter().map(file).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use loopwright_core::definition::read;

    #[test]
    fn all_are_valid_and_say_what_they_are_for() {
        for template in templates() {
            let reading = read(&template.text);
            assert!(reading.diagnostics.is_empty(), "{}: {:?}", template.name, reading.diagnostics);
            assert_eq!(reading.definition.expect("a loop").name, template.name);
            assert!(template.summary.ends_with('.'), "{}", template.summary);
        }
    }

    #[test]
    fn another_text_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        write_beside("trading-day", folder.path()).expect("written");
        assert!(refuse_beside("trading-day", folder.path()).is_ok(), "the same text may stand there");
        fs::write(folder.path().join("engine.sh"), "mine").expect("a file");
        let refused = refuse_beside("trading-day", folder.path()).expect_err("another text");
        assert!(refused.message.contains("engine.sh is there already"), "{}", refused.message);
        fs::remove_file(folder.path().join("engine.sh")).expect("gone");
        std::os::unix::fs::symlink("book.sh", folder.path().join("engine.sh")).expect("a link");
        assert!(refuse_beside("trading-day", folder.path()).is_err(), "a link leads elsewhere");
    }

    #[test]
    fn each_folder_is_shipped_whole() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
        let mut there: Vec<String> = Vec::new();
        for folder in fs::read_dir(&root).expect("the templates").flatten() {
            for file in fs::read_dir(folder.path()).expect("a template").flatten() {
                let path = file.path();
                there.push(path.strip_prefix(&root).expect("below").display().to_string());
                let program = fs::read_to_string(&path).expect("a text").starts_with("#!");
                let mode = file.metadata().expect("a file").permissions().mode();
                assert_eq!(mode & 0o111 != 0, program, "{}: what begins with #! is a program", path.display());
            }
        }
        let mut known: Vec<String> = Vec::new();
        for template in templates() {
            known.push(format!("{}/loop.yaml", template.name));
            known.extend(template.beside.iter().map(|file| format!("{}/{}", template.name, file.path)));
        }
        there.sort();
        known.sort();
        assert_eq!(there, known);
    }

    #[test]
    fn what_a_template_needs_is_what_its_first_step_asks_for() {
        for template in SHIPPED.iter().filter(|shipped| !shipped.needs.is_empty()) {
            let (first, _) = template.text.split_once("name: fetch").expect("its first step");
            for file in template.needs {
                assert!(first.contains(&format!("[ -e {file} ]")), "{}: {file}", template.name);
            }
            assert_eq!(first.matches("[ -e ").count(), template.needs.len(), "{}", template.name);
        }
    }

    #[test]
    fn what_todo_sweep_has_in_comments_is_valid_too() {
        let text = text("todo-sweep").expect("the template");
        assert!(read(text).definition.expect("a loop").work.is_none(), "it reports first");
        let code = |l: &str| {
            ["- ", "agents:", "    ", "  implementer:", "  reviewer:"].iter().any(|start| l.starts_with(start))
        };
        let uncommented: String = text
            .lines()
            .map(|line| match line.split_once("# ") {
                Some((before, rest)) if before.trim().is_empty() && code(rest) => format!("{before}{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let reading = read(&uncommented);
        let work = reading.definition.unwrap_or_else(|| panic!("{:?}\n{uncommented}", reading.diagnostics)).work;
        assert_eq!(work.expect("all steps").act.maker, "implementer");
    }
}
