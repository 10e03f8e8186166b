//! systemd services with a mount namespace of their own, and the marks that systemd leaves in it.

use super::{Host, Ns, Propagation, suffix};

/// What a unit file asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandbox {
    /// Nothing: the host's own namespace.
    None,
    /// `PrivateTmp=yes`: a slave of the host, shared again, with own `/tmp` and `/var/tmp`.
    PrivateTmp,
    /// `MountFlags=slave`, as systemd-udevd and old docker units have it.
    MountFlagsSlave,
    /// `MountFlags=private`.
    MountFlagsPrivate,
}

/// A running service.
#[derive(Debug, Clone)]
pub struct Service {
    /// Unit name.
    pub unit: String,
    /// Its namespace.
    pub ns: Ns,
    /// Main process first.
    pub pids: Vec<u32>,
}

impl Host {
    /// systemd's boot id, 32 hex digits.
    pub fn boot_id(&self) -> String {
        super::hex64(&format!("boot {}", self.name))[..32].to_owned()
    }

    /// The kernel's id of this boot: another one after each.
    pub fn random_boot_id(&self) -> String {
        let id = super::hex64(&format!("boot {} of {}", self.boots, self.name));
        format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..32])
    }

    /// Starts a service with `processes` processes of the same command.
    pub fn service(&mut self, unit: &str, args: &[&str], processes: usize, sandbox: Sandbox) -> Service {
        let ns = match sandbox {
            Sandbox::None => self.ns,
            Sandbox::PrivateTmp => self.private_tmp(unit),
            Sandbox::MountFlagsSlave => self.mounts.copy_with(self.ns, Propagation::Slave),
            Sandbox::MountFlagsPrivate => self.mounts.copy_with(self.ns, Propagation::Private),
        };
        let comm = args.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let cgroup = format!("/system.slice/{unit}");
        let mut pids = Vec::new();
        for _ in 0..processes {
            let parent = pids.first().copied().unwrap_or(1);
            pids.push(self.spawn_as(parent, ns, comm, args, &cgroup));
        }
        if sandbox != Sandbox::None {
            let show = self.show(unit, pids[0], sandbox);
            self.units.insert(unit.into(), show);
        }
        Service { unit: unit.into(), ns, pids }
    }

    /// Ends a service and its namespace's processes.
    pub fn stop_service(&mut self, service: &Service) {
        for pid in &service.pids {
            self.kill(*pid);
        }
        self.units.remove(&service.unit);
    }

    /// `setup_namespace` of systemd 219: unshare, make all slave, bind the private directories, make all
    /// shared again. What was private in the host (docker's own bind mount) becomes a peer group of its own.
    /// Later versions also bind the directory through which the manager hands mounts in.
    fn private_tmp(&mut self, unit: &str) -> Ns {
        let ns = self.mounts.copy_with(self.ns, Propagation::Slave);
        let incoming = !self.kernel.starts_with("3.");
        if incoming {
            let from = format!("/run/systemd/propagate/{unit}");
            self.mounts.bind(ns, &from, "/run/systemd/incoming", false);
        }
        for dir in ["/tmp", "/var/tmp"] {
            let name =
                format!("systemd-private-{}-{unit}-{}", self.boot_id(), suffix(&format!("{unit}{dir}")));
            self.mounts.bind(ns, &format!("{dir}/{name}/tmp"), dir, false);
        }
        self.mounts.make(ns, "/", true, Propagation::Shared);
        if incoming {
            self.mounts.make(ns, "/run/systemd/incoming", false, Propagation::Slave);
        }
        ns
    }

    fn show(&self, unit: &str, pid: u32, sandbox: Sandbox) -> String {
        let flags = match sandbox {
            Sandbox::MountFlagsSlave => 1 << 19,
            Sandbox::MountFlagsPrivate => 1 << 18,
            _ => 0,
        };
        let private_tmp = if sandbox == Sandbox::PrivateTmp { "yes" } else { "no" };
        format!(
            "Id={unit}\nMainPID={pid}\nControlGroup=/system.slice/{unit}\n\
             FragmentPath=/usr/lib/systemd/system/{unit}\nActiveState=active\nSubState=running\n\
             PrivateTmp={private_tmp}\nPrivateDevices=no\nProtectSystem=no\nProtectHome=no\nMountFlags={flags}\n"
        )
    }
}
