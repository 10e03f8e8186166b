//! Simplified Chinese.

use super::{Texts, short_id};
use ebusy_analyzer::census::LeftoverKind;
use ebusy_analyzer::mount_tree::Change;
use ebusy_analyzer::report::{AliasKind, BundleInfo, BusyKind, HolderKind, Report, Status};

/// The table.
pub static CHINESE: Texts = Texts {
    // The shell.
    page_title: "ebusy：是谁占用着这个容器？",
    skip: "跳到正文",
    promise: "没有任何数据离开此浏览器：页面自身的安全策略禁止一切连接。",
    drop_here: "松开即可打开",
    open_another: "打开另一个数据包",
    close: "关闭",
    side: "选择要解释的对象",
    // Preferences.
    preferences: "偏好设置",
    language: "语言",
    theme: "配色",
    theme_system: "跟随系统",
    theme_light: "浅色",
    theme_dark: "深色",
    zone: "时间",
    zone_utc: "UTC",
    zone_local: "本地时区",
    // Keyboard and palette.
    keys_title: "键盘操作",
    key_search: "搜索被占用的对象",
    key_palette: "跳转到任何内容，执行任何命令",
    key_help: "显示此表",
    key_errors: "下一个、上一个占用错误",
    key_theme: "浅色、深色、跟随系统",
    key_picture: "图中：上一条、下一条泳道；回车显示其证据",
    key_tree: "挂载树中：上一行、下一行",
    key_tree_fold: "挂载树中：展开、折叠分支",
    key_escape: "关闭已打开的内容",
    keys_single: "启用单键快捷键",
    keys_button: "键盘",
    palette_title: "跳转到",
    palette_placeholder: "错误、容器、占用者、命名空间、章节或命令",
    palette_none: "没有匹配项。",
    palette_count: |count| format!("{count} 项"),
    go_error: "错误",
    go_container: "容器",
    go_holder: "占用者",
    go_namespace: "命名空间",
    go_section: "章节",
    go_command: "命令",
    // Start.
    start_picture: "主机已卸载，httpd 和 cadvisor 仍持有副本。",
    start_title: "是谁占用着这个容器？",
    start_lead: "拖入数据包，即可看到哪个进程占用着挂载，以及原因。",
    drop_bundle: "将数据包拖到页面任意位置",
    choose_file: "选择文件",
    what_is_read: "ebusy-collector 的数据包、sosreport、任何含有 /proc 目录树的 tar（未压缩、.gz、.xz、.bz2、.zst）或 .zip，或者文本文件。只在此浏览器中读取，不会发送到任何地方。",
    paste_title: "或粘贴文本",
    paste_text: "错误信息，或命令的输出。在页面任意位置按 Ctrl+V 即可直接打开。",
    paste_placeholder: "grep ID /proc/[0-9]*/mountinfo",
    paste_submit: "解释这段文本",
    demo_text: "手头没有数据包？",
    try_demo: "试试演示",
    collect_title: "获取数据包",
    collect_text: "在错误发生期间，以 root 身份在主机上运行一次收集程序：",
    collect_note: "大约一秒钟，生成一个小的 ebusy-主机-时间.tar.gz。绝不收集容器的环境变量。",
    // Reading.
    reading: "正在读取数据包",
    read_of: |read, total, percent| format!("{read} / {total} · {percent} %"),
    entries_seen: |count| format!("目前已有 {count} 个文件"),
    percent_read: |percent| format!("已读取 {percent} %"),
    cancel: "取消",
    // Failures.
    failed: "未能成功",
    failed_file: |name| format!("无法打开 {name}"),
    what_to_do: "怎么办：",
    error_code: "代码",
    nothing_open: "页面在数据包打开之前就向读取程序提出了请求。",
    no_worker: "浏览器没有启动读取程序（Web Worker）。",
    worker_answer: "读取程序和页面无法相互理解。",
    worker_crashed: "读取程序意外停止。",
    advice_report_fault: "这是 ebusy 的缺陷或浏览器的限制，与数据包所在的主机无关。请重新加载页面再试；对于很大的数据包，请使用 ebusy 命令。如果再次发生，请附上此文本报告。",
    no_demo: "此页面副本不含演示数据。",
    no_demo_advice: "请打开您自己的数据包，或使用由 `cargo xtask web` 生成的页面。",
    // Errors and search.
    errors_title: |count| match count {
        0 => "占用错误".into(),
        _ => format!("日志中有 {count} 个占用错误"),
    },
    no_errors: "此数据包的日志中没有占用错误。请搜索无法删除的对象。",
    times: |count| format!("×{count}"),
    unnamed_object: "未命名的对象",
    no_time: "时间未知",
    search_label: "解释其他对象",
    search_placeholder: "ID、名称、路径或设备",
    search: "解释",
    containers: "数据包中的容器",
    no_name: "无名称",
    // Host.
    host: "主机",
    kernel: "内核",
    runtime: "运行时",
    collected: "收集时间",
    bundle: "数据包",
    not_known: "数据包中没有",
    bundle_facts,
    hosts_label: |count| format!("其中有 {count} 台主机："),
    // Verdict and target.
    looking: "正在查找占用者……",
    held: "被占用",
    free: "空闲",
    unknown: "未知",
    this_host: "此主机",
    container: |name| format!("容器 {name}"),
    id: |id| format!("ID {id}"),
    state: |state| format!("状态 {state}"),
    aliases_title: "它的所有名称",
    aliases_text: "在每个挂载表中搜索了哪些名称，以及每个名称的出处。",
    column_kind: "种类",
    column_name: "名称",
    column_from: "出处",
    candidates_title: "有多个容器匹配。您要找的是：",
    // Remedies.
    contents: "本页内容",
    remedies_title: "现在怎么办",
    all_must_go: |count| {
        format!("有 {count} 个占用者阻止操作。每一个都必须放开；对每一个，执行其任意一条命令即可。")
    },
    free_holder: |name| format!("让 {name} 放开它"),
    any_one: "任选其一，影响最小的在前。",
    one_way: "在主机上以 root 身份执行。",
    then_retry: "然后重试",
    lasting_title: "避免再次发生",
    next_title: "下一步做什么",
    risk: "风险：",
    copy: "复制",
    copied: "已复制",
    copy_failed: "请手动选择并复制",
    // Picture.
    picture_title: "各命名空间中的挂载",
    picture_text: "每条泳道是一个挂载命名空间。线条表示卸载如何从一个传播到另一个。",
    why_title: "为什么卸载没有传播到那里",
    legend_reached: "卸载会到达",
    legend_cut: "传播被切断：卸载不会到达",
    legend_target: "被占用的挂载",
    role_host: "主机",
    role_daemon: "容器守护进程",
    role_holder: "挂载命名空间",
    umount_starts: "卸载从这里开始",
    peer_group: |group| format!("对等组 {group}"),
    slave_of: |group| format!("组 {group} 的从属"),
    master_of: |group| format!("主控，组 {group}"),
    cut_source: "切断：源为私有",
    cut_private: "切断：私有",
    cut_group: |group| format!("切断：对等组 {group}"),
    cut_master: |group| format!("切断：组 {group} 的从属"),
    relation_unknown: "数据包中没有",
    mounted_at: |path| format!("挂载于 {path}"),
    not_mounted: "此处未挂载",
    more_mounts: |count| format!("另有 {count} 个它的挂载"),
    open_on_it: |files| format!("在其上打开：{files}"),
    parent: |path, propagation| format!("位于 {path} 之下 · {propagation}"),
    legend_group: "同一对等组，或其从属",
    group_line: |group| format!("组 {group}"),
    stack: |count| format!("另有 {count} 个类似的"),
    stack_open: "展开",
    stack_close: |count| format!("重新折叠 {count} 个"),
    save_svg: "保存为 SVG",
    save_png: "保存为 PNG",
    picture_hint: "选择一条泳道，查看它所依据的行。",
    evidence_of: |name| format!("{name} 这条泳道的依据"),
    part_mount: "挂载",
    part_parent: "其下层",
    part_open: "打开的文件",
    to_holder: "转到占用者",
    to_tree: "它的全部挂载",
    // Tree of mounts.
    tree_title: "命名空间的挂载",
    tree_text: "如 findmnt 所示，按挂载点、设备和根与主机自身的挂载比较。",
    tree_tab: "挂载",
    tree_namespace: "命名空间",
    tree_filter: "筛选",
    tree_only_changes: "仅显示与主机不同的",
    tree_other_root: "它的 / 与主机的不是同一个文件系统，因此主机上其他位置的挂载不算作缺失。",
    tree_missing_table: "数据包中没有此命名空间的挂载表。",
    tree_count: |shown, all| {
        if shown == all { format!("{all} 个挂载") } else { format!("{all} 个挂载中的 {shown} 个") }
    },
    tree_loading: "正在读取挂载表……",
    tree_namespace_name: |label, key, processes| format!("{label} · {key} · {processes} 个进程"),
    column_mount_point: "挂载点",
    column_source: "来源和根",
    column_type: "类型",
    column_propagation: "传播",
    column_change: "与主机比较",
    changes: |change| match change {
        Change::Same => "相同",
        Change::Added => "新增",
        Change::Missing => "缺失",
        Change::Different => "不同",
    },
    change_elsewhere: |path| format!("在主机上位于 {path}"),
    tree_target: "被占用的挂载",
    fleet: &super::fleet::CHINESE,
    share: &super::share::CHINESE,
    // Timeline.
    timeline_title: "何时发生了什么",
    timeline_text: "按数据包中的时钟，从早到晚；没有完整日期的排在最后。",
    undated: "按原文：来源没有年份或时区。",
    // Census.
    census_title: "还有什么残留着",
    census_counts,
    not_listed: |count| {
        format!("另有 {count} 项已计入，此处未列出；`ebusy census` 可列出全部（`--leftovers`）。")
    },
    leftover_kinds: |kind| match kind {
        LeftoverKind::ThinDevice => "精简设备",
        LeftoverKind::RootFileSystem => "根文件系统",
        LeftoverKind::Shm => "/dev/shm",
        LeftoverKind::Secrets => "机密数据",
        LeftoverKind::PodVolume => "Pod 卷",
        LeftoverKind::NetworkNamespace => "网络命名空间",
    },
    // Holders.
    holders_title: |count| format!("谁占用着它：{count} 个占用者"),
    no_holders: "在数据包已读取的部分中没有找到占用者。",
    namespace: |inode| format!("挂载命名空间 {inode}"),
    namespace_unknown: "挂载命名空间不在数据包中",
    process: |comm, pid| format!("{comm}（pid {pid}）"),
    blocking: "阻止",
    holding: "持有",
    unrelated: "无关",
    cause: "原因",
    cause_unknown: "数据包没有说明此命名空间为何持有它。",
    unit: "单元",
    container_label: "容器",
    pids,
    processes: "进程",
    processes_left_out: |count| format!("另有 {count} 个，仅在上方列出 pid"),
    no_process: "没有进程",
    column_pid: "Pid",
    column_comm: "名称",
    column_state: "状态",
    column_started: "启动时间",
    column_command: "命令行",
    mounts: "在其挂载表中",
    mount_facts: |propagation, matched_by| format!("{propagation}；{matched_by}"),
    open_files: "打开的文件",
    column_reference: "引用",
    column_path: "路径",
    evidence: "证据",
    column_where: "数据包中的文件",
    column_text: "原文",
    // The rest.
    show_more: |count| format!("再显示 {count} 项"),
    local_time: |time| format!("您的时间：{time}"),
    log_title: "日志怎么说",
    seen,
    looked_title: "检查了什么",
    warnings_title: |count| format!("{count} 条警告"),
    // The analyzer's words.
    alias_kinds: |kind| match kind {
        AliasKind::ContainerId => "容器 ID",
        AliasKind::Name => "名称",
        AliasKind::LayerId => "层 ID",
        AliasKind::Device => "设备",
        AliasKind::DeviceNumber => "设备号",
        AliasKind::Dataset => "数据集",
        AliasKind::Path => "路径",
        AliasKind::UpperDir => "上层目录",
        AliasKind::Namespace => "命名空间",
        AliasKind::Other => "其他",
    },
    busy_kinds: |kind| match kind {
        BusyKind::Directory => Some("被占用：目录"),
        BusyKind::Device => Some("被占用：块设备"),
        BusyKind::Dataset => Some("被占用：数据集"),
        BusyKind::Umount => Some("被占用：已挂载的文件系统"),
        BusyKind::OverlayMount => Some("被占用：overlay 的上层目录或工作目录"),
        BusyKind::NamespaceFile => Some("被占用：命名空间文件"),
        BusyKind::Cgroup => Some("被占用：cgroup"),
        BusyKind::File => Some("被占用：作为挂载点的文件"),
        BusyKind::Unknown => None,
    },
    holder_kinds: |kind| match kind {
        HolderKind::Host => "主机自身",
        HolderKind::Daemon => "容器守护进程",
        HolderKind::Container => "容器",
        HolderKind::SystemdUnit => "systemd 单元",
        HolderKind::Unshared => "独立的命名空间",
        HolderKind::Pinned => "没有进程的命名空间",
        HolderKind::OpenFile => "打开的文件",
        HolderKind::Device => "其上的设备",
    },
    headline: |report, names, _| Some(headline(report, names)),
    cause_titles: super::causes::chinese,
    untranslated: "分析器的部分说明只有英文。",
};

