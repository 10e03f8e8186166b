// Made by `cargo xtask schema` from the analyzer's types.

/** The answer to "who keeps this busy?" for one target on one host. */
export interface Report {
  /** What the bundle held and what it lacked. */
  bundle: BundleInfo;
  /** The busy errors of the log that concern this target. */
  errors: BusyError[];
  /** Who holds it: blocking ones first, then holding, then unrelated. */
  holders: Holder[];
  /** The host the bundle was taken on. */
  host: Host;
  /** What was looked at to come to the verdict, in sentences (`looked through 42 mount tables …`). */
  looked_at: string[];
  /** The mount namespaces of the picture: host, daemon, then each holder's. */
  namespaces: NamespaceView[];
  /** What to run or send next where the verdict is not `held`, and the command to retry where it is. */
  next_steps: Remedy[];
  /** Why the umount did not reach the copies, in sentences; empty where that is not the question. */
  propagation: string[];
  /** Always [`SCHEMA`]. */
  schema: string;
  /** What is busy. */
  target: Target;
  /** What happened when, by the bundle's clocks: dated events in order, then those without a full date. */
  timeline?: TimelineEvent[];
  /** The answer in one sentence. */
  verdict: Verdict;
  /** What could not be read or is missing. */
  warnings: Diagnostic[];
}

/** Another name of the target. */
export interface Alias {
  /** Where the link was found. */
  evidence: Evidence[];
  /** What kind of name. */
  kind: AliasKind;
  /** The name itself. */
  value: string;
}

/** Kinds of names. */
export type AliasKind =
  /** Full or short container id. */
  | "container-id"
  /** Container name. */
  | "name"
  /** Layer (mount) id of the container's writable layer. */
  | "layer-id"
  /** Device-mapper or other block device name. */
  | "device"
  /** `MAJOR:MINOR`. */
  | "device-number"
  /** Dataset of zfs or subvolume of btrfs. */
  | "dataset"
  /** Path of a mount or directory on the host. */
  | "path"
  /** Overlay upper directory. */
  | "upper-dir"
  /** Namespace, as `net:[4026532000]`. */
  | "namespace"
  /** Anything else that the log named. */
  | "other";

/** What kind of archive was read and how complete it is. */
export interface BundleInfo {
  /** Version of the collector that wrote it. */
  collector?: string | null;
  /** False where the end of the bundle is missing. */
  complete: boolean;
  /** `ebusy.bundle/1`, `proc-tree`, `sosreport`, … */
  format: string;
  /** Number of log lines read. */
  log_lines: number;
  /** Number of mount namespaces seen. */
  mount_namespaces: number;
  /** Number of different mount tables. */
  mount_tables: number;
  /** Whether it was taken with the right to read every process; `None` where unknown. */
  privileged?: boolean | null;
  /** Number of processes in it. */
  processes: number;
}

/** One kind of busy error with how often it was seen. The first fields are those of `ebusy errors`. */
export interface BusyError {
  /** What kind of object was busy. */
  busy?: BusyKind;
  /** The container that could not be removed, started or stopped: full id where the log or the bundle has it. */
  container_id?: string | null;
  /** How often. */
  count: number;
  /** Busy device or dataset. */
  device?: string | null;
  /** Storage driver or kind of object: `devicemapper`, `overlay2`, `shm`, `cgroup`, `netns`, `zfs`, … */
  driver?: string | null;
  /** Log file in the bundle and line of the first one. */
  evidence?: Evidence | null;
  /** First time seen: RFC 3339 UTC where the line tells enough, else as it stands in the log. */
  first?: string | null;
  /** Last time seen. */
  last?: string | null;
  /** The line as it first stood in the log, without its line end. */
  line: string;
  /** Name of a container where the line gives one, or the bundle. */
  name?: string | null;
  /** Other ids of the line: layer, device, pod, short forms. */
  other_ids: string[];
  /** Busy path. */
  path?: string | null;
  /** Who wrote the line: `docker`, `podman`, `containerd`, `kubelet`, … */
  runtime?: string | null;
  /** What others said of the same failure at the same time: the client beside the daemon, the shim beside both. */
  wordings?: BusyError[];
}

/** What kind of object was busy; the kernel's rules differ for each. */
export type BusyKind =
  /** A directory that is or was a mount point, at `rmdir`, `unlinkat` or `rename`. */
  | "directory"
  /** A block device: device-mapper, LV, loop, rbd, md, zvol. */
  | "device"
  /** A zfs dataset or btrfs subvolume. */
  | "dataset"
  /** A mounted file system at `umount`. */
  | "umount"
  /** An overlay at `mount`: its upper or work directory is in use. */
  | "overlay-mount"
  /** A file that pins a namespace, such as `/run/netns/NAME`. */
  | "namespace-file"
  /** A cgroup directory. */
  | "cgroup"
  /** A file that is itself a mount point. */
  | "file"
  /** Nothing said which. */
  | "unknown";

