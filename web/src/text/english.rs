//! English.

use super::Texts;
use ebusy_analyzer::census::LeftoverKind;
use ebusy_analyzer::mount_tree::Change;
use ebusy_analyzer::report::{AliasKind, BundleInfo, BusyKind, HolderKind, Report};

/// The table.
pub static ENGLISH: Texts = Texts {
    // The shell.
    page_title: "ebusy: who keeps this container busy?",
    skip: "Skip to the content",
    promise: "Nothing leaves this browser: the page’s own security policy forbids every connection.",
    drop_here: "Drop to open",
    open_another: "Open another bundle",
    close: "Close",
    side: "Choose what to explain",
    // Preferences.
    preferences: "Preferences",
    language: "Language",
    theme: "Colours",
    theme_system: "like the system",
    theme_light: "light",
    theme_dark: "dark",
    zone: "Times",
    zone_utc: "in UTC",
    zone_local: "in your zone",
    // Keyboard and palette.
    keys_title: "Keyboard",
    key_search: "Search for what is busy",
    key_palette: "Go to anything, do anything",
    key_help: "This sheet",
    key_errors: "The next, the previous busy error",
    key_theme: "Light, dark, like the system",
    key_picture: "In the picture: the lane above, below; Enter shows its evidence",
    key_tree: "In a tree of mounts: the row above, below",
    key_tree_fold: "In a tree of mounts: open and close a branch",
    key_escape: "Close what is open",
    keys_single: "Single keys do something",
    keys_button: "Keyboard",
    palette_title: "Go to",
    palette_placeholder: "Error, container, holder, namespace, section or command",
    palette_none: "Nothing fits.",
    palette_count: |count| match count {
        1 => "1 entry".into(),
        _ => format!("{count} entries"),
    },
    go_error: "error",
    go_container: "container",
    go_holder: "holder",
    go_namespace: "namespace",
    go_section: "section",
    go_command: "command",
    // Start.
    start_picture: "The host unmounted it; httpd and cadvisor still have copies.",
    start_title: "Who keeps this container busy?",
    start_lead: "Drop a bundle. See which process holds the mount, and why.",
    drop_bundle: "Drop a bundle anywhere on this page",
    choose_file: "Choose a file",
    what_is_read: "A bundle of ebusy-collector, a sosreport, any tar (plain, .gz, .xz, .bz2, .zst) or .zip with a /proc tree in it, or a text file. It is read here, in your browser, and sent nowhere.",
    paste_title: "Or paste text",
    paste_text: "The error message, or what a command printed. Ctrl+V anywhere on this page opens it at once.",
    paste_placeholder: "grep ID /proc/[0-9]*/mountinfo",
    paste_submit: "Explain this text",
    demo_text: "No bundle at hand?",
    try_demo: "Try the demo",
    collect_title: "Get a bundle",
    collect_text: "Run the collector once on the host, as root, while the error happens:",
    collect_note: "It takes about a second and writes one small ebusy-HOST-TIME.tar.gz. Container environment variables are never collected.",
    // Reading.
    reading: "Reading the bundle",
    read_of: |read, total, percent| format!("{read} of {total} · {percent} %"),
    entries_seen: |count| format!("{count} files in it so far"),
    percent_read: |percent| format!("{percent} % read"),
    cancel: "Cancel",
    // Failures.
    failed: "That did not work",
    failed_file: |name| format!("{name} could not be opened"),
    what_to_do: "What to do:",
    error_code: "Code",
    nothing_open: "The page asked the reader about a bundle before one was open.",
    no_worker: "The browser did not start the reader (a web worker).",
    worker_answer: "The reader and the page did not understand each other.",
    worker_crashed: "The reader stopped unexpectedly.",
    advice_report_fault: "This is a fault of ebusy or a limit of the browser, not of the bundle’s host. Reload the page and try again; for a very large bundle use the ebusy command. If it happens again, please report it with this text.",
    no_demo: "This copy of the page has no demo in it.",
    no_demo_advice: "Open a bundle of your own, or get a copy of the page made by `cargo xtask web`.",
    // Errors and search.
    errors_title: |count| match count {
        0 => "Busy errors".into(),
        1 => "1 busy error in the logs".into(),
        _ => format!("{count} busy errors in the logs"),
    },
    no_errors: "The logs in this bundle tell of no busy error. Search for what could not be removed.",
    times: |count| format!("×{count}"),
    unnamed_object: "something unnamed",
    no_time: "time unknown",
    search_label: "Explain something else",
    search_placeholder: "Id, name, path or device",
    search: "Explain",
    containers: "Containers in the bundle",
    no_name: "no name",
    // Host.
    host: "Host",
    kernel: "Kernel",
    runtime: "Runtime",
    collected: "Collected",
    bundle: "Bundle",
    not_known: "not in the bundle",
    bundle_facts,
    hosts_label: |count| format!("{count} hosts in it:"),
    // Verdict and target.
    looking: "Looking for who holds it …",
    held: "Held",
    free: "Free",
    unknown: "Unknown",
    this_host: "This host",
    container: |name| format!("container {name}"),
    id: |id| format!("id {id}"),
    state: |state| format!("state {state}"),
    aliases_title: "All names of it",
    aliases_text: "What was searched for in every mount table, and where each name comes from.",
    column_kind: "Kind",
    column_name: "Name",
    column_from: "Found in",
    candidates_title: "More than one container fits. Did you mean:",
    // Remedies.
    contents: "On this page",
    remedies_title: "What to do now",
    all_must_go: |count| {
        format!("{count} holders block it. Each must let go; for each, any one of its commands is enough.")
    },
    free_holder: |name| format!("Free it from {name}"),
    any_one: "Any one of these, the gentlest first.",
    one_way: "As root on the host.",
    then_retry: "Then try again",
    lasting_title: "So that it does not come back",
    next_title: "What to do next",
    risk: "Risk:",
    copy: "Copy",
    copied: "Copied",
    copy_failed: "Select it and copy by hand",
    // Picture.
    picture_title: "The mount in each namespace",
    picture_text: "Each lane is a mount namespace. The line is the way of a umount from one to the other.",
    why_title: "Why the umount did not reach it",
    legend_reached: "a umount arrives",
    legend_cut: "propagation is cut: it does not arrive",
    legend_target: "the busy mount",
    role_host: "host",
    role_daemon: "container daemon",
    role_holder: "mount namespace",
    umount_starts: "umount starts here",
    peer_group: |group| format!("peer group {group}"),
    slave_of: |group| format!("slave of group {group}"),
    master_of: |group| format!("master, group {group}"),
    cut_source: "cut: private source",
    cut_private: "cut: private",
    cut_group: |group| format!("cut: peer group {group}"),
    cut_master: |group| format!("cut: slave of {group}"),
    relation_unknown: "not in the bundle",
    mounted_at: |path| format!("mounted at {path}"),
    not_mounted: "not mounted here",
    more_mounts: |count| format!("and {count} more mounts of it"),
    open_on_it: |files| format!("open on it: {files}"),
    parent: |path, propagation| format!("below {path} · {propagation}"),
    legend_group: "one peer group, or its slave",
    group_line: |group| format!("group {group}"),
    stack: |count| format!("{count} more like these"),
    stack_open: "Show them",
    stack_close: |count| format!("Fold {count} again"),
    save_svg: "Save as SVG",
    save_png: "Save as PNG",
    picture_hint: "Choose a lane to see the lines that it rests on.",
    evidence_of: |name| format!("What the lane of {name} rests on"),
    part_mount: "Mount",
    part_parent: "Below it",
    part_open: "Open file",
    to_holder: "Go to the holder",
    to_tree: "All its mounts",
    // Tree of mounts.
    tree_title: "Mounts of a namespace",
    tree_text: "As findmnt shows them, compared with the host’s own by mount point, device and root.",
    tree_tab: "Mounts",
    tree_namespace: "Namespace",
    tree_filter: "Filter",
    tree_only_changes: "Only what differs from the host",
    tree_other_root: "Its / is another file system than the host’s, so what the host has elsewhere is not called missing.",
    tree_missing_table: "The bundle has no mount table of this namespace.",
    tree_count: |shown, all| {
        if shown == all { format!("{all} mounts") } else { format!("{shown} of {all} mounts") }
    },
    tree_loading: "Reading the table …",
    tree_namespace_name: |label, key, processes| {
        format!("{label} · {key} · {}", counted(processes, "process", "processes"))
    },
    column_mount_point: "Mount point",
    column_source: "Source and root",
    column_type: "Type",
    column_propagation: "Propagation",
    column_change: "Against the host",
    changes: |change| match change {
        Change::Same => "same",
        Change::Added => "added",
        Change::Missing => "missing",
        Change::Different => "different",
    },
    change_elsewhere: |path| format!("on the host at {path}"),
    tree_target: "the busy mount",
    fleet: &super::fleet::ENGLISH,
    share: &super::share::ENGLISH,
    // Timeline.
    timeline_title: "What happened when",
    timeline_text: "By the clocks of the bundle, the earliest first; times without a full date come last.",
    undated: "As it is written: the source tells no year or no time zone.",
    // Census.
    census_title: "What else lives on",
    census_counts,
    not_listed: |count| {
        format!("{count} more are counted, not listed here; `ebusy census` tells of all (`--leftovers`).")
    },
    leftover_kinds: |kind| match kind {
        LeftoverKind::ThinDevice => "Thin device",
        LeftoverKind::RootFileSystem => "Root file system",
        LeftoverKind::Shm => "/dev/shm",
        LeftoverKind::Secrets => "Secrets",
        LeftoverKind::PodVolume => "Pod volume",
        LeftoverKind::NetworkNamespace => "Network namespace",
    },
    // Holders.
    holders_title: |count| match count {
        1 => "Who holds it: 1 holder".into(),
        _ => format!("Who holds it: {count} holders"),
    },
    no_holders: "No holder was found in what was read of the bundle.",
    namespace: |inode| format!("mount namespace {inode}"),
    namespace_unknown: "Mount namespace not in the bundle",
    process: |comm, pid| format!("{comm} (pid {pid})"),
    blocking: "Blocking",
    holding: "Holding",
    unrelated: "Unrelated",
    cause: "Why",
    cause_unknown: "The bundle does not tell why this namespace has it.",
    unit: "Unit",
    container_label: "Container",
    pids,
    processes: "Processes",
    processes_left_out: |count| format!("and {count} more, by pid above only"),
    no_process: "no process",
    column_pid: "Pid",
    column_comm: "Name",
    column_state: "State",
    column_started: "Started",
    column_command: "Command line",
    mounts: "In its mount table",
    mount_facts: |propagation, matched_by| format!("{propagation}; {matched_by}"),
    open_files: "Open files",
    column_reference: "What",
    column_path: "Path",
    evidence: "Evidence",
    column_where: "File in the bundle",
    column_text: "Text there",
    // The rest.
    show_more: |count| format!("Show {count} more"),
    local_time: |time| format!("Your time: {time}"),
    log_title: "What the log says",
    seen,
    looked_title: "What was looked at",
    warnings_title: |count| match count {
        1 => "1 warning".into(),
        _ => format!("{count} warnings"),
    },
    // The analyzer's words.
    alias_kinds: |kind| match kind {
        AliasKind::ContainerId => "container id",
        AliasKind::Name => "name",
        AliasKind::LayerId => "layer id",
        AliasKind::Device => "device",
        AliasKind::DeviceNumber => "device number",
        AliasKind::Dataset => "dataset",
        AliasKind::Path => "path",
        AliasKind::UpperDir => "upper directory",
        AliasKind::Namespace => "namespace",
        AliasKind::Other => "other",
    },
    busy_kinds: |kind| match kind {
        BusyKind::Directory => Some("busy: a directory"),
        BusyKind::Device => Some("busy: a block device"),
        BusyKind::Dataset => Some("busy: a dataset"),
        BusyKind::Umount => Some("busy: a mounted file system"),
        BusyKind::OverlayMount => Some("busy: an overlay’s upper or work directory"),
        BusyKind::NamespaceFile => Some("busy: a namespace file"),
        BusyKind::Cgroup => Some("busy: a cgroup"),
        BusyKind::File => Some("busy: a file that is a mount point"),
        BusyKind::Unknown => None,
    },
    holder_kinds: |kind| match kind {
        HolderKind::Host => "the host itself",
        HolderKind::Daemon => "container daemon",
        HolderKind::Container => "container",
        HolderKind::SystemdUnit => "systemd unit",
        HolderKind::Unshared => "unshared namespace",
        HolderKind::Pinned => "namespace without a process",
        HolderKind::OpenFile => "open file",
        HolderKind::Device => "device on top of it",
    },
    headline,
    cause_titles: super::causes::english,
    untranslated: "",
};

