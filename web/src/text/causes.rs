//! Causes in a few words, by the id that the analyzer gives them.

/// Id, English, Simplified Chinese.
const TITLES: [(&str, &str, &str); 38] = [
    ("archive-mounts", "`docker cp` left its mounts", "`docker cp` 遗留的挂载"),
    ("cgroup-members", "Processes are left in the cgroup", "cgroup 中还有进程"),
    ("container-running", "The container itself is still running", "容器本身仍在运行"),
    ("container-survivor", "Something of the container lives on", "容器的某个进程还活着"),
    (
        "daemon-namespaces-differ",
        "Daemon and shim are in different namespaces",
        "守护进程与 shim 处于不同的命名空间",
    ),
    (
        "daemon-shares-host-namespace",
        "The daemon mounts in the host’s own namespace",
        "守护进程在主机自身的命名空间中挂载",
    ),
    ("device-scanner", "A program looks at every block device", "有程序在扫描所有块设备"),
    ("device-stack", "A device is stacked on it", "其上叠有另一个设备"),
    (
        "docker-leaves-mount-point",
        "This docker leaves the mount point behind",
        "此版本的 docker 会留下挂载点",
    ),
    ("entered-container-namespace", "Somebody entered the container", "有人进入了容器"),
    ("host-bind-without-rslave", "A bind of the host’s files without rslave", "绑定了主机文件但没有 rslave"),
    ("hung-server", "A file server does not answer", "文件服务器没有响应"),
    ("leftover-mount", "A mount was left behind", "遗留的挂载"),
    ("loop-file-inside", "A loop device’s file is in it", "某个 loop 设备的文件在其中"),
    ("lxd-namespace", "LXD keeps a namespace of its own", "LXD 保留着自己的命名空间"),
    ("mount-point-on-purpose", "It is a mount point on purpose", "它本来就是挂载点"),
    ("namespace-file-copied", "The file of a namespace was copied", "命名空间文件被复制"),
    ("namespace-file-pinned", "The file pins a namespace", "该文件固定着一个命名空间"),
    ("nfs-silly-rename", "A deleted file on NFS is still open", "NFS 上已删除的文件仍被打开"),
    ("old-kernel", "A kernel that cannot drop foreign mounts", "内核无法丢弃其他命名空间的挂载"),
    ("open-files", "Files are still open", "文件仍被打开"),
    ("orphaned-pod-volume", "A volume of a pod that is gone", "已不存在的 Pod 的卷"),
    ("overlay-upper-in-use", "The overlay’s upper directory is in use", "overlay 的上层目录正在使用"),
    ("pinned-namespace", "A namespace is kept without a process", "命名空间没有进程却被保留"),
    ("plugin-mount", "A plugin’s mount", "插件的挂载"),
    ("runc-init-stuck", "A start of the container that hangs", "容器的启动卡住了"),
    ("runc-self-bind", "runc’s bind of the directory on itself", "runc 将目录绑定到自身"),
    ("security-agent", "A scanner or security agent", "扫描程序或安全代理"),
    ("shim-survivor", "The container’s shim outlived it", "容器的 shim 比容器活得更久"),
    ("shm-copied", "The container’s shared memory was copied", "容器的共享内存被复制"),
    ("storage-root-private", "The storage directory is private", "存储目录是私有的"),
    ("swap-on-device", "There is swap on it", "其上有交换区"),
    ("systemd-private-namespace", "A service with a namespace of its own", "服务有自己的命名空间"),
    ("udevd-namespace", "systemd-udevd has a namespace of its own", "systemd-udevd 有自己的命名空间"),
    ("uninterruptible-process", "A process hangs in the kernel", "进程卡在内核中"),
    ("unshared-copy", "Somebody unshared the mounts", "有人分离了挂载命名空间"),
    ("virtual-machine", "A virtual machine has it", "被虚拟机使用"),
    ("volume-in-foreign-namespace", "A volume was copied into another namespace", "卷被复制到另一个命名空间"),
];

/// In English; `None` for an id that is not known here.
pub(super) fn english(id: &str) -> Option<&'static str> {
    TITLES.iter().find(|(own, ..)| *own == id).map(|(_, title, _)| *title)
}

/// In Simplified Chinese.
pub(super) fn chinese(id: &str) -> Option<&'static str> {
    TITLES.iter().find(|(own, ..)| *own == id).map(|(.., title)| *title)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids as the rules write them: `id: "systemd-private-namespace"`.
    #[test]
    fn every_cause_of_the_analyzer_has_a_title_in_each_language() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../analyzer/src/causes");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for rest in source.split(" id: \"").skip(1) {
                let id = rest.split('"').next().unwrap();
                assert!(english(id).is_some() && chinese(id).is_some(), "{id}");
                seen += 1;
            }
        }
        assert!(seen > 20, "only {seen} ids were found");
    }
}
