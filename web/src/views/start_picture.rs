//! The demo's picture in small, for a first look: the host let go of the mount, two others did not.

use super::picture::StillPicture;
use crate::text;
use ebusy_analyzer::report::{Effect, Evidence, MountView, NamespaceRole, NamespaceView, ProcessView};
use std::rc::Rc;
use yew::prelude::*;

/// Name, process, pid and where the demo's namespaces have the mount. The tests compare it with the demo.
const DEMO: [(&str, &str, u32, Option<&str>); 3] = [
    ("host, dockerd", "dockerd", 634, None),
    ("httpd.service", "httpd", 645, Some("/var/lib/docker/devicemapper")),
    ("container cadvisor", "cadvisor", 658, Some("/rootfs/var/lib/docker/devicemapper")),
];

/// The picture, which opens the demo.
#[component]
pub fn StartPicture() -> Html {
    let spaces = use_memo((), |()| -> Rc<[NamespaceView]> { DEMO.iter().map(space).collect() });
    html! {
        <figure class="start-picture">
            <StillPicture spaces={(*spaces).clone()} />
            <figcaption class="muted small">{ text::t().start_picture }</figcaption>
        </figure>
    }
}

fn space((label, comm, pid, place): &(&str, &str, u32, Option<&str>)) -> NamespaceView {
    let process = ProcessView { pid: *pid, comm: (*comm).to_owned(), ..ProcessView::default() };
    NamespaceView {
        role: if place.is_some() { NamespaceRole::Holder } else { NamespaceRole::Host },
        inode: None,
        label: (*label).to_owned(),
        process_count: 1,
        processes: vec![process],
        mounts: place.iter().map(|place| mount(&format!("{place}/mnt/7c45729cb5da"))).collect(),
        // Docker 17.05 makes its storage directory private: a umount there reaches nobody.
        parent_mount: Some(mount(place.unwrap_or("/var/lib/docker/devicemapper"))),
        effect: place.map(|_| Effect::Blocking),
        propagation: String::new(),
    }
}

fn mount(place: &str) -> MountView {
    MountView {
        id: 0,
        mount_point: place.to_owned(),
        root: "/".to_owned(),
        device: "253:3".to_owned(),
        fs_type: "xfs".to_owned(),
        source: String::new(),
        shared: None,
        master: None,
        propagate_from: None,
        unbindable: false,
        follows: None,
        matched_by: String::new(),
        evidence: Evidence { file: String::new(), line: None, text: String::new() },
    }
}