/** The named reason why a holder came to be. */
export interface Cause {
  /** Stable name, e.g. `systemd-private-namespace`. */
  id: string;
  /** One or two sentences about this very holder. */
  summary: string;
}

/** A container by id and name. */
export interface ContainerRef {
  /** Full id. */
  id: string;
  /** Image where known. */
  image?: string | null;
  /** Name where known. */
  name?: string | null;
}

/** Something that could not be read or is missing; data never makes the analyzer fail. */
export interface Diagnostic {
  /** What to do about it. */
  advice: string;
  /** Stable code, e.g. `truncated-bundle`. */
  code: string;
  /** File in the bundle. */
  file?: string | null;
  /** Line, counted from 1. */
  line?: number | null;
  /** What happened. */
  message: string;
}

/** What the holder does to the operation. */
export type Effect =
  /** The operation fails while it is there. */
  | "blocking"
  /** It keeps space or a device, but does not block this operation on this kernel. */
  | "holding"
  /** It has nothing to do with the error. */
  | "unrelated";

/** File and line in the bundle that a claim rests on. */
export interface Evidence {
  /** Path in the bundle, without the bundle's own top directory. */
  file: string;
  /** Line, counted from 1; `None` for links and for a whole file. */
  line?: number | null;
  /** The text there (a link's target for links). */
  text: string;
}

/** A mount namespace, process or device that keeps a reference to the target. */
export interface Holder {
  /** Why it came to be; `None` = unknown. */
  cause?: Cause | null;
  /** Container that the processes belong to. */
  container?: ContainerRef | null;
  /** Whether it blocks the operation on this kernel. */
  effect: Effect;
  /** Why it has that effect, in one sentence. */
  effect_reason: string;
  /** File and line in the bundle for each claim. */
  evidence: Evidence[];
  /** What kind of holder. */
  kind: HolderKind;
  /** What else let it come to that, the nearest first: an old kernel, a storage directory made private, …. */
  more_causes?: Cause[];
  /** The other processes, as many as the report keeps. */
  more_processes: ProcessView[];
  /** Inode number of the mount namespace, `None` where the bundle has no ns links. */
  mount_namespace?: number | null;
  /** The mounts of the target in this namespace. */
  mounts: MountView[];
  /** Open descriptors, cwd, root, exe and mappings on the target. */
  open_files: OpenFile[];
  /** The pids in it that count, ascending. Pids of the host. */
  pids: number[];
  /** The first process (lowest pid) in full, where there is one. */
  process?: ProcessView | null;
  /** What to do, `now` before `lasting`, the gentlest first. */
  remedies: Remedy[];
  /** systemd unit, e.g. `httpd.service`. */
  unit?: string | null;
}

/** Kinds of holders. */
export type HolderKind =
  /** The host's own mount namespace (that of pid 1). */
  | "host"
  /** The container daemon or a shim of it. */
  | "daemon"
  /** Another container. */
  | "container"
  /** A systemd service with a mount namespace of its own. */
  | "systemd-unit"
  /** A namespace that somebody unshared. */
  | "unshared"
  /** A namespace without a process, kept by a bind mount or a descriptor. */
  | "pinned"
  /** A process that has a file, directory or mapping open on the target. */
  | "open-file"
  /** A device stacked on the target, or swap on it. */
  | "device";

/** Facts about the host. */
export interface Host {
  /** The kernel's random id of this boot (`/proc/sys/kernel/random/boot_id`): another one is another boot. */
  boot_id?: string | null;
  /** When the bundle was taken, RFC 3339 UTC. */
  collected_at?: string | null;
  /**
   * Whether this kernel drops mounts of other namespaces when a directory is removed
   * (3.18 and later, or RHEL 7 with `fs.may_detach_mounts`); `None` where the bundle cannot tell.
   */
  drops_foreign_mounts?: boolean | null;
  /** Kernel release, e.g. `3.10.0-1160.el7.x86_64`. */
  kernel?: string | null;
  /** Host name, where the bundle tells it. */
  name?: string | null;
  /** Container runtime and version where known, e.g. `docker 17.05.0-ce`. */
  runtime?: string | null;
}

/** One mount of the target. */
export interface MountView {
  /** `MAJOR:MINOR`. */
  device: string;
  /** The very line of mountinfo. */
  evidence: Evidence;
  /**
   * Whether the umount in the runtime's namespace takes this mount along; `None` where that is not the question
   * (it is the runtime's own, or is unmounted there already) and where the bundle does not tell.
   */
  follows?: boolean | null;
  /** File system type. */
  fs_type: string;
  /** Mount id, unique over all mount namespaces of a running kernel. */
  id: number;
  /** Peer group that it receives mounts from. */
  master?: number | null;
  /** Why this mount counts: `same device 253:1`, `mount point has the layer id`, … */
  matched_by: string;
  /** Where it is mounted, as the namespace's processes see it. */
  mount_point: string;
  /** Nearest peer group up the chain that is visible from the process's root. */
  propagate_from?: number | null;
  /** Which part of the file system it shows. */
  root: string;
  /** Peer group that it shares mounts with. */
  shared?: number | null;
  /** Mount source. */
  source: string;
  /** True where it cannot be bound. */
  unbindable: boolean;
}

