//! The analyzer's most frequent sentences in Simplified Chinese: the answer, why something blocks, causes, remedies,
//! risks, what happened, what was looked at. The analyzer speaks English; what is not in the table stays so.

/// As the analyzer words it, and in Chinese. `{}` stands for names and numbers, in the same order in both.
const SENTENCES: [(&str, &str); 156] = [
    // The answer.
    (
        "{} holds {} in mount namespace {}, which no process is in.",
        "{} 占用{}，位于没有进程的挂载命名空间 {}。",
    ),
    ("{} holds {} in mount namespace {}.", "{} 占用{}，位于挂载命名空间 {}。"),
    ("{} holds {} in a mount namespace of its own.", "{} 在自己的挂载命名空间中占用{}。"),
    ("{} holds {} in the namespace of the runtime itself.", "{} 占用{}，就在运行时自身的命名空间中。"),
    ("{} holds {} through open files.", "{} 因打开的文件而占用{}。"),
    ("{} holds {} as a device on top of it.", "{} 作为其上的设备占用{}。"),
    ("{} itself is still alive and uses {}.", "{} 本身仍在运行，并在使用{}。"),
    ("So does {}.", "{} 也是。"),
    ("So do {} and {} more.", "{} 和另外 {} 个也是。"),
    ("Nothing blocks {}.", "没有任何东西阻止对{}的操作。"),
    (
        "Nothing that was read holds {}, but that is not the whole picture: the error names no container, path or device.",
        "已读取的内容中没有占用{}者，但这并不完整：该错误没有指明容器、路径或设备。",
    ),
    (
        "Nothing that was read holds {}, but that is not the whole picture: {}.",
        "已读取的内容中没有占用{}者，但这并不完整：{}。",
    ),
    (
        "Nothing that was read blocks {}, but that is not the whole picture: {}.",
        "已读取的内容中没有阻止对{}的操作者，但这并不完整：{}。",
    ),
    (
        "{} still has a copy of its mount, which keeps space but does not block.",
        "{} 仍有其挂载的副本：占用空间，但不阻止。",
    ),
    (
        "{} and {} more still have a copy of its mount, which keeps space but does not block.",
        "{} 和另外 {} 个仍有其挂载的副本：占用空间，但不阻止。",
    ),
    ("Name what you could not remove.", "请指明无法删除的对象。"),
    ("Run the collector as root.", "请以 root 身份运行采集器。"),
    ("Something has it open that the bundle does not show.", "有数据包中看不到的东西打开了它。"),
    (
        "The last error was at {}: what held it is gone since, so try again.",
        "最后一次错误在 {}：占用者此后已消失，请重试。",
    ),
    ("What held it when the error was logged is gone: try again.", "记录错误时的占用者已消失：请重试。"),
    ("Nothing in this bundle goes by \"{}\".", "此数据包中没有名为“{}”的对象。"),
    (
        "The log of this bundle ({} lines) has no busy error, so there is nothing to free.",
        "此数据包的日志（{} 行）中没有占用错误，因此没有需要释放的对象。",
    ),
    ("Name a container, path or device to look at it all the same.", "仍可指定容器、路径或设备来查看。"),
    (
        "The bundle has no log to take a busy error from: name the container, path or device.",
        "数据包中没有可供提取占用错误的日志：请指明容器、路径或设备。",
    ),
    // The picture.
    ("The runtime unmounted it here.", "运行时已在此处卸载。"),
    ("Not mounted here any more, or never was.", "此处已不再挂载，或从未挂载过。"),
    (
        "In the runtime's namespace the mount below which the target was mounted, {}, is {} (no shared: tag): a umount below it reaches no other namespace.",
        "在运行时的命名空间中，目标所在的上级挂载 {} 为 {}（没有 shared: 标记）：其下的卸载不会传到其他命名空间。",
    ),
    (
        "{} in {} is {}: it takes no umount from peer group {} of the runtime's {}.",
        "{}（{}）为 {}：它收不到对等组 {}（运行时的 {}）的卸载。",
    ),
    (
        "{} started at {}, after the container ({}): its namespace was copied while the container's file system was mounted.",
        "{} 启动于 {}，晚于容器（{}）：复制其命名空间时，容器的文件系统正挂载着。",
    ),
    (
        "{} started at {}, before the container ({}): the mount came into its namespace later, through propagation or a bind.",
        "{} 启动于 {}，早于容器（{}）：该挂载是后来通过传播或绑定进入其命名空间的。",
    ),
    // What happened when.
    ("The host started.", "主机启动。"),
    (
        "{}, the oldest of {} processes, started, which holds it.",
        "{}（{} 个进程中最早的）启动，它占用着目标。",
    ),
    ("{} started, which holds it.", "{} 启动，它占用着目标。"),
    ("The first busy error.", "第一次占用错误。"),
    ("The last of {} busy errors.", "{} 次占用错误中的最后一次。"),
    ("The bundle was taken.", "采集数据包。"),
    ("{} became active.", "{} 变为 active。"),
    ("systemd restarted it {} times by itself.", "systemd 已自行重启它 {} 次。"),
    ("systemd saw {} unmounted.", "systemd 发现 {} 被卸载。"),
    ("systemd saw {} mounted.", "systemd 发现 {} 被挂载。"),
    ("The source gives no year or zone.", "来源没有给出年份或时区。"),
    ("{} started.", "{} 启动。"),
    ("{} ended.", "{} 结束。"),
    // What was looked at.
    ("{} mount tables of {} mount namespaces, {} processes.", "{} 个挂载表，{} 个挂载命名空间，{} 个进程。"),
    (
        "{} mount namespaces without a process were read, {} could not be.",
        "已读取 {} 个没有进程的挂载命名空间，{} 个无法读取。",
    ),
    (
        "Open files, working directories and executables of {} processes by device number.",
        "按设备号查看了 {} 个进程打开的文件、工作目录和可执行文件。",
    ),
    (
        "{} block devices with what is stacked on them, {} swap areas.",
        "{} 个块设备及叠加其上的设备，{} 个交换区。",
    ),
    ("The kernel's open count of the device: {}.", "内核对该设备的打开计数：{}。"),
    ("{} lines of logs, with {} different busy errors.", "{} 行日志，其中有 {} 种占用错误。"),
    // Several hosts, two bundles.
    (
        "Something is held on {}; what lives on will block a removal on {}.",
        "{}上有占用；残留会在 {} 台上阻止删除。",
    ),
    ("Something is held on {}.", "{}上有占用。"),
    ("Nothing is held on {}.", "{}上没有占用。"),
    ("containers of {} hold {} on {}", "{} 的容器占用 {}（{}）"),
    ("Containers of {} hold {} on {}.", "{} 的容器占用 {}（{}）。"),
    ("{} holds {} mounts on {}", "{} 占用 {} 个挂载（{}）"),
    ("{} holds {} mount on {}", "{} 占用 {} 个挂载（{}）"),
    ("{} holds {} mounts on {}.", "{} 占用 {} 个挂载（{}）。"),
    ("{} holds {} mount on {}.", "{} 占用 {} 个挂载（{}）。"),
    ("{} could not be read.", "{}无法读取。"),
    ("{} is in the first bundle only: it was removed in between.", "{}只在第一个数据包中：其间已被删除。"),
    ("The bundles do not tell when they were taken.", "数据包没有说明采集时间。"),
    ("Make sure that the earlier one is given first.", "请确认先给出较早的那个。"),
    // What cannot be read.
    ("This is {}: there is no host in it to look at.", "这是{}：其中没有可查看的主机。"),
    (
        "Run it on the customer's host; the bundle is the .tar.gz that it writes.",
        "请在客户的主机上运行它；数据包是它写出的 .tar.gz。",
    ),
    (
        "Ask the sender for the text itself: what a picture or a document shows cannot be read.",
        "请向发送者索取文本本身：图片或文档中的内容无法读取。",
    ),
    (
        "What is read: the collector's bundle, a sosreport or supportconfig, any tar or zip with proc/PID/mountinfo files (plain, gzip, xz, zstd, bzip2), or text pasted from a terminal.",
        "可读取的有：采集器的数据包、sosreport 或 supportconfig、任何含 proc/PID/mountinfo 文件的 tar 或 zip（未压缩、gzip、xz、zstd、bzip2），或从终端粘贴的文本。",
    ),
    ("This text has no mount, no process and no busy error in it.", "此文本中没有挂载、进程或占用错误。"),
    (
        "Paste the error message, or the output of: grep ID /proc/[0-9]*/mountinfo.",
        "请粘贴错误消息，或以下命令的输出：grep ID /proc/[0-9]*/mountinfo。",
    ),
    (
        "An archive (.tar.gz, .tar.xz, .zip) can be given as a file.",
        "压缩包（.tar.gz、.tar.xz、.zip）可作为文件打开。",
    ),
    (
        "{} has no links of /proc/PID/ns: which processes share a mount namespace is told by their mount ids.",
        "{} 没有 /proc/PID/ns 链接：哪些进程共享挂载命名空间由挂载 ID 判断。",
    ),
    ("Namespaces without a process cannot be seen.", "看不到没有进程的命名空间。"),
    ("ebusy-collector takes it.", "ebusy-collector 会采集这些。"),
    (
        "No list of containers: only what no running container uses and the runtime's namespace no longer has is told.",
        "没有容器列表：只列出没有运行中的容器使用、且运行时的命名空间中已没有的内容。",
    ),
    ("{} holds a copy of {}, the container's own tmpfs.", "{} 持有 {}（该容器自己的 tmpfs）的副本。"),
    (
        "It is mounted in the host's namespace (docker does so before 19.03, and for shareable IPC), where every namespace made meanwhile copied it.",
        "它挂载在主机的命名空间中（docker 19.03 之前以及 shareable IPC 如此），期间建立的每个命名空间都复制了它。",
    ),
    (
        "Kernel {} refuses to remove a directory while any mount namespace has a mount on it: {}.",
        "只要任何挂载命名空间在某目录上有挂载，内核 {} 就拒绝删除该目录：{}。",
    ),
    (
        "Upgrade docker to 19.03 or newer: containers get their /dev/shm inside their own namespace only.",
        "把 docker 升级到 19.03 或更新版本：容器的 /dev/shm 只在其自己的命名空间中。",
    ),
    (
        "Containers that share IPC with `--ipc container:…` need `--ipc shareable` on the other one.",
        "用 `--ipc container:…` 共享 IPC 的容器，对方需要 `--ipc shareable`。",
    ),
    (
        "Restarting docker stops containers unless live-restore is on.",
        "除非启用了 live-restore，重启 docker 会停止容器。",
    ),
    (
        "RHEL and CentOS 7.4 (kernel 3.10.0-693) and newer have fs.may_detach_mounts; set it to 1 after the reboot.",
        "RHEL 和 CentOS 7.4（内核 3.10.0-693）及更新版本有 fs.may_detach_mounts；重启后把它设为 1。",
    ),
    ("A reboot.", "需要重启主机。"),
    // What lives on.
    (
        "{} where they do not belong, kept by {} holders, first of all {}; {} will block a removal.",
        "{}，由 {} 个占用者保留，首先是{}；其中 {} 项会阻止删除。",
    ),
    ("{} belong, kept by {}; {} will block a removal.", "{}，由{}保留；其中 {} 项会阻止删除。"),
    (
        "Nothing is left over: no container's mount lives on where it does not belong.",
        "没有残留：没有容器的挂载留在不该在的地方。",
    ),
    (
        "This is a copy of {}, which the runtime's namespace no longer has.",
        "这是{}的副本，运行时的命名空间中已没有它。",
    ),
    (
        "This is a copy of {}, which the runtime's namespace no longer has; {}.",
        "这是{}的副本，运行时的命名空间中已没有它；{}。",
    ),
    (
        "This is a copy of {} in a namespace that is neither the runtime's nor the container's, and the runtime's umount will not reach it: it stays when the container goes.",
        "这是{}的副本，所在的命名空间既不属于运行时也不属于该容器，运行时的卸载不会传到它：容器删除后它仍会保留。",
    ),
    (
        "{} mounts in {} tables of {} mount namespaces, {} of them without a process.",
        "{} 个挂载，{} 个挂载表，{} 个挂载命名空间，其中 {} 个没有进程。",
    ),
    (
        "Mounts of a container or pins of a network namespace: {}; {} of them belong where they are, {} copies go with the runtime's own umount.",
        "容器的挂载或网络命名空间的固定点：{}；其中 {} 个在应在的位置，{} 个副本会随运行时的卸载消失。",
    ),
    (
        "Containers by the runtime's own list and the processes' cgroups: {}.",
        "按运行时自身的列表和进程的 cgroup 统计的容器：{}。",
    ),
    ("No thin devices of containers.", "没有容器的 thin 设备。"),
    ("Thin devices of containers, with who has them open: {}.", "容器的 thin 设备及其打开者：{}。"),
    // Causes.
    (
        "The mount itself is gone from every table (a lazy umount), so neither grep nor lsof by path shows it.",
        "该挂载已从所有挂载表中消失（延迟卸载），因此按路径 grep 或 lsof 都看不到。",
    ),
    ("{} leaves the mount point's directory after its umount.", "{} 在卸载后会留下挂载点目录。"),
    (
        "Newer ones remove it, and this kernel then drops the copies in all other namespaces.",
        "较新的版本会删除它，此内核随即丢弃所有其他命名空间中的副本。",
    ),
    (
        "Upgrade docker to 20.10 or newer, up to 24 (25.0 has no devicemapper any more): it removes the mount point after the umount, and this kernel then drops the copies in all other namespaces by itself.",
        "把 docker 升级到 20.10 至 24（25.0 起不再有 devicemapper）：它在卸载后删除挂载点，此内核随即自行丢弃所有其他命名空间中的副本。",
    ),
    ("Mounts of the host become visible in it.", "主机的挂载会在其中可见。"),
    (
        "Run it as root on the host, not in a container, while the error still happens: it takes what is missing here.",
        "错误仍在发生时，在主机上（而不是容器中）以 root 身份运行：它会采集此处缺少的内容。",
    ),
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
        "Its file was opened through another mount of the same file system: that keeps its space, but not this mount.",
        "其文件是通过同一文件系统的另一个挂载打开的：这会占用空间，但不占用此挂载。",
    ),
    (
        "What is open is on another mount of the same file system: that keeps its space, but not this mount.",
        "打开的内容位于同一文件系统的另一个挂载上：这会占用空间，但不占用此挂载。",
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

/// What stands in place of a `{}`, where that is not a name alone.
const PARTS: [(&str, &str); 35] = [
    ("a picture", "一张图片"),
    ("a Linux program (ELF), perhaps the collector itself", "一个 Linux 程序（ELF），也许就是采集器本身"),
    ("A sosreport", "sosreport"),
    ("containers of {}", "{} 的容器"),
    ("Containers of {}", "{} 的容器"),
    ("{} of {} hosts", "{} 台主机（共 {} 台）"),
    ("{} of 1 host", "{} 台主机（共 1 台）"),
    ("any of {} hosts", "{} 台主机"),
    ("the one host", "这台主机"),
    ("{} bundles", "{} 个数据包"),
    ("{} bundle", "{} 个数据包"),
    ("{} mounts", "{} 个挂载"),
    ("{} mount", "{} 个挂载"),
    ("the device of {}", "{} 的设备"),
    ("the file system of {}", "{} 的文件系统"),
    ("the dataset of {}", "{} 的数据集"),
    ("the cgroup of {}", "{} 的 cgroup"),
    ("device {}", "设备 {}"),
    ("container {}", "容器 {}"),
    ("Container {}", "容器 {}"),
    ("namespace {}", "命名空间 {}"),
    ("{} (pid {} and {} more) of {}", "{}（pid {} 等，另有 {} 个；{}）"),
    ("{} (pid {}) of {}", "{}（pid {}；{}）"),
    ("{} ({}) of {}", "{}（{}；{}）"),
    ("{} things of containers live on", "容器的 {} 项残留在不该在的地方"),
    ("{} where they do not", "{}"),
    ("{} thing of a container lives on", "容器的 {} 项残留在不该在的地方"),
    ("{} where it does not", "{}"),
    ("a container's thin device", "容器的 thin 设备"),
    ("a container's shm", "容器的 shm"),
    ("a container's root file system", "容器的根文件系统"),
    ("its container is {}", "其容器状态为 {}"),
    ("the runtime no longer knows its container", "运行时已不认识其容器"),
    ("it has no fs.may_detach_mounts", "它没有 fs.may_detach_mounts"),
    ("the bundle is not complete", "数据包不完整"),
];

/// Longer texts are not read: no sentence of the analyzer is.
const LONGEST: usize = 2000;

/// One or several sentences in Chinese; `None` where one of them is not in the table.
pub(super) fn chinese(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    if let Some(whole) = look_up(&SENTENCES, text) {
        return Some(whole);
    }
    text.match_indices(". ").find_map(|(at, _)| {
        let first = look_up(&SENTENCES, &text[..=at])?;
        Some(first + &chinese(&text[at + 2..])?)
    })
}

fn look_up(table: &[(&str, &str)], text: &str) -> Option<String> {
    table.iter().find_map(|(english, chinese)| fill(chinese, &holes(english, text)?))
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
        let hole = &sentence[..at];
        // Where a sentence ends inside, it is two.
        if hole
            .match_indices(". ")
            .any(|(at, _)| hole[at + 2..].starts_with(|c: char| c.is_ascii_uppercase()))
        {
            return None;
        }
        found.push(hole);
        sentence = &sentence[at + piece.len()..];
    }
    sentence.is_empty().then_some(found)
}

