//! Every sentence that a user reads, in one table for each language.
//!
//! A sentence with something in it is a function, so that another language can order its words. A table that
//! lacks a sentence does not compile. What the analyzer says (summaries, reasons, effects of remedies) is data
//! of the report and English in every language; views mark it with [`data_language`].

mod causes;
mod chinese;
mod english;
mod fleet;
mod format;
mod sentences;
mod share;

pub use chinese::CHINESE;
pub use english::ENGLISH;
pub use fleet::FleetTexts;
pub use format::{brief, bytes, log_message, short_id, utc, utc_range};
pub use share::ShareTexts;

use crate::browser::clock;
use crate::preferences::{self, Language, Zone};
use ebusy_analyzer::census::LeftoverKind;
use ebusy_analyzer::mount_tree::Change;
use ebusy_analyzer::report::{
    AliasKind, BundleInfo, BusyKind, Effect, HolderKind, NamespaceRole, Report, Status,
};

/// The table of the page's language.
pub fn t() -> &'static Texts {
    match preferences::current().language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    }
}

/// The `lang` of what the analyzer says, where that is not the page's own.
pub fn data_language() -> Option<&'static str> {
    (preferences::current().language != Language::English).then_some("en")
}

/// A sentence of the analyzer in the reader's language; `None` where it stays English.
pub fn translated(sentence: &str) -> Option<String> {
    (preferences::current().language == Language::Chinese).then(|| sentences::chinese(sentence)).flatten()
}

/// A sentence of the analyzer in the reader's language as far as that is known.
pub fn told(sentence: &str) -> String {
    translated(sentence).unwrap_or_else(|| sentence.to_owned())
}

/// A time (RFC 3339 UTC, or as it stands in the log) in the zone that the reader prefers.
pub fn time(value: &str) -> String {
    let local = (preferences::current().zone == Zone::Local).then(|| clock::local(value)).flatten();
    local.unwrap_or_else(|| utc(value))
}

/// The same time in the other zone, where there is one.
pub fn time_elsewhere(value: &str) -> Option<String> {
    let local = clock::local(value)?;
    Some(match preferences::current().zone {
        Zone::Utc => (t().local_time)(&local),
        Zone::Local => utc(value),
    })
}

/// From one time to another.
pub fn time_range(first: &str, last: &str) -> String {
    match preferences::current().zone {
        Zone::Utc => utc_range(first, last),
        Zone::Local => format!("{} – {}", time(first), time(last)),
    }
}

