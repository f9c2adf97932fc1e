//! The part of the schema that says what steps without findings are.

use serde_json::{Value, json};

use super::{command, described, duration, object, retry, text_like};

/// `- run:`; `last` = in `finally`.
pub(super) fn run(last: bool) -> Value {
    let mut keys = json!({
        "name": text_like("^[a-z0-9][a-z0-9_-]{0,39}$", "Its name; default run-1, run-2, …"),
        "command": described(command(), "What is run; ./x lies beside the loop file."),
        "max": duration("Time after which a try has failed, at most 24h."),
        "network": words("Hosts that it may reach, each with its port (default 443): registry.npmjs.org, localhost:8080."),
        "read": words("Paths that it may read: absolute, or below the home folder as in ~/photos."),
        "write": words("Paths that it may write."),
    });
    let more = match last {
        true => json!({"idempotent": {"type": "boolean", "description": "Whether it may be repeated after a crash."}}),
        false => json!({
            "service": {"type": "boolean", "description": "Whether the steps after it begin while it runs."},
            "until": until(),
            "retry": retry(),
        }),
    };
    if let (Some(keys), Value::Object(more)) = (keys.as_object_mut(), more) {
        keys.extend(more);
    }
    json!({"description": "A command in the sandbox.", "anyOf": [object(&["command"], keys), command()]})
}

/// `- wait:`
pub(super) fn wait() -> Value {
    described(object(&["until"], json!({"until": until()})), "Nothing goes on until then.")
}

/// `- finally:`, whose steps are `run`.
pub(super) fn finally(run: &Value) -> Value {
    let steps = json!({"type": "array", "minItems": 1, "items": run});
    let whole = object(
        &["steps"],
        json!({"steps": steps, "max": duration("What they may take together; default 60s, at most 10m.")}),
    );
    json!({"description": "Done once after any end.", "anyOf": [steps, whole]})
}

fn until() -> Value {
    let name = "(\\w[\\w-]*|\"[^\"]*\"|'[^']*')";
    let time = "([01]?[0-9]|2[0-3]):[0-5][0-9]";
    let path = "(\"state/[^\"]+\"|'state/[^']+')";
    text_like(
        &format!("^\\s*({time}|file\\(\\s*{path}\\s*\\)|exit\\(\\s*{name}\\s*\\))\\s*$"),
        "A time (15:30), a file of the loop's state (file(\"state/stop\")), or the end of a service (exit(engine)).",
    )
}

fn words(description: &str) -> Value {
    let one = json!({"type": "string", "minLength": 1});
    let several = json!({"type": "array", "minItems": 1, "maxItems": 50, "uniqueItems": true, "items": one});
    json!({"description": description, "anyOf": [one, several]})
}