fn fill(template: &str, holes: &[&str]) -> Option<String> {
    let mut pieces = template.split("{}");
    let mut text = pieces.next()?.to_owned();
    for (hole, piece) in holes.iter().zip(pieces) {
        match look_up(&PARTS, hole) {
            Some(part) => text.push_str(&part),
            None => text.push_str(&hole.replace(", started ", "，启动于 ").replace(" (now ", " (现为 ")),
        }
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
        assert_eq!(chinese("Reads only. The host started.").unwrap(), "只读取。主机启动。");
        let answer = "httpd (pid 645 and 7 more) of httpd.service holds the device of container web (f18f) (253:3) in \
                      mount namespace 4026532184. So does container cadvisor.";
        let told = "httpd（pid 645 等，另有 7 个；httpd.service） 占用容器 web (f18f) (253:3) 的设备，位于挂载命名空间 \
                    4026532184。容器 cadvisor 也是。";
        assert_eq!(chinese(answer).unwrap(), told);
        let left = "1 thing of a container lives on where it does not belong, kept by top (635); 1 will block a removal.";
        assert_eq!(
            chinese(left).unwrap(),
            "容器的 1 项残留在不该在的地方，由top (635)保留；其中 1 项会阻止删除。"
        );
        assert_eq!(chinese(&"Reads only. ".repeat(500)), None);
        assert_eq!(chinese(""), None);
    }

    /// Every piece of a template stands in the analyzer's source, so that none waits for a sentence that is worded
    /// otherwise by now.
    #[test]
    fn the_table_has_the_analyzers_words() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../analyzer/src");
        let files =
            ["archive", "causes", "census", "diff", "fleet", "holders", "report", "snapshot", "timeline"]
                .into_iter()
                .flat_map(|folder| std::fs::read_dir(format!("{root}/{folder}")).unwrap())
                .filter(|entry| entry.as_ref().unwrap().path().is_file())
                .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        let source: String = files.collect::<String>().replace("\\\"", "\"");
        for (english, chinese) in SENTENCES.into_iter().chain(PARTS) {
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
