//! The part of the schema that says when a loop starts by itself.

use serde_json::{Value, json};

use super::{duration, object, text_like};

/// One phrase, or a list of them.
pub(super) fn trigger() -> Value {
    let word = "(\\w[\\w-]*|\"[^\"]*\"|'[^']*')";
    let text = "(\".+\"|'.+')";
    let calls = format!(
        "cron\\({text}\\)|every\\([0-9]+[smhd]\\)|at\\({text}\\)|after\\({word}(,\\s*{word})?\\)|file\\({text}\\)"
    );
    let what = "What starts the loop: cron(\"0 9 * * MON-FRI\"), every(15m), at(\"2026-12-01 08:25\"), after(other-loop), \
                file(\"incoming/*.csv\") or manual; or a list of several.";
    let one = json!({"type": "string", "pattern": format!("^\\s*(manual|{calls})\\s*$")});
    let several = json!({"type": "array", "minItems": 1, "maxItems": 10, "uniqueItems": true, "items": one});
    json!({"description": what, "anyOf": [one, several]})
}

/// A word, or a mapping that also says how long.
pub(super) fn catch_up() -> Value {
    let how =
        text_like("^\\s*(skip|once|all\\(\\s*[0-9]+\\s*\\))\\s*$", "skip, once (the last) or all(5) (the last five).");
    let whole = object(&[], json!({"how": how, "within": duration("How late one may still start; default 12h.")}));
    json!({"description": "What becomes of times that were missed; default once, within 12h.", "anyOf": [how, whole]})
}

/// What becomes of a time at which the loop still runs.
pub(super) fn overlap() -> Value {
    text_like(
        "^\\s*(skip|queue\\(\\s*1\\s*\\)|cancel_previous)\\s*$",
        "What becomes of a time at which the loop still runs: skip (default), queue(1) or cancel_previous.",
    )
}

/// A part of the day.
pub(super) fn quiet_hours() -> Value {
    let time = "([01]?[0-9]|2[0-3]):[0-5][0-9]";
    text_like(&format!("^\\s*{time}\\s*-\\s*{time}\\s*$"), "When nothing starts by itself, as in \"22:00-07:00\".")
}
