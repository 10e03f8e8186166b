// The host of the examples in the documentation: httpd has /mnt/data in a mount namespace of its own.

use ebusy_analyzer::archive::{Content, End, Entry};
use ebusy_analyzer::snapshot::Hosts;
use ebusy_analyzer::{Analysis, OpenError};

pub fn host(name: &str) -> Result<Analysis, OpenError> {
    let mut hosts = Hosts::default();
    let mut add = |file: &str, content: Content<'_>| {
        let path = format!("{name}/proc/{file}");
        hosts.add(Entry { archive: b"", path: path.as_bytes(), content });
    };
    add("sys/kernel/hostname", Content::File(name.as_bytes()));
    let data = "245 665 253:3 / /mnt/data rw - ext4 /dev/mapper/vg0-data rw\n";
    for (pid, ns, comm, more) in [(1, 4026531841_u64, "systemd", ""), (645, 4026532184, "httpd", data)] {
        let table = format!("{} 1 254:1 / / rw shared:1 - ext4 /dev/vda1 rw\n{more}", pid + 20);
        add(&format!("{pid}/mountinfo"), Content::File(table.as_bytes()));
        add(&format!("{pid}/comm"), Content::File(comm.as_bytes()));
        add(&format!("{pid}/ns/mnt"), Content::Symlink(format!("mnt:[{ns}]").as_bytes()));
    }
    Analysis::of(hosts, &End::Complete)
}
