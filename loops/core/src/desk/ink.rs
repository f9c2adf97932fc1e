//! In which ink the icon is drawn. Linux has no icons that a panel colours itself, so what is behind them is guessed.

use crate::definition::preferences::TrayIcon;

use super::Sign;

/// The colour of an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// For light panels.
    Dark,
    /// For dark panels.
    Light,
    /// Light with a dark line around it: seen on both.
    Outlined,
}

impl Ink {
    /// The word that is in the names of its files.
    pub fn word(self) -> &'static str {
        match self {
            Ink::Dark => "dark",
            Ink::Light => "light",
            Ink::Outlined => "outlined",
        }
    }

    /// The ink that a person chose or, without that, the one for a desktop (`XDG_CURRENT_DESKTOP`) and its colour scheme.
    /// GNOME's panel is dark whatever the scheme says, and so is that of Xfce and others unless somebody changed it: there,
    /// and where no scheme is told, what is seen on both.
    pub fn of(chosen: TrayIcon, desktop: &str, prefers_dark: Option<bool>) -> Ink {
        let follows = desktop.split(':').any(|name| ["KDE", "LXQt", "MATE", "COSMIC"].contains(&name));
        match (chosen, prefers_dark.filter(|_| follows)) {
            (TrayIcon::Dark, _) | (TrayIcon::Automatic, Some(false)) => Ink::Dark,
            (TrayIcon::Light, _) | (TrayIcon::Automatic, Some(true)) => Ink::Light,
            (TrayIcon::Outlined, _) | (TrayIcon::Automatic, None) => Ink::Outlined,
        }
    }
}

impl Sign {
    /// The word that is in the names of its files.
    pub fn picture(self) -> String {
        match self {
            Sign::Idle => "idle".to_owned(),
            Sign::Running => "running".to_owned(),
            Sign::NeedsYou(n @ 1..=9) => format!("needs-{n}"),
            Sign::NeedsYou(_) => "needs-more".to_owned(),
            Sign::Halted => "halted".to_owned(),
            Sign::Degraded => "degraded".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gnome_gets_what_is_seen_on_every_panel() {
        let on = |desktop, dark| Ink::of(TrayIcon::Automatic, desktop, dark);
        assert_eq!(on("ubuntu:GNOME", Some(true)), Ink::Outlined);
        assert_eq!(on("XFCE", Some(false)), Ink::Outlined);
        assert_eq!(on("KDE", Some(true)), Ink::Light);
        assert_eq!(on("KDE", Some(false)), Ink::Dark);
        assert_eq!(on("KDE", None), Ink::Outlined);
        assert_eq!(on("", None), Ink::Outlined);
        assert_eq!(Ink::of(TrayIcon::Dark, "ubuntu:GNOME", Some(true)), Ink::Dark);
    }

    #[test]
    fn numerals_end_at_nine() {
        assert_eq!(Sign::NeedsYou(9).picture(), "needs-9");
        assert_eq!(Sign::NeedsYou(10).picture(), "needs-more");
    }
}
