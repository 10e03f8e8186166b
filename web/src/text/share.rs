//! What is said about sharing a report and opening a shared one; in each language.

use ebusy_analyzer::report::link::Part;
use ebusy_analyzer::report::redact::Kind;

/// The sentences, in the order of the dialog.
#[allow(missing_docs)]
pub struct ShareTexts {
    pub open: &'static str,
    pub title: &'static str,
    pub close: &'static str,
    pub form: &'static str,
    /// Name and one line about each form, in the dialog's order.
    pub forms: [(&'static str, &'static str); 6],
    pub redact: &'static str,
    pub redact_text: &'static str,
    pub kinds: fn(Kind) -> (&'static str, &'static str),
    pub found: fn(u32, u32, bool) -> String,
    pub none_found: &'static str,
    pub address: &'static str,
    pub address_text: &'static str,
    pub address_file: &'static str,
    pub length: fn(usize) -> String,
    pub too_long: &'static str,
    pub left_out: &'static str,
    pub part: fn(Part, u32) -> String,
    pub hashing: &'static str,
    pub no_hash: fn(&str) -> String,
    pub with_bundle: fn(&str) -> String,
    pub with_bundle_warning: &'static str,
    pub bundle_too_large: &'static str,
    pub copy_link: &'static str,
    pub copy_text: &'static str,
    pub save: &'static str,
    pub saved: &'static str,
    pub not_saved: fn(&str) -> String,
    pub preview: &'static str,
    pub preview_text: &'static str,
    pub fields: [&'static str; 9],
    // A shared report that is open.
    pub from_link: &'static str,
    pub from_link_text: &'static str,
    pub from_file: &'static str,
    pub from_file_text: &'static str,
    pub inside_reading: &'static str,
    pub inside_failed: fn(&str) -> String,
    pub damaged: fn(&str) -> String,
    pub damaged_advice: &'static str,
    pub lacks: &'static str,
    pub replaced: &'static str,
    pub replaced_of: fn(&str, u32) -> String,
    // A link that asks for a bundle.
    pub wanted: fn(&str) -> String,
    pub wanted_text: fn(&str, &str) -> String,
    pub another_bundle: &'static str,
    pub another_bundle_text: fn(&str, &str) -> String,
}

pub(super) static ENGLISH: ShareTexts = ShareTexts {
    open: "Share…",
    title: "Share this report",
    close: "Close",
    form: "As",
    forms: [
        ("Link", "The whole report in one link. No server holds it, it opens on any copy of this page."),
        ("Link to the bundle", "Where you are, without any data: it asks the reader for the same bundle."),
        ("Markdown", "For an issue, with the evidence folded."),
        ("Text", "For a mail or a terminal."),
        ("JSON", "For tools: ebusy.report/1."),
        ("HTML file", "This page with the report inside: one attachment that anyone can open years later."),
    ],
    redact: "Replace by stand-ins",
    redact_text: "The same name gets the same stand-in everywhere, so the report can still be followed. Ids, mount paths, devices and units that the finding needs stay.",
    kinds: |kind| match kind {
        Kind::Host => ("Host names", "They often tell whose host it is."),
        Kind::Address => ("IP and MAC addresses", "They tell of a network’s inside."),
        Kind::User => ("Users and mail addresses", "They are people’s."),
        Kind::Argument => ("Arguments of commands", "Passwords and tokens stand there."),
        Kind::Container => {
            ("Container names", "Commands need them: keep them where the reader is to run some.")
        }
        Kind::Image => ("Image names", "They tell of private registries and products."),
        Kind::Path => (
            "Other paths",
            "Outside the system’s and the runtimes’ directories: names of customers and projects.",
        ),
    },
    found: |different, places, replaced| {
        let word = if replaced { "replaced" } else { "stay" };
        let places = if places == 1 { "1 place".to_owned() } else { format!("{places} places") };
        format!("{different} in {places} {word}")
    },
    none_found: "none in this report",
    address: "Address of the page",
    address_text: "Where the reader opens it. Any hosted copy of this page will do.",
    address_file: "This page is a file on your disk, which nobody else can open by a link: type the address of a hosted copy. Without one, the part from # on can be put behind the address of any copy.",
    length: |length| format!("{length} of 2,000 characters"),
    too_long: "GitHub and some chats stop making links of more than about 2,000 characters. Copy it all the same, or share a file.",
    left_out: "Not in the link, for want of room",
    part: |part, count| format!("{count} {}", part.name()),
    hashing: "Reading the bundle once more for its SHA-256…",
    no_hash: |why| format!("The bundle can no longer be read: {why}"),
    with_bundle: |size| format!("Put the whole bundle inside ({size})"),
    with_bundle_warning: "The bundle is not redacted: it tells everything that the collector took, names of hosts and containers among it. Whoever gets the file can read it all.",
    bundle_too_large: "The bundle is too large to be put into a page (256 MiB at most).",
    copy_link: "Copy the link",
    copy_text: "Copy",
    save: "Save as a file",
    saved: "Saved",
    not_saved: |why| format!("That did not work: {why}"),
    preview: "What others will see",
    preview_text: "Field by field, as it will be shared.",
    fields: [
        "Answer",
        "Host",
        "Container and its names",
        "Holders",
        "Commands",
        "Busy errors",
        "Lines of the bundle",
        "Timeline",
        "Notes",
    ],
    from_link: "From a link, unverified",
    from_link_text: "No bundle was read here. Whoever made the link can have written anything into it: look twice before you run its commands.",
    from_file: "A saved report",
    from_file_text: "It stands in this file as it was saved; no bundle was read.",
    inside_reading: "The bundle is in this file, too, and is being analysed…",
    inside_failed: |why| format!("The bundle in this file cannot be read: {why}"),
    damaged: |why| {
        format!("What is saved in this file is damaged, or of a newer version of the page ({why}).")
    },
    damaged_advice: "Get the file again, or open the bundle itself.",
    lacks: "Not in it",
    replaced: "Replaced by stand-ins",
    replaced_of: |kind, different| format!("{kind} ({different})"),
    wanted: |name| format!("This link shows a part of the bundle {name}"),
    wanted_text: |size, hash| {
        format!(
            "The link holds no data. Drop that bundle here or choose it ({size}, SHA-256 {hash}), and the page goes on to what the link shows."
        )
    },
    another_bundle: "This is not the bundle that the link was made of",
    another_bundle_text: |name, hash| {
        format!("The link is about {name} (SHA-256 {hash}). What you see is about the file that you opened.")
    },
};

pub(super) static CHINESE: ShareTexts = ShareTexts {
    open: "分享…",
    title: "分享此报告",
    close: "关闭",
    form: "形式",
    forms: [
        ("链接", "整个报告都在一个链接里。没有服务器保存它，用本页面的任何副本都能打开。"),
        ("指向数据包的链接", "只记录您所在的位置，不含数据：读者需要打开同一个数据包。"),
        ("Markdown", "用于 issue，证据部分折叠。"),
        ("文本", "用于邮件或终端。"),
        ("JSON", "用于工具：ebusy.report/1。"),
        ("HTML 文件", "带有报告的本页面：一个附件，多年后任何人仍可打开。"),
    ],
    redact: "用代号替换",
    redact_text: "相同的名称在各处使用相同的代号，报告仍然可读。结论所需的 ID、挂载路径、设备和单元保留。",
    kinds: |kind| match kind {
        Kind::Host => ("主机名", "往往说明主机属于谁。"),
        Kind::Address => ("IP 和 MAC 地址", "透露内部网络。"),
        Kind::User => ("用户名和邮件地址", "属于个人。"),
        Kind::Argument => ("命令参数", "其中可能有密码和令牌。"),
        Kind::Container => ("容器名", "命令需要它们：读者要执行命令时请保留。"),
        Kind::Image => ("镜像名", "透露私有仓库和产品。"),
        Kind::Path => ("其他路径", "系统和运行时目录之外：可能含客户和项目名称。"),
    },
    found: |different, places, replaced| {
        let word = if replaced { "已替换" } else { "保留" };
        format!("{different} 个，{places} 处，{word}")
    },
    none_found: "此报告中没有",
    address: "页面地址",
    address_text: "读者在那里打开。本页面的任何托管副本都可以。",
    address_file: "本页面是您磁盘上的文件，别人无法用链接打开：请输入托管副本的地址。没有地址时，可以把 # 起的部分接在任何副本的地址后面。",
    length: |length| format!("{length} / 2,000 个字符"),
    too_long: "GitHub 和一些聊天工具不会把超过约 2,000 个字符的内容变成链接。仍可复制，或改为分享文件。",
    left_out: "因篇幅未放入链接",
    part: |part, count| format!("{count} {}", chinese_part(part)),
    hashing: "正在再次读取数据包以计算 SHA-256…",
    no_hash: |why| format!("无法再读取数据包：{why}"),
    with_bundle: |size| format!("放入整个数据包（{size}）"),
    with_bundle_warning: "数据包未经脱敏：它包含采集器收集的一切，包括主机名和容器名。拿到文件的人都能读到。",
    bundle_too_large: "数据包太大，无法放入页面（最多 256 MiB）。",
    copy_link: "复制链接",
    copy_text: "复制",
    save: "保存为文件",
    saved: "已保存",
    not_saved: |why| format!("未成功：{why}"),
    preview: "别人会看到的内容",
    preview_text: "逐项列出，与分享内容一致。",
    fields: ["结论", "主机", "容器及其名称", "占用者", "命令", "忙错误", "数据包中的行", "时间线", "备注"],
    from_link: "来自链接，未经验证",
    from_link_text: "这里没有读取数据包。制作链接的人可以写入任何内容：执行其中的命令前请仔细核对。",
    from_file: "已保存的报告",
    from_file_text: "内容与保存时一致；没有读取数据包。",
    inside_reading: "数据包也在此文件中，正在分析…",
    inside_failed: |why| format!("无法读取此文件中的数据包：{why}"),
    damaged: |why| format!("此文件中保存的内容已损坏，或来自更新的版本（{why}）。"),
    damaged_advice: "请重新获取该文件，或直接打开数据包。",
    lacks: "其中没有",
    replaced: "已用代号替换",
    replaced_of: |kind, different| format!("{kind}（{different}）"),
    wanted: |name| format!("此链接显示数据包 {name} 的一部分"),
    wanted_text: |size, hash| {
        format!(
            "链接不含数据。请把该数据包拖到这里或选择它（{size}，SHA-256 {hash}），页面会转到链接所示的位置。"
        )
    },
    another_bundle: "这不是制作链接时的数据包",
    another_bundle_text: |name, hash| {
        format!("链接针对 {name}（SHA-256 {hash}）。您看到的是您打开的文件的内容。")
    },
};

fn chinese_part(part: Part) -> &'static str {
    match part {
        Part::Processes => "个其他进程",
        Part::SideEvidence => "行名称和事件的证据",
        Part::Errors => "个其他忙错误",
        Part::Timeline => "个时间线事件",
        Part::UnrelatedHolders => "个无关的占用者",
        Part::LookedAt => "条检查说明",
        Part::MoreMounts => "个其他挂载和打开的文件",
        Part::HolderEvidence => "行单元和容器的证据",
        Part::ParentMounts => "个上级挂载",
        Part::HoldingRemedies => "条针对非阻塞占用者的长期措施",
        Part::HoldingHolders => "个非阻塞占用者",
        Part::Lanes => "条图中的泳道",
        Part::LastingRemedies => "条长期措施",
        Part::Warnings => "条警告",
    }
}