/// The answer, made of the report's data.
fn headline(report: &Report, names: &[String]) -> String {
    let target = &report.target;
    let name = target.name.as_deref().or(target.container_id.as_deref().map(short_id));
    let object = match (name, target.busy) {
        (Some(name), BusyKind::Device) => format!("容器 {name} 的设备"),
        (Some(name), BusyKind::Dataset) => format!("容器 {name} 的数据集"),
        (Some(name), BusyKind::Cgroup) => format!("容器 {name} 的 cgroup"),
        (Some(name), _) => format!("容器 {name} 的文件系统"),
        (None, _) => "所查询的对象".to_owned(),
    };
    match (report.verdict.status, names) {
        (Status::Held, [first]) => format!("{object}被 {first} 占用。"),
        (Status::Held, [first, second]) => format!("{object}被 {first} 和 {second} 占用。"),
        (Status::Held, [first, rest @ ..]) => {
            format!("{object}被 {first} 等 {} 个占用者占用。", rest.len() + 1)
        }
        (Status::Held, []) => format!("{object}被占用。"),
        (Status::Free, _) => format!("没有任何东西阻止{object}的操作。"),
        (Status::Unknown, _) => format!("数据包不足以判断是谁占用着{object}。"),
    }
}

fn bundle_facts(bundle: &BundleInfo) -> String {
    let mut facts = vec![
        bundle.format.clone(),
        format!("{} 个进程", bundle.processes),
        format!("{} 个挂载命名空间", bundle.mount_namespaces),
        format!("{} 行日志", bundle.log_lines),
    ];
    if !bundle.complete {
        facts.push("缺少末尾".into());
    }
    if bundle.privileged == Some(false) {
        facts.push("收集时没有 root 权限".into());
    }
    facts.retain(|fact| !fact.is_empty());
    facts.join(" · ")
}

