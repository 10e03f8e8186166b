//! What to type once the holders are gone, or where there are none.

use super::remedy;
use crate::bytes::shell_quote;
use crate::holders::{Found, open_count, unread};
use crate::report::{BusyKind, Effect, Remedy, Status};
use crate::resolve::Target;
use crate::snapshot::{Facts, Snapshot};

/// So many holders are named in the order of going.
const ORDERED: usize = 12;

/// How to get what the bundle lacks.
fn collect_again(facts: &Facts) -> String {
    let place = match (facts.privileged, &facts.unread) {
        (Some(true), Some(_)) => "not in a container and not confined by SELinux or AppArmor",
        _ => "not in a container",
    };
    format!(
        "Run it as root on the host, {place}, while the error still happens: it takes what is missing here."
    )
}

/// The command to try again, or what to look at next.
pub fn next_steps(snapshot: &Snapshot, target: &Target, holders: &[Found], status: Status) -> Vec<Remedy> {
    let mut steps = Vec::new();
    if snapshot.facts.is_paste() && status != Status::Held {
        return vec![super::more_of_paste::next_command(snapshot, target)];
    }
    if !target.found {
        return steps;
    }
    let blocked = holders.iter().any(|h| h.effect == Effect::Blocking);
    let own_running = holders.iter().any(|h| h.is_target && h.effect == Effect::Blocking);
    if status == Status::Unknown && !blocked {
        for inode in unread(snapshot).keys().take(3) {
            steps.push(remedy::now(
                format!("lsns -t mnt -P | grep {}", inode.0),
                "Shows what keeps the mount namespace that this bundle could not look into.",
                "None.",
            ));
        }
        steps.push(remedy::now(
            "./ebusy-collector".to_owned(),
            collect_again(&snapshot.facts),
            "Reads only.",
        ));
    }
    if own_running && target.error.is_none() {
        return steps;
    }
    steps.extend(order(snapshot, holders));
    // A container that neither an error nor the runtime's state speaks of is gone; nothing is left to retry.
    let wanted = blocked || (status == Status::Free && (target.error.is_some() || target.state.is_some()));
    if wanted && let Some(retry) = retry_command(snapshot, target) {
        let effect = if blocked {
            "Try again, once nothing blocks it any more."
        } else {
            "Try again: nothing in this bundle blocks it."
        };
        steps.push(remedy::now(retry, effect, "None beyond what the command itself does."));
    }
    if snapshot.facts.is_paste() && blocked {
        steps.push(super::more_of_paste::next_command(snapshot, target));
    }
    if target.busy == BusyKind::Device
        && blocked
        && let Some(device) =
            target.devices.iter().find(|d| !d.is_anonymous()).and_then(|d| snapshot.device_path(*d))
    {
        let count = open_count(snapshot, target).map(|n| format!(" (now {n})")).unwrap_or_default();
        if device.starts_with(b"/dev/mapper/") {
            steps.push(remedy::now(
                format!("dmsetup info -c {}", shell_quote(&device[12..])),
                format!("The Open column{count} is 0 when nobody holds the device any more."),
                "Reads only.",
            ));
        }
    }
    steps
}

/// In which order several holders have to go.
fn order(snapshot: &Snapshot, holders: &[Found]) -> Option<Remedy> {
    let blocking: Vec<String> = holders
        .iter()
        .filter(|h| h.effect == Effect::Blocking)
        .map(|h| match &h.device {
            Some(device) => crate::bytes::visible(device),
            None => h.name(snapshot),
        })
        .collect();
    if blocking.len() < 2 {
        return None;
    }
    let named: Vec<String> =
        (1..).zip(&blocking).take(ORDERED).map(|(n, name)| format!("({n}) {name}")).collect();
    let more = match blocking.len().saturating_sub(ORDERED) {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    Some(remedy::now(
        String::new(),
        format!(
            "All {} must go, each by its own remedy, in this order: {}{more}.",
            blocking.len(),
            named.join(", ")
        ),
        "Each remedy says what it interrupts.",
    ))
}

fn retry_command(snapshot: &Snapshot, target: &Target) -> Option<String> {
    let runtime = target.error.and_then(|i| snapshot.errors.get(i)?.runtime.clone()).or_else(|| {
        target.container.as_ref().and_then(|id| snapshot.containers.get(id)?.record.runtime.clone())
    });
    let name = target.name.clone().or_else(|| target.container.clone())?;
    let name = shell_quote(name.as_bytes());
    let start = target.busy == BusyKind::OverlayMount;
    Some(match runtime.as_deref() {
        Some(r) if r.starts_with("podman") => {
            format!("podman {} {name}", if start { "start" } else { "rm -f" })
        }
        Some(r) if r.contains("cri") || r.contains("kubelet") => format!("crictl rm -f {name}"),
        Some(r) if r.starts_with("containerd") => format!("ctr containers rm {name}"),
        _ => format!("docker {} {name}", if start { "start" } else { "rm -f" }),
    })
}
