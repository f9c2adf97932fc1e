//! One file per verb: each asks `engine::api` one question, and has the answer rendered.

pub(crate) mod add;
pub(crate) mod approve;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod halt;
pub(crate) mod init;
pub(crate) mod later;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod next;
pub(crate) mod reject;
pub(crate) mod resume;
pub(crate) mod review;
pub(crate) mod reviews;
pub(crate) mod run;
pub(crate) mod run_inner;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod send_back;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod status;
pub(crate) mod templates;
pub(crate) mod tick;
pub(crate) mod undo;
