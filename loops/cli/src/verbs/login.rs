//! `loopwright login [PROVIDER]` and `loopwright logout PROVIDER`

use std::io::{self, Read as _};

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, CredentialState, CredentialView, CredentialsView};
use loopwright_engine::secrets::{KeychainState, MOST_BYTES, Secret};

use crate::App;
use crate::args::{LoginArgs, LogoutArgs};
use crate::commands::{self, command};
use crate::output::usage_error;
use crate::page::{Page, Tint};
use crate::render::marked;

pub(crate) fn login(args: &LoginArgs, app: &App) -> Result<u8, ApiError> {
    let Some(provider) = &args.provider else {
        let view = api::credentials(&app.context)?;
        app.output.answer(&view, |page| list(page, &view, app))?;
        return Ok(exit::DONE);
    };
    let secret = match args.stdin {
        true => from_stdin()?,
        false => asked(provider, app)?,
    };
    let view = api::login(&app.context, provider, &secret)?;
    app.output.answer(&view, |page| {
        marked(page, 0, Mark::Passed, &format!("The key for {provider} is in the keychain, and nowhere else."));
    })?;
    Ok(exit::DONE)
}

pub(crate) fn logout(args: &LogoutArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::logout(&app.context, &args.provider)?;
    app.output.answer(&view, |page| {
        marked(page, 0, Mark::Passed, &format!("The key for {} is gone from the keychain.", args.provider));
    })?;
    Ok(exit::DONE)
}

/// What stands on standard input, without the end of its line.
fn from_stdin() -> Result<Secret, ApiError> {
    let mut bytes = Vec::with_capacity(MOST_BYTES + 8);
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX) + 3;
    let read = io::stdin().lock().take(most).read_to_end(&mut bytes);
    let secret = Secret::new(bytes);
    read.map_err(|error| ApiError::new(exit::FAILED, format!("the key can't be read from standard input: {error}")))?;
    let line = secret.bytes();
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    Ok(Secret::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
}

fn asked(provider: &str, app: &App) -> Result<Secret, ApiError> {
    if !app.output.person() {
        let hint = command(&format!("login {provider} --stdin < FILE-OR-PIPE"));
        return Err(usage_error("nobody is here to ask for the key; nothing was stored", hint));
    }
    let typed = rpassword::prompt_password(format!("The key for {provider} (it is not shown): "));
    let typed = typed.map_err(|error| ApiError::new(exit::FAILED, format!("the key can't be asked for: {error}")))?;
    Ok(Secret::new(typed.into_bytes()))
}

fn list(page: &mut Page, view: &CredentialsView, app: &App) {
    if let (Some(why), Some(repair)) = (&view.keychain.why, &view.keychain.repair) {
        let mark = if view.keychain.state == KeychainState::Ready { Mark::Passed } else { Mark::NeedsYou };
        marked(page, 0, mark, &format!("{why}: {}", commands::in_text(repair)));
    }
    for key in &view.credentials {
        let added = app.zone.day_time(&key.added.to_rfc3339(), app.context.now);
        let (mark, text) = told(key);
        marked(page, 0, mark, &format!("{}: {text}, stored {added}", key.name));
    }
    if view.credentials.is_empty() {
        page.say("No key is stored. ").tinted(Tint::Accent, &command("login PROVIDER"));
    }
}

fn told(key: &CredentialView) -> (Mark, &'static str) {
    match key.state {
        CredentialState::Stored => (Mark::Passed, "in the keychain"),
        CredentialState::Missing => (Mark::Failed, "no longer in the keychain"),
        CredentialState::Unknown => (Mark::Skipped, "not known, as the keychain can't be asked"),
    }
}
