//! Virus scanners, endpoint agents, file indexers: they open what others write, some keep descriptors, some enter
//! containers' namespaces. Vendors ask to exclude the runtime's directories.

use super::{Case, Finding, remedy, unmount};
use crate::report::HolderKind;
use crate::snapshot::Process;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.is_daemons && case.holder.kind != HolderKind::OpenFile
        || case.holder.is_target
        || matches!(case.holder.kind, HolderKind::Host | HolderKind::Pinned | HolderKind::Device)
    {
        return None;
    }
    let (pid, process, product) = case
        .holder
        .pids
        .iter()
        .filter_map(|p| Some((p.0, case.snapshot.processes.get(p)?)))
        .find_map(|(pid, p)| Some((pid, p, product(p)?)))?;
    let what = match case.holder.kind {
        HolderKind::OpenFile => "has files of it open",
        _ => "has a copy of the mount in its own mount namespace",
    };
    let mut remedies: Vec<_> =
        unmount::remove_mount_point(case).into_iter().chain(unmount::inside(case)).collect();
    remedies.extend(remedy::restart(case));
    remedies.push(remedy::lasting(
        String::new(),
        "Exclude the runtime's directories (/var/lib/docker, /var/lib/containerd, /var/lib/containers, /run/containerd) and containers' namespaces from its scans.",
        "What is in containers is then not scanned through the host; scan images instead.",
    ));
    Some(Finding {
        id: "security-agent",
        summary: format!("{} (pid {pid}) of {product} {what}.", process.name()),
        remedies,
    })
}

/// The product behind a program's name.
fn product(process: &Process) -> Option<&'static str> {
    let of = |name: &[u8]| {
        Some(match name {
            b"clamd" | b"clamscan" | b"clamonacc" | b"freshclam" => "ClamAV",
            b"savd" | b"savscand" | b"talpa_daemon" | b"SophosScanD" => "Sophos",
            b"kesl" | b"klnagent" | b"kess" => "Kaspersky Endpoint Security",
            b"ds_agent" | b"ds_am" | b"ds_filter" => "Trend Micro Deep Security",
            b"falcon-sensor" | b"falcon-sensor-b" | b"falcond" => "CrowdStrike Falcon",
            b"cbagentd" | b"cbdaemon" => "Carbon Black",
            b"wdavdaemon" | b"mdatp" => "Microsoft Defender",
            b"esets" | b"esets_daemon" | b"oaeventd" | b"scand" => "ESET",
            b"cylancesvc" => "Cylance",
            b"s1-agent" | b"s1-perf" | b"sentinelone-age" | b"sentineld" => "SentinelOne",
            b"isecespd" | b"isectpd" | b"nails" | b"nailsd" | b"mfetpd" | b"cma" | b"masvc" => {
                "McAfee (Trellix)"
            }
            b"cortex-xdr" | b"pmd" | b"traps_pmd" => "Cortex XDR",
            b"twagent" | b"tripwire" | b"aide" | b"ossec-syscheckd" | b"ossec-syscheck"
            | b"wazuh-syscheckd" | b"wazuh-syscheck" => "a file integrity monitor",
            b"updatedb" | b"updatedb.mlocat" | b"updatedb.plocat" | b"tracker-miner-f" => "a file indexer",
            _ => return None,
        })
    };
    of(&process.comm).or_else(|| of(process.executable()))
}
