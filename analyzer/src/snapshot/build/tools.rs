//! What tools, runtimes and `/sys` tell of devices, containers, units and processes.

use super::*;
use crate::order;
use std::cell::OnceCell;

impl Builder {
    pub(super) fn add_pins(&mut self, inode: NamespaceInode, bytes: &[u8], file: &str) {
        for (line, text) in numbered_lines(bytes) {
            let evidence = Evidence { file: file.to_owned(), line: Some(line), text: visible(text) };
            let words: Vec<&[u8]> = text.splitn(3, |&b| b == b' ').collect();
            let by = match words[..] {
                [what, pid, name] => match (what, whole_number(pid).map(Pid)) {
                    (b"fd", Some(pid)) => PinnedBy::Descriptor(pid, [b"fd/", name].concat()),
                    // A thread may be in another mount namespace than its process.
                    (b"thread", Some(pid)) => PinnedBy::Descriptor(pid, [b"thread ", name].concat()),
                    (b"bind", Some(pid)) => {
                        PinnedBy::BindSeenBy(pid, crate::bytes::decode_octal(name).into_owned())
                    }
                    _ => PinnedBy::Noted(text.to_vec()),
                },
                _ => PinnedBy::Noted(text.to_vec()),
            };
            self.snapshot.pins.push(NamespacePin { kind: b"mnt".to_vec(), inode, by, evidence });
        }
    }

    pub(super) fn add_device_file(&mut self, name: &[u8], rest: &[u8], bytes: &[u8], file: &str) {
        let evidence =
            Evidence { file: file.to_owned(), line: Some(1), text: visible(bytes.trim_ascii_end()) };
        let device = self.device(name);
        match rest {
            b"dev" => device.number = device_number_of(bytes.trim_ascii()),
            b"dm/name" => {
                device.dm_name = Some(bytes.trim_ascii_end().to_vec());
                device.evidence = Some(evidence);
            }
            b"dm/uuid" => device.dm_uuid = Some(bytes.trim_ascii().to_vec()),
            b"dm/open_count" => device.open_count = whole_number(bytes.trim_ascii()).map(|n| (n, evidence)),
            b"loop/backing_file" => {
                device.backing_file = Some(bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec());
                device.evidence.get_or_insert(evidence);
            }
            b"loop/status" => {
                let number = |key: &[u8]| {
                    bytes
                        .split(u8::is_ascii_whitespace)
                        .find_map(|word| device_number_of(word.strip_prefix(key)?))
                };
                (device.backing_device, device.backing_node) = (number(b"dev="), number(b"rdev="));
                device.evidence = Some(evidence);
            }
            _ => {}
        }
    }

    /// Finds the devices that loop devices are on by their paths, where nothing told the numbers.
    pub(super) fn resolve_backing_nodes(&mut self) {
        let path =
            |device: &BlockDevice| device.backing_file.clone().filter(|file| file.starts_with(b"/dev/"));
        if !self.snapshot.devices.values().any(|device| path(device).is_some()) {
            return;
        }
        let mut numbers = BTreeMap::new();
        for (name, device) in &self.snapshot.devices {
            let mapped = device.dm_name.iter().map(|name| [b"/dev/mapper/", &name[..]].concat());
            let paths = mapped.chain([[b"/dev/", &name[..]].concat()]);
            numbers.extend(paths.filter_map(|path| Some((path, device.number?))));
        }
        for device in self.snapshot.devices.values_mut() {
            device.backing_node = device.backing_node.or_else(|| numbers.get(&path(device)?).copied());
        }
    }

    pub(super) fn add_layer(
        &mut self,
        driver: &[u8],
        container: &[u8],
        init: bool,
        bytes: &[u8],
        file: String,
    ) {
        let container = visible(container);
        let layer = visible(bytes.trim_ascii());
        let record = self.container(&container);
        record.record.driver.get_or_insert_with(|| visible(driver));
        let evidence = Evidence { file, line: Some(1), text: layer.clone() };
        if !init && !layer.is_empty() {
            record.record.layer_id = Some(layer.clone());
            record.layers.insert(layer, evidence);
        }
    }

