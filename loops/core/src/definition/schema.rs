//! The JSON Schema of a loop file, for editors: keys, shapes and what each of them means.
//!
//! It is looser than [`super::read()`], which alone decides: what a phrase says is only sketched here.
//! Draft 7, because that is what editors of YAML know.

mod chores;
#[cfg(test)]
mod tests;
mod timing;

use serde_json::{Value, json};

/// The committed copy, as it is printed; a test holds it to [`schema`].
pub const TEXT: &str = include_str!("../../schema/loop.schema.json");

/// The schema.
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A Loopwright loop",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "trigger", "steps"],
        "if": {"properties": {"steps": {"contains": {"required": ["act"]}}}},
        "then": {
            "required": ["guardrails"],
            "properties": {"guardrails": {"required": ["max_iterations", "budget", "halt_on"]}},
        },
        "properties": {
            "version": {"const": 1, "description": "The version of the format."},
            "name": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$", "description": "The loop's name."},
            "trigger": timing::trigger(),
            "timezone": {"type": "string", "description": "The IANA zone of all times; default: the computer's."},
            "zone": {"type": "string", "description": "The older name of timezone."},
            "wake": {"type": "boolean", "description": "Whether the computer is to be woken for the times; default false."},
            "catch_up": timing::catch_up(),
            "overlap": timing::overlap(),
            "jitter": duration("It starts up to so much later, to spread loops; at most 1h."),
            "quiet_hours": timing::quiet_hours(),
            "battery": {"enum": ["run", "skip", "wait"], "description": "What becomes of a start on battery; default run."},
            "repo": {"type": "string", "description": "The repository; default: the git root above the file."},
            "isolation": isolation(),
            "steps": steps(),
            "guardrails": guardrails(),
            "review": review(),
            "independence": {"enum": ["model", "vendor"], "description": "How different maker and checker must be."},
            "agents": {"type": "object", "additionalProperties": agent(), "description": "Agents by name: any program."},
            "checks": checks(),
            "setup": described(command(), "Prepares a checkout, once per lock file."),
            "env": env(),
        },
    })
}

fn steps() -> Value {
    let one = |name: &str, body: Value| {
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": [name],
            "properties": {name: body},
        })
    };
    json!({
        "description": "run and wait, then discover, act, verify and ship, in this order, and finally at the end; \
                        discover without the next three only reports, and run steps alone are a loop too.",
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [
            one("run", chores::run(false)),
            one("wait", chores::wait()),
            one("discover", discover()),
            one("act", act()),
            one("verify", verify()),
            one("ship", ship()),
            one("finally", chores::finally(&one("run", chores::run(true)))),
        ]},
    })
}

fn discover() -> Value {
    let command = "command\\(\\s*(\"[^\"]*\"|'[^']*')\\s*\\)";
    let source = format!("(scan_ci_failures(\\([^)]*\\))?|open_issues|recent_commits|todo_comments|{command})");
    let run = format!("^\\s*{source}(\\s*\\+\\s*{source})*\\s*$");
    object(
        &["run", "write_to"],
        json!({
            "run": text_like(&run, "Where findings come from, joined by +."),
            "write_to": text_like("^state/\\S+$", "The list of findings, below the loop's own state folder."),
            "retry": retry(),
        }),
    )
}

fn act() -> Value {
    object(
        &["for_each", "spawn"],
        json!({
            "for_each": text_like("^\\s*finding\\s+in\\s+state/\\S+\\s*$", "finding in the list that discover writes."),
            "spawn": text_like("^\\s*[A-Za-z_][A-Za-z0-9_-]*\\(\\s*finding\\s*\\)\\s*$", "The maker, given the finding."),
            "isolation": isolation(),
            "parallel": whole(1, 8, "Findings worked on at once; default 1."),
            "retry": retry(),
        }),
    )
}

fn verify() -> Value {
    object(
        &["check"],
        json!({
            "agent": {"type": "string", "description": "The checker; without one, gates alone."},
            "check": {"type": "string", "minLength": 1, "description": "Gates, combined by AND, OR, NOT and brackets."},
            "retry": retry(),
        }),
    )
}