/// The table. Fields are named for what they say and in the order of the screens.
#[allow(missing_docs)]
pub struct Texts {
    // The shell.
    pub page_title: &'static str,
    pub skip: &'static str,
    pub promise: &'static str,
    pub drop_here: &'static str,
    pub open_another: &'static str,
    pub close: &'static str,
    pub side: &'static str,
    // Preferences.
    pub preferences: &'static str,
    pub language: &'static str,
    pub theme: &'static str,
    pub theme_system: &'static str,
    pub theme_light: &'static str,
    pub theme_dark: &'static str,
    pub zone: &'static str,
    pub zone_utc: &'static str,
    pub zone_local: &'static str,
    // Keyboard and palette.
    pub keys_title: &'static str,
    pub key_search: &'static str,
    pub key_palette: &'static str,
    pub key_help: &'static str,
    pub key_errors: &'static str,
    pub key_theme: &'static str,
    pub key_picture: &'static str,
    pub key_tree: &'static str,
    pub key_tree_fold: &'static str,
    pub key_escape: &'static str,
    pub keys_single: &'static str,
    pub keys_button: &'static str,
    pub palette_title: &'static str,
    pub palette_placeholder: &'static str,
    pub palette_none: &'static str,
    pub palette_count: fn(usize) -> String,
    pub go_error: &'static str,
    pub go_container: &'static str,
    pub go_holder: &'static str,
    pub go_namespace: &'static str,
    pub go_section: &'static str,
    pub go_command: &'static str,
    // Start.
    pub start_picture: &'static str,
    pub start_title: &'static str,
    pub start_lead: &'static str,
    pub drop_bundle: &'static str,
    pub choose_file: &'static str,
    pub what_is_read: &'static str,
    pub paste_title: &'static str,
    pub paste_text: &'static str,
    pub paste_placeholder: &'static str,
    pub paste_submit: &'static str,
    pub demo_text: &'static str,
    pub try_demo: &'static str,
    pub collect_title: &'static str,
    pub collect_text: &'static str,
    pub collect_note: &'static str,
    // Reading.
    pub reading: &'static str,
    pub read_of: fn(&str, &str, u64) -> String,
    pub entries_seen: fn(u64) -> String,
    pub percent_read: fn(u64) -> String,
    pub cancel: &'static str,
    // Failures.
    pub failed: &'static str,
    pub failed_file: fn(&str) -> String,
    pub what_to_do: &'static str,
    pub error_code: &'static str,
    pub nothing_open: &'static str,
    pub no_worker: &'static str,
    pub worker_answer: &'static str,
    pub worker_crashed: &'static str,
    pub advice_report_fault: &'static str,
    pub no_demo: &'static str,
    pub no_demo_advice: &'static str,
    // Errors and search.
    pub errors_title: fn(usize) -> String,
    pub no_errors: &'static str,
    pub times: fn(u32) -> String,
    pub unnamed_object: &'static str,
    pub no_time: &'static str,
    pub search_label: &'static str,
    pub search_placeholder: &'static str,
    pub search: &'static str,
    pub containers: &'static str,
    pub no_name: &'static str,
    // Host.
    pub host: &'static str,
    pub kernel: &'static str,
    pub runtime: &'static str,
    pub collected: &'static str,
    pub bundle: &'static str,
    pub not_known: &'static str,
    pub bundle_facts: fn(&BundleInfo) -> String,
    pub hosts_label: fn(usize) -> String,
    // Verdict and target.
    pub looking: &'static str,
    pub held: &'static str,
    pub free: &'static str,
    pub unknown: &'static str,
    pub this_host: &'static str,
    pub container: fn(&str) -> String,
    pub id: fn(&str) -> String,
    pub state: fn(&str) -> String,
    pub aliases_title: &'static str,
    pub aliases_text: &'static str,
    pub column_kind: &'static str,
    pub column_name: &'static str,
    pub column_from: &'static str,
    pub candidates_title: &'static str,
    // Remedies.
    pub contents: &'static str,
    pub remedies_title: &'static str,
    pub all_must_go: fn(usize) -> String,
    pub free_holder: fn(&str) -> String,
    pub any_one: &'static str,
    pub one_way: &'static str,
    pub then_retry: &'static str,
    pub lasting_title: &'static str,
    pub next_title: &'static str,
    pub risk: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub copy_failed: &'static str,
    // Picture.
    pub picture_title: &'static str,
    pub picture_text: &'static str,
    pub why_title: &'static str,
    pub legend_reached: &'static str,
    pub legend_cut: &'static str,
    pub legend_target: &'static str,
    pub role_host: &'static str,
    pub role_daemon: &'static str,
    pub role_holder: &'static str,
    pub umount_starts: &'static str,
    pub peer_group: fn(u32) -> String,
    pub slave_of: fn(u32) -> String,
    pub master_of: fn(u32) -> String,
    pub cut_source: &'static str,
    pub cut_private: &'static str,
    pub cut_group: fn(u32) -> String,
    pub cut_master: fn(u32) -> String,
    pub relation_unknown: &'static str,
    pub mounted_at: fn(&str) -> String,
    pub not_mounted: &'static str,
    pub more_mounts: fn(usize) -> String,
    pub open_on_it: fn(&str) -> String,
    pub parent: fn(&str, &str) -> String,
    pub legend_group: &'static str,
    pub group_line: fn(u32) -> String,
    pub stack: fn(usize) -> String,
    pub stack_open: &'static str,
    pub stack_close: fn(usize) -> String,
    pub save_svg: &'static str,
    pub save_png: &'static str,
    pub picture_hint: &'static str,
    pub evidence_of: fn(&str) -> String,
    pub part_mount: &'static str,
    pub part_parent: &'static str,
    pub part_open: &'static str,
    pub to_holder: &'static str,
    pub to_tree: &'static str,
    // Tree of mounts.
    pub tree_title: &'static str,
    pub tree_text: &'static str,
    pub tree_tab: &'static str,
    pub tree_namespace: &'static str,
    pub tree_filter: &'static str,
    pub tree_only_changes: &'static str,
    pub tree_other_root: &'static str,
    pub tree_missing_table: &'static str,
    pub tree_count: fn(usize, usize) -> String,
    pub tree_loading: &'static str,
    pub tree_namespace_name: fn(&str, &str, u32) -> String,
    pub column_mount_point: &'static str,
    pub column_source: &'static str,
    pub column_type: &'static str,
    pub column_propagation: &'static str,
    pub column_change: &'static str,
    pub changes: fn(Change) -> &'static str,
    pub change_elsewhere: fn(&str) -> String,
    pub tree_target: &'static str,
    /// Hosts, comparison and census.
    pub fleet: &'static FleetTexts,
    /// Sharing, and what was shared.
    pub share: &'static ShareTexts,
    // Timeline.
    pub timeline_title: &'static str,
    pub timeline_text: &'static str,
    pub undated: &'static str,
    // Census.
    pub census_title: &'static str,
    pub census_counts: fn(u32, u32, Option<&str>) -> String,
    /// How many there are that a list leaves out.
    pub not_listed: fn(usize) -> String,
    pub leftover_kinds: fn(LeftoverKind) -> &'static str,
    // Holders.
    pub holders_title: fn(usize) -> String,
    pub no_holders: &'static str,
    pub namespace: fn(u64) -> String,
    pub namespace_unknown: &'static str,
    pub process: fn(&str, u32) -> String,
    pub blocking: &'static str,
    pub holding: &'static str,
    pub unrelated: &'static str,
    pub cause: &'static str,
    pub cause_unknown: &'static str,
    pub unit: &'static str,
    pub container_label: &'static str,
    pub pids: fn(&[u32]) -> String,
    pub processes: &'static str,
    pub processes_left_out: fn(usize) -> String,
    pub no_process: &'static str,
    pub column_pid: &'static str,
    pub column_comm: &'static str,
    pub column_state: &'static str,
    pub column_started: &'static str,
    pub column_command: &'static str,
    pub mounts: &'static str,
    pub mount_facts: fn(&str, &str) -> String,
    pub open_files: &'static str,
    pub column_reference: &'static str,
    pub column_path: &'static str,
    pub evidence: &'static str,
    pub column_where: &'static str,
    pub column_text: &'static str,
    // The rest.
    pub show_more: fn(usize) -> String,
    pub local_time: fn(&str) -> String,
    pub log_title: &'static str,
    pub seen: fn(u32, &str, &str) -> String,
    pub looked_title: &'static str,
    pub warnings_title: fn(usize) -> String,
    // The analyzer's words.
    pub alias_kinds: fn(AliasKind) -> &'static str,
    pub busy_kinds: fn(BusyKind) -> Option<&'static str>,
    pub holder_kinds: fn(HolderKind) -> &'static str,
    /// Who holds it, from the names of those that block and the target's; `None` where the report's own sentence is
    /// the answer.
    pub headline: fn(&Report, &[String], &str) -> Option<String>,
    /// A cause in a few words, by its id; `None` for an id that is not known here.
    pub cause_titles: fn(&str) -> Option<&'static str>,
    /// Which of the analyzer's sentences are in another language; empty where none is.
    pub untranslated: &'static str,
}

impl Texts {
    /// A verdict in one word.
    pub fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Held => self.held,
            Status::Free => self.free,
            Status::Unknown => self.unknown,
        }
    }

    /// An effect in one word.
    pub fn effect(&self, effect: Effect) -> &'static str {
        match effect {
            Effect::Blocking => self.blocking,
            Effect::Holding => self.holding,
            Effect::Unrelated => self.unrelated,
        }
    }

    /// A namespace's role in the picture.
    pub fn role(&self, role: NamespaceRole) -> &'static str {
        match role {
            NamespaceRole::Host => self.role_host,
            NamespaceRole::Daemon => self.role_daemon,
            NamespaceRole::Holder => self.role_holder,
        }
    }

    /// A kind of name.
    pub fn alias_kind(&self, kind: AliasKind) -> &'static str {
        (self.alias_kinds)(kind)
    }

    /// What was busy; `None` where nothing said which.
    pub fn busy_kind(&self, kind: BusyKind) -> Option<&'static str> {
        (self.busy_kinds)(kind)
    }

    /// A kind of holder.
    pub fn holder_kind(&self, kind: HolderKind) -> &'static str {
        (self.holder_kinds)(kind)
    }
}