/// The answer in the fewest words. Only where the target has a name to speak of, and is not its own holder.
fn headline(report: &Report, names: &[String], title: &str) -> Option<String> {
    let target = &report.target;
    let named = target.name.is_some() || target.container_id.is_some();
    if !named || names.iter().any(|name| name == title) {
        return None;
    }
    Some(match names {
        [] => return None,
        [one] => format!("{one} holds {title}"),
        [one, other] => format!("{one} and {other} hold {title}"),
        [one, rest @ ..] => format!("{one} and {} more hold {title}", rest.len()),
    })
}

fn bundle_facts(bundle: &BundleInfo) -> String {
    let mut facts = vec![
        bundle.format.clone(),
        counted(bundle.processes, "process", "processes"),
        counted(bundle.mount_namespaces, "mount namespace", "mount namespaces"),
        counted(bundle.log_lines, "log line", "log lines"),
    ];
    if !bundle.complete {
        facts.push("its end is missing".into());
    }
    if bundle.privileged == Some(false) {
        facts.push("taken without root".into());
    }
    facts.retain(|fact| !fact.is_empty());
    facts.join(" · ")
}

fn census_counts(leftovers: u32, blocking: u32, pinned: Option<&str>) -> String {
    let blocks = match blocking {
        0 => "none blocks a removal".into(),
        1 => "1 will block a removal".into(),
        count => format!("{count} will block a removal"),
    };
    let pins = pinned.map(|size| format!(" · pins {size}")).unwrap_or_default();
    format!("{leftovers} left over · {blocks}{pins}")
}

fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn pids(pids: &[u32]) -> String {
    const SHOWN: usize = 8;
    let list = pids.iter().take(SHOWN).map(u32::to_string).collect::<Vec<_>>().join(", ");
    match pids.len() {
        0 => "no process".into(),
        1 => format!("pid {list}"),
        count if count > SHOWN => format!("pids {list} and {} more", count - SHOWN),
        _ => format!("pids {list}"),
    }
}

fn seen(count: u32, first: &str, last: &str) -> String {
    let when = match (first, last) {
        ("", "") => String::new(),
        (first, last) if first == last || last.is_empty() => format!(", {first}"),
        ("", last) => format!(", last {last}"),
        (first, last) => format!(", first {first}, last {last}"),
    };
    match count {
        1 => format!("once{when}"),
        _ => format!("{count} times{when}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pids_are_cut_and_counted() {
        let all: Vec<u32> = (1..=20).collect();
        assert_eq!(pids(&all), "pids 1, 2, 3, 4, 5, 6, 7, 8 and 12 more");
        assert_eq!(pids(&[7]), "pid 7");
        assert_eq!(pids(&[]), "no process");
    }

    #[test]
    fn a_truncated_bundle_taken_without_root_says_so() {
        let bundle = BundleInfo { privileged: Some(false), ..BundleInfo::default() };
        let facts = bundle_facts(&bundle);
        assert!(facts.contains("its end is missing") && facts.contains("without root"), "{facts}");
    }
}