    pub(super) fn add_docker_state(&mut self, file: &str, bytes: &[u8]) {
        let mut records = runtime_state::docker(bytes);
        // A capture may hold an earlier `inspect` beside the present one: names stay true, states do not.
        if file.contains("before") {
            for record in &mut records {
                record.state = None;
                record.pid = None;
            }
        }
        self.add_containers(records, file);
    }

    pub(super) fn add_containers(&mut self, records: Vec<runtime_state::ContainerRecord>, file: &str) {
        for new in records {
            let evidence = Evidence {
                file: file.to_owned(),
                line: None,
                text: format!(
                    "{} {}",
                    visible(new.id.as_bytes()),
                    visible(new.name.as_deref().unwrap_or("").as_bytes())
                ),
            };
            let layer = new.layer_id.clone().or_else(|| layer_in(&new));
            let container = self.container(&new.id);
            if let Some(layer) = layer {
                container.layers.entry(layer).or_insert_with(|| evidence.clone());
            }
            container.evidence.push(evidence);
            merge(&mut container.record, new);
        }
    }

    pub(super) fn add_unit(&mut self, unit: &[u8], bytes: &[u8]) {
        let properties = numbered_lines(bytes).filter_map(|(_, line)| {
            let equals = memchr::memchr(b'=', line)?;
            Some((visible(&line[..equals]), visible(&line[equals + 1..])))
        });
        self.snapshot.units.insert(unit.to_vec(), order::map(properties));
    }

    pub(super) fn add_tool_output(&mut self, bytes: &[u8], file: &str) {
        let output = Output { file, bytes, lines: OnceCell::new() };
        let rows = device_tools::dmsetup_info(bytes);
        for row in rows.into_iter().chain(device_tools::dmsetup_blocks(bytes)) {
            let evidence = output.evidence(row.line);
            self.snapshot.dm_names.insert(row.name.clone(), (row.device, evidence.clone()));
            let name = [b"dm-", row.device.minor.to_string().as_bytes()].concat();
            let device = self.device(&name);
            device.number.get_or_insert(row.device);
            device.dm_name.get_or_insert(row.name);
            device.open_count = device.open_count.take().or(row.open_count.map(|n| (n, evidence)));
        }
        for row in device_tools::losetup(bytes).into_iter().chain(device_tools::losetup_table(bytes)) {
            let evidence = output.evidence(row.line);
            let device = self.device(&row.name);
            device.backing_device = row.backing_device.or(device.backing_device);
            device.backing_file.get_or_insert(row.backing_file);
            device.evidence = Some(evidence);
        }
        self.add_device_tree(device_trees::lsblk(bytes), &output, false);
        self.add_device_tree(device_trees::dmsetup_ls(bytes), &output, true);
        for row in device_tools::rbd_showmapped(bytes) {
            let evidence = output.evidence(row.line);
            self.snapshot.rbd_images.insert(row.image, (row.device, evidence));
        }
        for (dataset, point, line) in device_tools::zfs(bytes) {
            let evidence = output.evidence(line);
            self.snapshot.datasets.insert(dataset, (point, evidence));
        }
        for (path, line) in device_tools::swapon(bytes) {
            let evidence = output.evidence(line);
            self.snapshot.swaps.push((path, evidence));
        }
        if let Some(version) = docker_version(bytes) {
            self.snapshot.facts.docker_version.get_or_insert(version);
        }
        self.open_files.extend(fuser::parse(bytes).into_iter().map(|row| (file.to_owned(), row)));
        for row in systemctl_status::parse(bytes) {
            // In a text a unit's process counts even where nothing else names it.
            if self.snapshot.facts.is_paste() {
                self.process(row.pid);
            }
            self.listed.push((file.to_owned(), row));
        }
        self.listed.extend(process_list::parse(bytes).into_iter().map(|row| (file.to_owned(), row)));
        for row in container_list::parse(bytes) {
            self.listed_containers.push((output.evidence(row.line), row.record));
        }
        self.open_files.extend(lsof::parse(bytes).into_iter().map(|row| (file.to_owned(), row)));
        self.add_kernel(bytes);
        self.add_unit_list(bytes);
    }

