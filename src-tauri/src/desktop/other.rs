//! macOS and Windows: a program with a window has a display and a tray there. Unproven: never run on either.

/// Whether something can be shown.
pub(crate) fn has_display() -> bool {
    true
}

/// Whether a session bus answers; there is none there, and none is needed.
pub(crate) fn has_bus() -> bool {
    true
}

/// Whether something draws icons.
pub(crate) fn has_tray(_within: std::time::Duration) -> bool {
    true
}

/// Tells of a change of the colour scheme; icons are coloured by the system there.
pub(crate) fn follow_scheme(_tell: impl FnMut() -> bool) {}

/// Whether the person prefers dark; icons are coloured by the system there.
pub(crate) fn prefers_dark() -> Option<bool> {
    None
}
