//! A finding in words, with its container, device and evidence.

use super::Leftover;
use super::describe::{container_evidence, container_ref, noun, pinned, state_word, why_foreign, why_own};
use super::effect;
use super::objects::Object;
use super::owners::Life;
use super::survey::{Finding, Survey, What, Whose};
use super::{LeftoverKind, PinnedDevice};
use crate::holders::mount_view;
use crate::report::OpenFile;
use crate::report::link::bounded;
use crate::snapshot::Placed;

impl<'s> Survey<'s> {
    /// The mount of a finding; `None` where open files keep it.
    pub(crate) fn mount(&self, finding: &Finding) -> Option<Placed<'s>> {
        let What::Mount((id, line), _) = finding.what else { return None };
        let table = self.snapshot.table(id)?;
        Some(Placed { id, table, line, mount: table.mount_on(line)? })
    }

    /// What it is, whatever the namespace: see [`Leftover::object`].
    pub(crate) fn object(&self, finding: &Finding) -> String {
        match &finding.what {
            What::Files(leftover) => leftover.object.clone(),
            What::Mount(..) => {
                let placed = self.mount(finding);
                let object = placed.and_then(|placed| self.classifier.object(&placed.mount));
                object.map(|object| object.id).unwrap_or_default()
            }
        }
    }

    /// The namespace and the id of its mount.
    pub(crate) fn place(&self, finding: &Finding) -> Option<(Option<u64>, u32)> {
        let mount = self.mount(finding)?.mount;
        Some((self.inode(finding), mount.id.0))
    }

    /// The inode number of its namespace, where known.
    pub(crate) fn inode(&self, finding: &Finding) -> Option<u64> {
        self.snapshot.namespaces.get(&finding.namespace).and_then(|n| n.inode())
    }

    /// The open files that keep it where no mount does.
    pub(crate) fn open_files<'f>(&self, finding: &'f Finding) -> &'f [OpenFile] {
        match &finding.what {
            What::Files(leftover) => &leftover.open_files,
            What::Mount(..) => &[],
        }
    }

    /// Itself in words.
    pub(crate) fn leftover(&self, finding: &Finding) -> Option<Leftover> {
        let mut leftover = match &finding.what {
            What::Files(leftover) => (**leftover).clone(),
            What::Mount(_, whose) => {
                let placed = self.mount(finding)?;
                let object = self.classifier.object(&placed.mount)?;
                self.of_mount(finding, &placed, &object, *whose)
            }
        };
        bounded::leftover(&mut leftover);
        Some(leftover)
    }

    fn of_mount(&self, finding: &Finding, placed: &Placed<'_>, object: &Object, whose: Whose) -> Leftover {
        let (snapshot, mount) = (self.snapshot, &placed.mount);
        let (container, life) = self.owners.owner(object, mount.device);
        let (own, alive) = (whose == Whose::Runtimes, life == Life::Alive);
        let (effect, effect_reason) = effect::of_mount(snapshot, object.kind, mount, own, alive);
        let view =
            mount_view(placed.table, placed.line, mount, format!("{} {}", noun(object.kind), object.id));
        let mut evidence = vec![view.evidence.clone()];
        evidence.extend(container_evidence(snapshot, object, container));
        Leftover {
            kind: object.kind,
            object: object.id.clone(),
            mount_namespace: self.inode(finding),
            container: container.map(|id| container_ref(snapshot, id)),
            container_state: state_word(&life),
            why: match whose {
                Whose::Runtimes => why_own(object.kind, &mount.mount_point(), &life),
                Whose::Foreign { at_home } => why_foreign(object.kind, at_home, &life),
            },
            effect,
            effect_reason,
            device: self.device(object.kind, placed),
            mount: Some(view),
            open_files: Vec::new(),
            evidence,
        }
    }

    fn device(&self, kind: LeftoverKind, placed: &Placed<'_>) -> Option<PinnedDevice> {
        (kind != LeftoverKind::NetworkNamespace).then(|| pinned(self.snapshot, placed.mount.device))
    }
}
