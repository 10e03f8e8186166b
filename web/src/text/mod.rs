//! Every sentence that a user reads, in one table for each language. English for now.
//!
//! A sentence with something in it is a function, so that another language can order its words.

mod english;
mod format;

pub use english::ENGLISH;
pub use format::{brief, bytes, log_message, short_id, utc, utc_range};

use ebusy_analyzer::census::LeftoverKind;
use ebusy_analyzer::report::{AliasKind, BundleInfo, BusyKind, Effect, HolderKind, NamespaceRole, Status};

/// The language of the page.
pub fn t() -> &'static Texts {
    &ENGLISH
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
    // Start.
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
    pub first_of_files: fn(u32) -> String,
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
    pub copy_markdown: &'static str,
    pub save_json: &'static str,
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
    // Timeline.
    pub timeline_title: &'static str,
    pub timeline_text: &'static str,
    pub undated: &'static str,
    // Census.
    pub census_title: &'static str,
    pub census_counts: fn(usize, u32, Option<&str>) -> String,
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
