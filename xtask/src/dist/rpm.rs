//! The RPM package.

use super::payload::Payload;
use super::{Architecture, VERSION};
use anyhow::Result;
use rpm::{BuildConfig, CompressionType, FileOptions, PackageBuilder};

/// Where zsh looks for the completions of packages: on Debian, and elsewhere.
const DEBIANS_ZSH: &str = "/usr/share/zsh/vendor-completions/";
const ZSH: &str = "/usr/share/zsh/site-functions/";

/// `ebusy-0.1.0-1.x86_64.rpm`
pub(super) fn file_name(architecture: Architecture) -> String {
    format!("ebusy-{VERSION}-1.{}.rpm", architecture.rust)
}

/// The package's bytes; the same files give the same bytes.
pub(super) fn build(payload: &Payload, architecture: Architecture) -> Result<Vec<u8>> {
    // v4 and gzip: what the oldest rpm that people still run reads.
    let config = BuildConfig::v4().compression(CompressionType::Gzip).source_date(0u32);
    let mut builder = PackageBuilder::new(
        "ebusy",
        VERSION,
        "MIT OR Apache-2.0",
        architecture.rust,
        "Says who keeps a container's mount busy",
    );
    builder.using_config(config).release("1").description(
        "The collector writes what shows who keeps a mount, device or namespace busy into one small file; ebusy \
         explains it: which processes in which mount namespaces hold it, why, and what to do.",
    );
    for file in &payload.files {
        let path = file.path.replace(DEBIANS_ZSH, ZSH);
        let options = FileOptions::new(path).permissions(file.mode as u16);
        builder.with_file_contents(file.content.clone(), options)?;
    }
    let mut bytes = Vec::new();
    builder.build()?.write(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::deb::tests::payload;
    use super::*;

    const X86_64: Architecture = Architecture { rust: "x86_64", debian: "amd64" };

    #[test]
    fn it_holds_the_files_and_needs_nothing() {
        let mut payload = payload();
        payload.add("/usr/share/zsh/vendor-completions/_ebusy", 0o644, b"#compdef ebusy\n".to_vec());
        let bytes = build(&payload, X86_64).unwrap();
        let package = rpm::Package::parse(&mut &*bytes).unwrap();
        assert_eq!(package.metadata.get_arch().unwrap(), "x86_64");
        let files: Vec<_> = package.metadata.get_file_paths().unwrap();
        assert!(files.iter().any(|file| file.ends_with("usr/bin/ebusy")), "{files:?}");
        assert!(files.iter().any(|file| file.ends_with("zsh/site-functions/_ebusy")), "{files:?}");
        // What rpm itself must know to read it; no library, no shell.
        let needs = package.metadata.get_requires().unwrap();
        assert!(needs.iter().all(|need| need.name.starts_with("rpmlib(")), "{needs:?}");
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        assert_eq!(build(&payload(), X86_64).unwrap(), build(&payload(), X86_64).unwrap());
    }
}