    /// What is stacked on what. `is_mappers` for listings that name only what device-mapper made.
    fn add_device_tree(&mut self, rows: Vec<device_trees::Node>, output: &Output<'_>, is_mappers: bool) {
        let key = |name: Option<&Vec<u8>>, number: DeviceNumber, is_mapped: bool| match name {
            Some(name) if !is_mapped => name.clone(),
            Some(_) => format!("dm-{}", number.minor).into_bytes(),
            // dmsetup names only its own; of the others the loop devices' numbers tell.
            None if number.major == 7 => format!("loop{}", number.minor).into_bytes(),
            None => number.to_string().into_bytes(),
        };
        let keys = order::map(rows.iter().map(|r| (r.number, key(r.name.as_ref(), r.number, r.is_mapped))));
        for row in rows {
            let evidence = output.evidence(row.line);
            let Some(own) = keys.get(&row.number) else { continue };
            let device = self.device(own);
            device.number.get_or_insert(row.number);
            if row.is_mapped {
                device.dm_name = device.dm_name.take().or_else(|| row.name.clone());
            }
            device.evidence.get_or_insert(evidence.clone());
            if let (true, Some(name)) = (row.is_mapped, row.name) {
                self.snapshot.dm_names.entry(name).or_insert((row.number, evidence.clone()));
            }
            let Some(below) = row.below.and_then(|n| Some((n, keys.get(&n)?))) else { continue };
            let lower = self.device(below.1);
            lower.number.get_or_insert(below.0);
            // A partition lies in its disk, it does not hold it.
            if row.is_mapped || is_mappers {
                lower.holders.insert(own.clone());
                lower.evidence.get_or_insert(evidence);
            }
        }
    }

    /// `uname -a`: `Linux HOST RELEASE #1 SMP …`.
    pub(super) fn add_kernel(&mut self, bytes: &[u8]) {
        let words: Vec<&[u8]> = words(bytes.get(..512).unwrap_or(bytes)).take(3).collect();
        if let [b"Linux", host, release] = words[..]
            && kernel_release::parse(release).is_some()
        {
            set_if_absent(&mut self.snapshot.facts.host, text_of(host));
            set_if_absent(&mut self.snapshot.facts.kernel, text_of(release));
        }
    }

    /// Open files that only `lsof` tells of, for processes without links of their own.
    pub(super) fn add_open_files(&mut self) {
        let listed = std::mem::take(&mut self.open_files);
        let processes = self.snapshot.processes.iter();
        let known: BTreeSet<Pid> =
            order::set(processes.filter(|(_, p)| !p.links.is_empty()).map(|(pid, _)| *pid));
        for (file, row) in listed.into_iter().filter(|(_, row)| !known.contains(&row.pid)) {
            let process = self.process(row.pid);
            if process.comm.is_empty() {
                process.comm = row.comm;
            }
            // Two listings of one process would show each file twice.
            if process.links_file.is_empty() || process.links_file == file {
                process.links_file = file;
                process.links.push(row.link);
            }
        }
    }

    /// `systemctl show` of many units: blocks of properties between blank lines, each with its `Id=`.
    pub(super) fn add_unit_list(&mut self, bytes: &[u8]) {
        if memchr::memmem::find(bytes, b"\nId=").is_none() {
            return;
        }
        let mut from = 0;
        while from < bytes.len() {
            let end = memchr::memmem::find(&bytes[from..], b"\n\n").map_or(bytes.len(), |at| from + at + 1);
            let block = &bytes[from..end];
            let id = numbered_lines(block).find_map(|(_, line)| line.strip_prefix(b"Id="));
            if let Some(id) = id.map(<[u8]>::to_vec) {
                self.add_unit(&id, block);
            }
            from = end + 1;
        }
    }