fn census_counts(leftovers: u32, blocking: u32, pinned: Option<&str>) -> String {
    let blocks = match blocking {
        0 => "均不会阻止删除".into(),
        count => format!("{count} 项会阻止删除"),
    };
    let pins = pinned.map(|size| format!(" · 占用 {size}")).unwrap_or_default();
    format!("残留 {leftovers} 项 · {blocks}{pins}")
}

fn pids(pids: &[u32]) -> String {
    const SHOWN: usize = 8;
    let list = pids.iter().take(SHOWN).map(u32::to_string).collect::<Vec<_>>().join("、");
    match pids.len() {
        0 => "没有进程".into(),
        count if count > SHOWN => format!("pid {list} 等 {count} 个"),
        _ => format!("pid {list}"),
    }
}

fn seen(count: u32, first: &str, last: &str) -> String {
    let when = match (first, last) {
        ("", "") => String::new(),
        (first, last) if first == last || last.is_empty() => format!("，{first}"),
        ("", last) => format!("，最近 {last}"),
        (first, last) => format!("，最早 {first}，最近 {last}"),
    };
    format!("{count} 次{when}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_answer_names_who_holds_it() {
        let mut report = sample::report();
        let names = ["httpd.service".to_owned(), "容器 cadvisor".to_owned()];
        let both = headline(&report, &names);
        assert!(
            both.contains("web") && both.contains("httpd.service") && both.contains("cadvisor"),
            "{both}"
        );
        report.verdict.status = Status::Free;
        assert!(!headline(&report, &names).contains("httpd"), "nobody is blamed where it is free");
    }
}