fn ship() -> Value {
    let run = "^\\s*open_pr(\\s*\\+\\s*(link_issue|notify_slack))*\\s*$";
    object(
        &["if", "run"],
        json!({
            "if": {"const": "verified", "description": "Only what was verified is shipped."},
            "run": text_like(run, "open_pr first, then link_issue and notify_slack, joined by +."),
            "retry": retry(),
        }),
    )
}

fn guardrails() -> Value {
    let fields = json!({
        "max_iterations": whole(1, 20, "Rounds of maker and checker per finding."),
        "budget": budget(),
        "halt_on": text_like("^\\s*no_progress\\(\\s*([1-9]|10)\\s*\\)\\s*$", "Rounds without progress that stop a finding: no_progress(2)."),
        "max_duration": duration("How long a run may take; default 2h."),
        "max_tokens": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]+[kM]?$"}], "description": "Tokens per run."},
        "max_turns": whole(1, 1000, "Turns of an agent per attempt."),
        "max_findings": whole(1, 50, "Findings that one run acts on; default 5."),
    });
    let rails = object(&[], fields);
    described(rails, "When the loop stops; where it acts, the first three are required.")
}

fn budget() -> Value {
    let amount = |per: &str| json!({"type": "string", "pattern": format!("^\\s*\\$[0-9]+(\\.[0-9]{{1,6}})?\\s*/\\s*{per}\\s*$")});
    let several = json!({
        "type": "array", "minItems": 1, "maxItems": 3, "items": amount("(run|day|month)"), "contains": amount("run"),
    });
    json!({
        "description": "What one run may cost at most: $5/run; with a day or a month, a list: [$5/run, $20/day].",
        "anyOf": [amount("run"), several],
    })
}

fn review() -> Value {
    object(
        &[],
        json!({
            "max_open": whole(1, 50, "Open pull requests beyond which the loop only discovers; default 3."),
            "merge": {"enum": ["squash", "merge", "fast_forward"], "description": "How an approved change lands; default squash."},
        }),
    )
}

fn agent() -> Value {
    object(
        &["command", "price"],
        json!({
            "command": command(),
            "price": text_like("^\\s*\\$([0-9]+(\\.[0-9]{1,6})?\\s*/\\s*attempt|0+(\\.0{1,6})?)\\s*$", "What one attempt costs at most: $0 or $0.50/attempt."),
            "model": {"type": "string", "description": "The model it is; none = deterministic."},
            "vendor": {"type": "string", "description": "Whose model that is."},
            "idle": duration("Silence after which it is ended; default 5m."),
            "max": duration("Time after which one attempt is ended; default 30m."),
        }),
    )
}

fn checks() -> Value {
    let several = json!({"type": "array", "minItems": 1, "items": command()});
    json!({
        "description": "Commands by the gate's name; others are detected.",
        "type": "object",
        "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$", "not": {"const": "diff_reasonable"}},
        "additionalProperties": {"anyOf": [command(), several]},
    })
}

fn env() -> Value {
    json!({
        "description": "Variables for setup, makers and gates; secrets live in the keychain.",
        "type": "object",
        "propertyNames": {"pattern": "^[A-Z_][A-Z0-9_]*$", "not": {"pattern": "(TOKEN|SECRET|PASSWORD|KEY)$"}},
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    })
}

fn isolation() -> Value {
    json!({"const": "worktree", "description": "A private working tree inside the sandbox."})
}

fn retry() -> Value {
    object(
        &["times"],
        json!({
            "times": whole(1, 10, "Further tries."),
            "every": duration("Time between two; default 30s."),
        }),
    )
}

fn command() -> Value {
    let words = json!({"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}});
    json!({"anyOf": [{"type": "string", "minLength": 1}, words]})
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn text_like(pattern: &str, description: &str) -> Value {
    json!({"type": "string", "pattern": pattern, "description": description})
}

fn whole(least: u32, most: u32, description: &str) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most, "description": description})
}

fn duration(description: &str) -> Value {
    text_like("^[0-9]+[smhd]$", description)
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}