    /// What `ps` listed fills in for processes whose own files are not in the bundle.
    pub(super) fn add_listed(&mut self) {
        let mut listed = std::mem::take(&mut self.listed);
        // A listed short name is surer than one that the command line suggests.
        order::sort_by(&mut listed, |(a, x), (b, y)| {
            (x.comm.is_none(), a, x.line).cmp(&(y.comm.is_none(), b, y.line))
        });
        for (file, row) in listed {
            let Some(process) = self.snapshot.processes.get_mut(&row.pid) else { continue };
            if process.comm.is_empty() {
                process.comm = row.comm.unwrap_or_default();
            }
            if let Some(command) = row.command.filter(|_| process.cmdline.is_empty()) {
                if process.comm.is_empty() {
                    process.comm = name_in_command(&command).to_vec();
                }
                // A kernel thread has no command line; ps shows its name in brackets.
                process.cmdline = if command.starts_with(b"[") { Vec::new() } else { command };
            }
            if !process.membership.is_read()
                && let Some(membership) = row.membership
            {
                process.membership = ProcessMembership::named(file, membership);
            }
        }
    }
}

/// The short name that a command line suggests: `/usr/sbin/httpd -k` is httpd, `nginx: worker` nginx.
fn name_in_command(command: &[u8]) -> &[u8] {
    if let Some(thread) = command.strip_prefix(b"[").and_then(|c| c.strip_suffix(b"]")) {
        return thread;
    }
    let word = words(command).next().unwrap_or_default();
    let name = components(word).next_back().unwrap_or(word);
    name.strip_suffix(b":").unwrap_or(name)
}

/// The layer id that `inspect`'s graph driver data gives: the device's name ends in it, or it is the
/// directory that holds `diff`. A containerd snapshot has a number only, which is no id by itself.
fn layer_in(record: &runtime_state::ContainerRecord) -> Option<String> {
    let from_device = record.device_name.as_deref().and_then(|name| name.rsplit('-').next());
    if let Some(name) = from_device {
        return Some(name.to_owned());
    }
    let parts: Vec<&[u8]> = components(record.upper_dir.as_deref()?.as_bytes()).collect();
    let id = |id: &[u8]| std::str::from_utf8(id).ok().map(str::to_owned);
    match parts[..] {
        [.., b"snapshots", number, b"fs"] => Some(format!("snapshot {}", id(number)?)),
        [.., layer, _] => id(layer),
        _ => None,
    }
}

/// What a tool printed.
struct Output<'t> {
    file: &'t str,
    bytes: &'t [u8],
    /// By their numbers, found once: a listing has a hundred thousand rows.
    lines: OnceCell<Vec<(u32, &'t [u8])>>,
}

impl Output<'_> {
    fn evidence(&self, line: u32) -> Evidence {
        let lines = self.lines.get_or_init(|| numbered_lines(self.bytes).collect());
        let at = lines.binary_search_by_key(&line, |(number, _)| *number);
        let text = at.ok().and_then(|at| lines.get(at)).map(|(_, text)| visible(text)).unwrap_or_default();
        Evidence { file: self.file.to_owned(), line: Some(line), text }
    }
}

fn device_number_of(text: &[u8]) -> Option<DeviceNumber> {
    crate::parse::device_number(text).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, n)| n)
}

/// `Server Version: 17.05.0-ce` of `docker info`.
fn docker_version(bytes: &[u8]) -> Option<String> {
    numbered_lines(bytes)
        .take(40)
        .find_map(|(_, line)| line.trim_ascii_start().strip_prefix(b"Server Version:").and_then(text_of))
}
