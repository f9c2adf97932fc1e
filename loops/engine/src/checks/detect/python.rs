//! Python: pytest with a report in JUnit XML, and ruff where it is configured; from `.venv` where `setup` made one.

use loopwright_core::definition::Command;

use super::{DetectedCheck, LINTS, Look, TESTS};

/// Which Python runs pytest: that of `.venv`, or `python3`, or the system's where that one alone has pytest.
macro_rules! python {
    () => {
        "python=python3; has() { \"$1\" -c 'import pytest' 2>/dev/null; }
if [ -x .venv/bin/python ]; then python=.venv/bin/python
elif ! has python3 && has /usr/bin/python3; then python=/usr/bin/python3; fi
"
    };
}

/// Runs pytest and writes its report to standard output, what it says for people to standard error. A file that can't be
/// imported does not keep the others from running; no tests at all is no failure.
const PYTEST: &str = concat!(
    python!(),
    "\"$python\" -m pytest -q -p no:cacheprovider --continue-on-collection-errors -o junit_family=xunit1 \
--junitxml=/tmp/pytest.xml >&2
code=$?
cat /tmp/pytest.xml
if [ $code = 5 ]; then code=0; fi
exit $code"
);

/// Whether pytest is there; its last line says which Python has none, and how it gets one.
const PYTEST_THERE: &str = concat!(
    python!(),
    "\"$python\" -m pytest --version && exit
at=$(command -v \"$python\") || { echo 'no python3 is seen there; install it, and pytest for it' >&2; exit 1; }
echo \"$at ($(\"$python\" -V 2>&1)) is the Python seen there, and it has no pytest; install it with that very Python: \
$python -m pip install pytest, or let setup make .venv with pytest in it\" >&2
exit 1"
);

/// Begins a line for the shell that runs ruff; its arguments follow.
pub(crate) const RUFF: &str = "ruff=ruff; if [ -x .venv/bin/ruff ]; then ruff=.venv/bin/ruff; fi; exec \"$ruff\" ";

/// The checks of a Python project.
pub(super) fn checks(look: &Look<'_>) -> Vec<DetectedCheck> {
    let tests = pytest_origin(look).map(|origin| {
        let (name, origin) = (TESTS.to_owned(), format!("detected: {origin}"));
        let (commands, probes) = (vec![script(PYTEST, "pytest")], vec![script(PYTEST_THERE, "pytest")]);
        DetectedCheck { name, commands, origin, probes }
    });
    tests.into_iter().chain(ruff(look)).collect()
}

/// The file that says that there are tests for pytest.
fn pytest_origin(look: &Look<'_>) -> Option<&'static str> {
    let says = |file: &str, word: &str| look(file).is_some_and(|text| text.contains(word));
    let named = [
        ("pytest.ini", ""),
        ("pyproject.toml", "pytest"),
        ("setup.cfg", "[tool:pytest]"),
        ("tox.ini", "[pytest]"),
        ("conftest.py", ""),
        ("tests/conftest.py", ""),
        ("requirements.txt", "pytest"),
        ("requirements-dev.txt", "pytest"),
    ];
    let found = named.into_iter().find(|(file, word)| says(file, word)).map(|(file, _)| file);
    let packaged =
        || ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt"].into_iter().find(|f| look(f).is_some());
    found.or_else(|| packaged().filter(|_| look("tests").is_some()))
}

fn ruff(look: &Look<'_>) -> Option<DetectedCheck> {
    let text = |file: &str| look(file);
    let project =
        text("pyproject.toml").filter(|t| t.contains("[tool.ruff")).map(|t| (t, "[tool.ruff.format", "pyproject.toml"));
    let own = ["ruff.toml", ".ruff.toml"].into_iter().find_map(|file| Some((text(file)?, "[format", file)));
    let (settings, format, file) = project.or(own)?;
    let run = |words: &str| script(&format!("{RUFF}{words}"), "ruff");
    let mut commands = vec![run("check --no-cache --output-format json .")];
    // Who says how to format, formats.
    if settings.contains(format) {
        commands.push(run("format --no-cache --check ."));
    }
    let (name, origin, probes) = (LINTS.to_owned(), format!("detected: {file}"), vec![run("--version")]);
    Some(DetectedCheck { name, commands, origin, probes })
}

/// A script of ours; its name stands behind it, for people and for whoever reads the output.
fn script(text: &str, name: &str) -> Command {
    Command::Argv(["sh", "-c", text, name].map(str::to_owned).into())
}
