//! The analyzer's most frequent sentences in Simplified Chinese: why something blocks, causes, remedies, risks. The
//! analyzer speaks English; what is not in the table stays so.

/// As the analyzer words it, and in Chinese. `{}` stands for names and numbers, in the same order in both.
const SENTENCES: [(&str, &str); 56] = [
    // Why it blocks.
    (
        "A mount in any namespace keeps a block device open, on every kernel.",
        "在任何内核上，任一命名空间中的挂载都会使块设备保持打开。",
    ),
    (
        "A mount in any namespace keeps a dataset busy, on every kernel.",
        "在任何内核上，任一命名空间中的挂载都会使数据集处于占用状态。",
    ),
    (
        "An overlay in any namespace keeps its upper and work directory in use.",
        "任一命名空间中的 overlay 都会占用其上层目录和工作目录。",
    ),
    ("A cgroup cannot be removed while processes are in it.", "cgroup 中还有进程时无法删除。"),
    (
        "The container's own processes are still there and use its file system.",
        "容器自身的进程仍在，并在使用其文件系统。",
    ),
    (
        "It is a mount point in the namespace of the caller: the kernel never removes that.",
        "它是调用者命名空间中的挂载点：内核从不删除挂载点。",
    ),
    (
        "It has the same file system mounted elsewhere, not on the busy directory: that keeps space, but does not block its removal.",
        "它把同一文件系统挂载在别处，而不是被占用的目录上：这会占用空间，但不妨碍删除。",
    ),
    (
        "It has another mount of the same container, not the one that is busy: that keeps space, but does not block this operation.",
        "它有同一容器的另一个挂载，而不是被占用的那个：这会占用空间，但不妨碍此操作。",
    ),
    (
        "Kernel {} does not remove a directory that is a mount point in any namespace: {}.",
        "内核 {} 不会删除在任何命名空间中作为挂载点的目录：{}。",
    ),
    (
        "Kernel {} drops another namespace's mount together with the directory, so this does not block the removal; until then it keeps the space.",
        "内核 {} 会连同目录一起丢弃其他命名空间中的挂载，因此这不妨碍删除；在那之前它占用空间。",
    ),
    (
        "Files that are open on it keep the file system alive, even after a lazy umount, and so the device stays open.",
        "其上打开的文件使文件系统继续存在（即使已延迟卸载），因此设备保持打开。",
    ),
    (
        "An open descriptor on the device node keeps the device open.",
        "设备节点上打开的描述符使设备保持打开。",
    ),
    ("A device that is stacked on it or swap on it keeps it open.", "叠加其上的设备或交换区使它保持打开。"),
    // Causes.
    (
        "{} runs in a mount namespace of its own{}. systemd copied the host's mounts into it while the container's file system was mounted, and the later umount did not reach the copy.",
        "{} 运行在自己的挂载命名空间中{}。容器的文件系统还挂载着时，systemd 把主机的挂载复制了进去，之后的卸载没有传到这份副本。",
    ),
    (
        "Container {} sees the host's files below {}. The bind took a copy of every mount there, this one among them, and its copy receives no umount from the host (no master: tag).",
        "容器 {} 在 {} 下看到主机的文件。该绑定复制了那里的每个挂载，包括这一个，而它的副本收不到主机的卸载（没有 master: 标记）。",
    ),
    (
        "Container {} sees the host's files below {}. The bind took a copy of every mount there, this one among them, and its copy is a slave, but was made after the host's mount had left that peer group.",
        "容器 {} 在 {} 下看到主机的文件。该绑定复制了那里的每个挂载，包括这一个；其副本是 slave，但建立时主机的挂载已离开该对等组。",
    ),
    (
        "{} has a mount namespace of its own that was copied from the host's while the container's file system was mounted (`unshare -m` or the like; systemd left no mark in it). Its copy is {}, so the host's umount did not reach it.",
        "{} 有自己的挂载命名空间，是在容器的文件系统还挂载着时从主机复制的（`unshare -m` 之类；其中没有 systemd 的痕迹）。其副本为 {}，所以主机的卸载没有传到它。",
    ),
    ("{} uses files on it: {}.", "{} 在使用其上的文件：{}。"),
    ("{} has the device itself open: {}.", "{} 打开了设备本身：{}。"),
    (
        "{} ({}) mounts in the host's own namespace (no MountFlags=), and this kernel does not drop the copies that others take of it.",
        "{}（{}）在主机自身的命名空间中挂载（没有 MountFlags=），而此内核不会丢弃他人得到的副本。",
    ),
    (
        "{} is a mount of its own and {} in the runtime's namespace: no umount below it reaches another namespace.",
        "{} 自身是一个挂载，在运行时的命名空间中为 {}：其下的卸载不会传到其他命名空间。",
    ),
    (
        "No process is in mount namespace {}, but it lives on, kept by {}. Its copy of the mount stays with it.",
        "挂载命名空间 {} 中没有进程，但它仍然存在，由 {} 保留。其挂载副本也随之保留。",
    ),
    // What a remedy does.
    (
        "Restarts the service: the new processes get a fresh copy of the mounts, without this one.",
        "重启该服务：新进程会得到新的挂载副本，其中没有这个挂载。",
    ),
    (
        "Restarts the service, which closes its files: the new processes get a fresh copy of the mounts, without this one.",
        "重启该服务，从而关闭其文件：新进程会得到新的挂载副本，其中没有这个挂载。",
    ),
    (
        "Unmounts the copy in that namespace only; its processes go on.",
        "只卸载该命名空间中的副本；其中的进程继续运行。",
    ),
    (
        "Unmounts the copy in that namespace only; the namespace stays.",
        "只卸载该命名空间中的副本；命名空间保留。",
    ),
    ("Unmounts it where the runtime expects it to be unmounted.", "在运行时期望的位置卸载它。"),
    (
        "Its new mount namespace is made from the mounts of now, without this one.",
        "其新的挂载命名空间由当前的挂载建立，不含这个挂载。",
    ),
    (
        "Removes the empty mount point; this kernel then drops the copies of the mount in all other namespaces at once, and the device is free.",
        "删除空的挂载点；此内核随即丢弃所有其他命名空间中的副本，设备即被释放。",
    ),
    (
        "Ends {} ({}); its namespace and open files go with it.",
        "结束 {}（{}）；其命名空间和打开的文件随之消失。",
    ),
    (
        "Ends these {} processes ({} …); their namespace and open files go with them.",
        "结束这 {} 个进程（{} …）；其命名空间和打开的文件随之消失。",
    ),
    (
        "All {} must go, each by its own remedy, in this order: {}.",
        "这 {} 个都必须放开，各用各的方法，按此顺序：{}。",
    ),
    ("Try again, once nothing blocks it any more.", "没有占用者之后再试一次。"),
    ("Try again: nothing in this bundle blocks it.", "再试一次：此数据包中没有任何占用者。"),
    ("The Open column{} is 0 when nobody holds the device any more.", "没有人占用该设备时，Open 列{} 为 0。"),
    (
        "Starts it before docker at boot, when no container is mounted yet.",
        "开机时在 docker 之前启动它，那时还没有挂载任何容器。",
    ),
    (
        "Without {} it shares the host's mounts and sees every umount.",
        "去掉 {} 后，它与主机共享挂载，能看到每次卸载。",
    ),
    (
        "Gives dockerd a mount namespace of its own, so that nobody else copies the containers' mounts (the default of docker 1.5 to 1.11).",
        "让 dockerd 使用自己的挂载命名空间，这样别人不会复制容器的挂载（docker 1.5 到 1.11 的默认方式）。",
    ),
    (
        "Upgrade docker to 18.03 or newer: it no longer makes its storage directory private, so that its umounts reach other namespaces (moby#36047).",
        "把 docker 升级到 18.03 或更新版本：它不再把存储目录设为私有，卸载因而能传到其他命名空间（moby#36047）。",
    ),
    (
        "Bind the host's files into {} with `:ro,rslave` (docker: `-v /:/rootfs:ro,rslave`; Kubernetes: `mountPropagation: HostToContainer`), so that umounts reach it. Or bind only what it needs. docker 18.03 and newer do so by themselves for anything above the docker root (moby#36055).",
        "把主机文件绑定到 {} 时使用 `:ro,rslave`（docker：`-v /:/rootfs:ro,rslave`；Kubernetes：`mountPropagation: HostToContainer`），使卸载能传到它。或者只绑定需要的部分。docker 18.03 及更新版本对 docker 根目录以上的绑定会自动这样做（moby#36055）。",
    ),
    (
        "Start it with a namespace that follows the host's umounts: `unshare -m --propagation slave …` (a unit: `MountFlags=slave`), or start it before any container.",
        "让它的命名空间跟随主机的卸载：`unshare -m --propagation slave …`（服务单元用 `MountFlags=slave`），或在任何容器之前启动它。",
    ),
    (
        "Keep shells, backups, scanners and log shippers out of the storage directories of the runtime; read container files through `docker cp`, `docker exec` or the log driver.",
        "不要让 shell、备份、扫描程序和日志采集程序进入运行时的存储目录；通过 `docker cp`、`docker exec` 或日志驱动读取容器的文件。",
    ),
    (
        "Lets this kernel drop the copies in other namespaces when a mount point is removed, as kernels since 3.18 do. docker 17.10 to 27 set it themselves.",
        "让此内核在删除挂载点时丢弃其他命名空间中的副本，与 3.18 以后的内核相同。docker 17.10 到 27 会自行设置。",
    ),
    // Risks.
    ("Interrupts container {}.", "会中断容器 {}。"),
    ("Interrupts {} for the time of the restart.", "重启期间 {} 会中断。"),
    (
        "They lose sight of the container's files. In a container's namespace it needs `umount` in the image.",
        "这些进程将看不到该容器的文件。在容器的命名空间中，镜像里需要有 `umount`。",
    ),
    (
        "None for the processes. It fails harmlessly where something is still mounted there or files are in the directory.",
        "对进程没有影响。如果那里还有挂载或目录非空，它会失败，但无害。",
    ),
    (
        "Whatever they do is interrupted. Look at them first: `ps -fp PID`. Check that the pids are still the same processes.",
        "它们正在做的事会中断。先看清楚：`ps -fp PID`，确认这些 pid 仍是同样的进程。",
    ),
    ("Each remedy says what it interrupts.", "每个方法都说明了会中断什么。"),
    ("None beyond what the command itself does.", "除命令本身的作用外没有风险。"),
    ("Reads only.", "只读取。"),
    (
        "Breaks volumes with shared propagation and must not be combined with live-restore. Restarting docker stops the containers.",
        "会破坏使用 shared 传播的卷，且不能与 live-restore 同时使用。重启 docker 会停止容器。",
    ),
    (
        "Does not help when the service is restarted while containers run.",
        "如果服务在容器运行期间重启，则不起作用。",
    ),
    ("The service loses these protections: a step back in security.", "该服务失去这些保护：安全性有所下降。"),
    (
        "An upgrade of docker stops the containers unless live-restore is on.",
        "除非启用了 live-restore，升级 docker 会停止容器。",
    ),
    ("The container must be made anew.", "必须重新创建容器。"),
];

