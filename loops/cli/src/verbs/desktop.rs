//! Which verb about the keychain, wake timers and login was meant.

use loopwright_engine::api::ApiError;

use super::{autostart, login, wake};
use crate::App;
use crate::args::DesktopVerb;

pub(crate) fn run(verb: &DesktopVerb, app: &App) -> Result<u8, ApiError> {
    match verb {
        DesktopVerb::Login(args) => login::login(args, app),
        DesktopVerb::Logout(args) => login::logout(args, app),
        DesktopVerb::Wake(args) => wake::run(args, app),
        DesktopVerb::Autostart(args) => autostart::run(args, app),
    }
}
