//! The Debian package: `debian-binary`, `control.tar.gz` and `data.tar.gz` in an ar archive (deb(5)).

use super::payload::Payload;
use super::{Architecture, VERSION};
use anyhow::Result;
use flate2::{Compression, GzBuilder};
use std::collections::BTreeSet;
use std::path::Path;

/// `ebusy_0.1.0_amd64.deb`
pub(super) fn file_name(architecture: Architecture) -> String {
    format!("ebusy_{VERSION}_{}.deb", architecture.debian)
}

/// The package's bytes; the same files give the same bytes.
pub(super) fn build(payload: &Payload, architecture: Architecture) -> Result<Vec<u8>> {
    let mut control = Tar::new();
    control.file("./control", 0o644, control_file(payload, architecture).as_bytes())?;
    let mut data = Tar::new();
    for dir in directories(payload) {
        data.directory(&format!(".{dir}/"))?;
    }
    for file in &payload.files {
        data.file(&format!(".{}", file.path), file.mode, &file.content)?;
    }
    let mut archive = ar::Builder::new(Vec::new());
    // In this order, or dpkg refuses it.
    for (name, content) in [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", control.finish()?),
        ("data.tar.gz", data.finish()?),
    ] {
        let mut header = ar::Header::new(name.into(), content.len() as u64);
        header.set_mode(0o100_644);
        archive.append(&header, &*content)?;
    }
    Ok(archive.into_inner()?)
}

fn control_file(payload: &Payload, architecture: Architecture) -> String {
    format!(
        "Package: ebusy\n\
         Version: {VERSION}\n\
         Architecture: {}\n\
         Maintainer: The ebusy developers <ebusy@localhost>\n\
         Installed-Size: {}\n\
         Section: admin\n\
         Priority: optional\n\
         Description: says who keeps a container's mount busy\n \
         The collector writes what shows who keeps a mount, device or namespace busy\n \
         into one small file; ebusy explains it: which processes in which mount\n \
         namespaces hold it, why, and what to do. Both are static programs.\n",
        architecture.debian,
        payload.installed_kib()
    )
}

/// Every directory above a file, parents first: dpkg wants them in the archive.
fn directories(payload: &Payload) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for file in &payload.files {
        for dir in Path::new(&file.path).ancestors().skip(1) {
            if dir != Path::new("/") {
                all.insert(dir.display().to_string());
            }
        }
    }
    all
}

/// A tar in which everything is root's and nothing has a time.
struct Tar(tar::Builder<flate2::write::GzEncoder<Vec<u8>>>);

impl Tar {
    fn new() -> Self {
        Self(tar::Builder::new(GzBuilder::new().mtime(0).write(Vec::new(), Compression::best())))
    }

    fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.entry(path, mode, tar::EntryType::Regular, content)
    }

    fn directory(&mut self, path: &str) -> Result<()> {
        self.entry(path, 0o755, tar::EntryType::Directory, b"")
    }

    fn entry(&mut self, path: &str, mode: u32, kind: tar::EntryType, content: &[u8]) -> Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        header.set_mtime(0);
        header.set_username("root")?;
        header.set_groupname("root")?;
        // `./` in front, as dpkg's own packages have it; the crate's `set_path` would take it away.
        let name = header.as_old_mut();
        let bytes = path.as_bytes();
        if bytes.len() > name.name.len() {
            anyhow::bail!("{path} is too long for a package");
        }
        name.name[..bytes.len()].copy_from_slice(bytes);
        header.set_cksum();
        self.0.append(&header, content)?;
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>> {
        Ok(self.0.into_inner()?.finish()?)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::workspace::{output_of, which};
    use std::process::Command;

    pub(in crate::dist) fn payload() -> Payload {
        let mut payload = Payload::default();
        payload.add("/usr/bin/ebusy", 0o755, b"#!/bin/sh\necho hello\n".to_vec());
        payload.add("/usr/share/doc/ebusy/README.md", 0o644, b"# read me\n".to_vec());
        payload
    }

    #[test]
    fn dpkg_reads_it() {
        assert!(which("dpkg-deb").is_some(), "these tests run on Debian");
        let file = std::env::temp_dir().join(format!("ebusy-deb-test-{}.deb", std::process::id()));
        let architecture = Architecture { rust: "aarch64", debian: "arm64" };
        std::fs::write(&file, build(&payload(), architecture).unwrap()).unwrap();
        let info = output_of(Command::new("dpkg-deb").arg("--info").arg(&file)).unwrap();
        let contents = output_of(Command::new("dpkg-deb").arg("--contents").arg(&file)).unwrap();
        let program = output_of(
            Command::new("sh")
                .args(["-c", "dpkg-deb --fsys-tarfile \"$0\" | tar xO ./usr/bin/ebusy"])
                .arg(&file),
        );
        std::fs::remove_file(&file).unwrap();
        assert!(info.contains("Architecture: arm64") && info.contains(VERSION), "{info}");
        assert!(
            contents.contains("-rwxr-xr-x root/root") && contents.contains("./usr/share/doc/ebusy/"),
            "{contents}"
        );
        assert_eq!(program.unwrap(), "#!/bin/sh\necho hello");
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let architecture = Architecture { rust: "x86_64", debian: "amd64" };
        assert_eq!(build(&payload(), architecture).unwrap(), build(&payload(), architecture).unwrap());
    }
}