/** Roles in the picture. */
export type NamespaceRole =
  /** pid 1's. */
  | "host"
  /** The container daemon's, where it differs from the host's. */
  | "daemon"
  /** One that holds the target. */
  | "holder";

/** A lane of the picture: one mount namespace and the target's mount in it. */
export interface NamespaceView {
  /** Effect of this namespace; `None` where it does not hold the target. */
  effect?: Effect | null;
  /** Inode number, where known. */
  inode?: number | null;
  /** Short label: `host`, `dockerd`, `httpd.service`, `container cadvisor`. */
  label: string;
  /** The target's mounts in it. */
  mounts: MountView[];
  /** The mount below which the target's mount would be (its parent), with its propagation. */
  parent_mount?: MountView | null;
  /** How many processes are in it. */
  process_count: number;
  /** A few of them, lowest pid first. */
  processes: ProcessView[];
  /** Why mounts and umounts do or do not reach this namespace, one sentence. */
  propagation: string;
  /** What this namespace is. */
  role: NamespaceRole;
}

/** A reference from a process to a file of the target. */
export interface OpenFile {
  /** Where it was seen. */
  evidence: Evidence;
  /** Path as the link shows it; after a lazy umount it lacks its prefix. */
  path: string;
  /** Pid on the host. */
  pid: number;
  /** `cwd`, `root`, `exe`, `fd/7`, `map`. */
  reference: string;
}

/** A process as the report shows it. */
export interface ProcessView {
  /** Command line with blanks between the arguments; empty for kernel threads. */
  cmdline: string;
  /** Short name. */
  comm: string;
  /** Pid on the host. */
  pid: number;
  /** When it started, RFC 3339 UTC, where boot time and clock ticks are known. */
  started_at?: string | null;
  /** State letter of proc(5): `S`, `D`, `Z`, … */
  state?: string | null;
}

/** A command with its effect and its risk. */
export interface Remedy {
  /** What to type as root, quoted for a POSIX shell; may span lines. Empty where it is advice only. */
  command: string;
  /** What it does. */
  effect: string;
  /** What it interrupts or may break. */
  risk: string;
  /** Frees the target now, or keeps it from coming back. */
  when: When;
}

/** The verdict's three values. */
export type Status =
  /** Something in the bundle holds the target and blocks the operation. */
  | "held"
  /** The bundle is complete enough to say that nothing blocks it any more. */
  | "free"
  /** The bundle cannot tell. */
  | "unknown";

/** What is busy. */
export interface Target {
  /** All names of the target, each with the evidence that links it. */
  aliases: Alias[];
  /** What kind of object the kernel called busy. */
  busy: BusyKind;
  /** Other containers that the query fits too (an ambiguous prefix). */
  candidates: string[];
  /** Full container id where known. */
  container_id?: string | null;
  /** Storage driver or kind of object: `devicemapper`, `overlay2`, `shm`, `netns`, … */
  driver?: string | null;
  /** False where nothing in the bundle goes by that name. */
  found: boolean;
  /** Container name without the leading slash. */
  name?: string | null;
  /** What was asked for: the id, name, path or device as typed, or the object of the chosen error. */
  query: string;
  /** The container's state as the runtime has it: `running`, `exited`, `dead`, … */
  state?: string | null;
}

/** Something that happened, with the clock that told. */
export interface TimelineEvent {
  /** RFC 3339 UTC; `None` where neither the line nor another one of the same log tells year and zone. */
  at?: string | null;
  /** Where it was read. */
  evidence: Evidence[];
  /** What kind of event. */
  kind: TimelineKind;
  /** One sentence. */
  what: string;
  /** The time as it is written at the source, where that is not a full date. */
  written?: string | null;
}

/** Kinds of events, in the order in which they are listed at the same time. */
export type TimelineKind =
  /** The host started. */
  | "booted"
  /** A unit became active, by systemd's `ActiveEnterTimestamp`. */
  | "unit-active"
  /** The target container started. */
  | "container-started"
  /** The oldest process of a holder started. */
  | "holder-started"
  /** systemd saw a mount of the target. */
  | "mounted"
  /** The target container ended. */
  | "container-finished"
  /** systemd saw a umount of the target. */
  | "unmounted"
  /** The first busy error. */
  | "first-error"
  /** The last busy error. */
  | "last-error"
  /** The bundle was taken. */
  | "collected";

/** The verdict. */
export interface Verdict {
  /** Held, free or unknown. */
  status: Status;
  /** One or two sentences that answer the question. */
  summary: string;
}

/** When a remedy acts. */
export type When =
  /** Frees the target. */
  | "now"
  /** Keeps it from happening again. */
  | "lasting";
