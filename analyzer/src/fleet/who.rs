//! A holder's name on every host. Ids, pids and instance names differ from host to host; what people restart does not.

use crate::report::{ContainerRef, HolderKind, ProcessView};

/// What is known of a holder.
pub(super) struct Known<'a> {
    pub(super) kind: HolderKind,
    pub(super) unit: Option<&'a str>,
    pub(super) container: Option<&'a ContainerRef>,
    pub(super) process: Option<&'a ProcessView>,
}

pub(super) fn name(known: &Known<'_>) -> String {
    if let Some(container) = known.container {
        return match (container.image.as_deref().map(repository), &container.name) {
            (Some(image), _) if !image.is_empty() => format!("containers of {image}"),
            (_, Some(name)) => format!("container {name}"),
            _ => "a container without a name".to_owned(),
        };
    }
    match (known.kind, known.unit, known.process) {
        (HolderKind::Host, _, _) => "the host's own mount namespace".to_owned(),
        (HolderKind::Pinned, _, _) => "a mount namespace without a process".to_owned(),
        (_, Some(unit), _) if unit.ends_with(".service") => template(unit),
        (_, _, Some(process)) => process.comm.clone(),
        (_, Some(unit), None) => template(unit),
        (kind, None, None) => crate::report::text::kind_name(kind).to_owned(),
    }
}

/// `registry:5000/google/cadvisor:v0.24@sha256:…` → `registry:5000/google/cadvisor`. A bare id is no name.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    let is_id =
        image.starts_with("sha256:") || (image.len() >= 12 && image.bytes().all(|b| b.is_ascii_hexdigit()));
    match image.rsplit_once(':') {
        _ if is_id => "",
        // A colon before a slash is a port.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// `getty@tty1.service` → `getty@.service`: one template, whatever the instance.
fn template(unit: &str) -> String {
    match (unit.split_once('@'), unit.rsplit_once('.')) {
        (Some((name, _)), Some((_, suffix))) => format!("{name}@.{suffix}"),
        _ => unit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{repository, template};

    #[test]
    fn images_lose_tag_and_digest_but_not_the_port() {
        for (image, name) in [
            ("google/cadvisor:v0.24.1", "google/cadvisor"),
            ("registry.example:5000/app/web", "registry.example:5000/app/web"),
            ("registry.example:5000/app/web:1.2", "registry.example:5000/app/web"),
            ("redis@sha256:00ff", "redis"),
            ("sha256:00ff00ff", ""),
            ("0123456789ab", ""),
            ("nginx", "nginx"),
        ] {
            assert_eq!(repository(image), name, "{image}");
        }
    }

    #[test]
    fn instances_of_a_template_are_one() {
        assert_eq!(template("php-fpm@blog.service"), "php-fpm@.service");
        assert_eq!(template("httpd.service"), "httpd.service");
    }
}