/// The sentence in Chinese; `None` where it is not in the table.
pub(super) fn chinese(sentence: &str) -> Option<String> {
    SENTENCES.iter().find_map(|(english, chinese)| fill(chinese, &holes(english, sentence)?))
}

/// What stands in place of each `{}`.
fn holes<'a>(template: &str, mut sentence: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = template.split("{}");
    sentence = sentence.strip_prefix(pieces.next()?)?;
    let mut found = Vec::new();
    while let Some(piece) = pieces.next() {
        // What ends the template ends the sentence: a name may hold whatever else.
        let last = pieces.clone().next().is_none();
        let at = if last { sentence.strip_suffix(piece)?.len() } else { sentence.find(piece)? };
        found.push(&sentence[..at]);
        sentence = &sentence[at + piece.len()..];
    }
    sentence.is_empty().then_some(found)
}

fn fill(template: &str, holes: &[&str]) -> Option<String> {
    let mut pieces = template.split("{}");
    let mut text = pieces.next()?.to_owned();
    for (hole, piece) in holes.iter().zip(pieces) {
        text.push_str(&hole.replace(", started ", "，启动于 ").replace(" (now ", " (现为 "));
        text.push_str(piece);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_in_their_places() {
        let told = chinese("Interrupts {} {x}. for the time of the restart.").unwrap();
        assert_eq!(told, "重启期间 {} {x}. 会中断。");
        let told = chinese("Ends a (b) (12); its namespace and open files go with it.").unwrap();
        assert_eq!(told, "结束 a（b) (12）；其命名空间和打开的文件随之消失。");
        assert_eq!(chinese("Reads only. Or does it?"), None);
        assert_eq!(chinese(""), None);
    }

    /// Every piece of a template stands in the analyzer's source, so that none waits for a sentence that is worded
    /// otherwise by now.
    #[test]
    fn the_table_has_the_analyzers_words() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../analyzer/src");
        let files = [format!("{root}/causes"), format!("{root}/holders")]
            .into_iter()
            .flat_map(|folder| std::fs::read_dir(folder).unwrap())
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        let source: String = files.collect::<String>().replace("\\\"", "\"");
        for (english, chinese) in SENTENCES {
            assert_eq!(english.matches("{}").count(), chinese.matches("{}").count(), "{english}");
            // A sentence may be put together of several strings: its clauses are looked for.
            let clauses = english.split("{}").flat_map(|piece| piece.split(". "));
            for part in clauses.flat_map(|piece| piece.split(", ")).flat_map(|piece| piece.split(": ")) {
                let part = part.trim_end_matches('.').trim().trim_start_matches("and ");
                let is_there = part.len() < 12 || source.contains(part);
                assert!(is_there, "{part:?} of {english:?}");
            }
        }
    }
}
