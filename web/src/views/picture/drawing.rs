//! Geometry → SVG.

use super::layout::{self, Form, Lane, Line, Scene, Style, Track};
use super::relation::Relation;
use super::words;
use crate::text;
use crate::views::parts::effect_name;
use ebusy_analyzer::report::{Effect, MountView, NamespaceView};
use yew::prelude::*;

/// What is chosen in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Namespace whose evidence is shown.
    pub(super) picked: Option<usize>,
    /// Position of the lane that the keyboard is at.
    pub(super) active: usize,
}

/// Id of a lane's button, by its position from the top.
pub(super) fn button_id(position: usize) -> String {
    format!("lane-button-{position}")
}

/// The picture, each lane a button.
pub(super) fn drawing(
    scene: &Scene,
    spaces: &[NamespaceView],
    chosen: Chosen,
    choose: &Callback<usize>,
    walk: &Callback<usize>,
) -> Html {
    let lanes = scene.lanes.iter().enumerate().map(|(position, it)| {
        let onclick = choose.reform(move |_: MouseEvent| position);
        let onkeydown = {
            let (choose, walk) = (choose.clone(), walk.clone());
            Callback::from(move |event: KeyboardEvent| {
                let to = match event.key().as_str() {
                    "ArrowDown" => position + 1,
                    "ArrowUp" => position.saturating_sub(1),
                    "Home" => 0,
                    "End" => usize::MAX,
                    "Enter" | " " => {
                        event.prevent_default();
                        return choose.emit(position);
                    }
                    _ => return,
                };
                event.prevent_default();
                walk.emit(to);
            })
        };
        let expanded = match it.form {
            Form::Single => None,
            Form::Folded(_) => Some("false"),
            Form::Unfolded(_) => Some("true"),
        };
        let pressed = (it.form == Form::Single).then(|| (chosen.picked == Some(it.index)).to_string());
        let tabindex = if position == chosen.active { "0" } else { "-1" };
        let area = &it.area;
        html! {
            <g key={lane_key(it)} id={format!("lane-{position}")} class={classes!(lane_classes(it), "choosable")}
                data-test="lane" data-form={form_name(it.form)} data-effect={it.effect.map(effect_name)}
                {onclick} {onkeydown}>
                // Shows where the keyboard is, and says in a sentence what the lane's texts say to the eye.
                <rect key="hit" id={button_id(position)} class="lane-hit" role="button" {tabindex}
                    aria-pressed={pressed} aria-expanded={expanded} aria-label={label(it, spaces)}
                    x={n(area.x + 1.0)} y={n(area.y + 1.0)} width={n(area.width - 2.0)}
                    height={n(area.height - 2.0)} rx="6" />
                <g key="lane" aria-hidden="true">{ lane(it, spaces.get(it.index)) }</g>
            </g>
        }
    });
    frame(scene, spaces, "group", lanes.collect())
}

/// The picture as an image.
pub(super) fn still(scene: &Scene, spaces: &[NamespaceView]) -> Html {
    let lanes = scene.lanes.iter().map(|it| {
        html! { <g key={lane_key(it)} class={lane_classes(it)}>{ lane(it, spaces.get(it.index)) }</g> }
    });
    frame(scene, spaces, "img", lanes.collect())
}

fn frame(scene: &Scene, spaces: &[NamespaceView], role: &'static str, lanes: Vec<Html>) -> Html {
    let (width, height) = (n(scene.width), n(scene.height));
    let view = format!("0 0 {width} {height}");
    html! {
        <svg {role} aria-labelledby="svg-title svg-desc" viewBox={view} {width} {height}>
            <title id="svg-title">{ text::t().picture_title }</title>
            <desc id="svg-desc">{ words::description(spaces) }</desc>
            <defs>
                <pattern id="picture-hatch" width="6" height="6" patternUnits="userSpaceOnUse"
                    patternTransform="rotate(45)">
                    <rect width="3" height="6" class="hatch" />
                </pattern>
                <pattern id="picture-dots" width="6" height="6" patternUnits="userSpaceOnUse">
                    <circle cx="3" cy="3" r="1.4" class="dots" />
                </pattern>
                <marker id="picture-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"
                    markerHeight="7" orient="auto-start-reverse">
                    <path d="M0 0L10 5 0 10z" class="arrow" />
                </marker>
            </defs>
            { for scene.lanes.iter().map(ground) }
            <g key="rail">{ for scene.rail.iter().enumerate().map(|(index, it)| line(index, it)) }</g>
            { for lanes }
            <g key="tracks">{ for scene.tracks.iter().map(track) }</g>
        </svg>
    }
}

fn lane_key(lane: &Lane) -> String {
    let form = if lane.form == Form::Single { "lane" } else { "stack" };
    format!("{form}-{}", lane.index)
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Single => "single",
        Form::Folded(_) => "folded",
        Form::Unfolded(_) => "unfolded",
    }
}

fn lane_classes(lane: &Lane) -> Classes {
    classes!("lane", lane.effect.map_or("none", effect_name), form_name(lane.form))
}

fn label(lane: &Lane, spaces: &[NamespaceView]) -> Option<String> {
    let view = spaces.get(lane.index)?;
    let t = text::t();
    let effect = view.effect.map(|effect| format!(" ({})", t.effect(effect))).unwrap_or_default();
    Some(match lane.form {
        Form::Single => words::sentence(view, &lane.branch.relation),
        Form::Folded(count) => format!("{}{effect}", (t.stack)(count)),
        Form::Unfolded(count) => format!("{}{effect}", (t.stack_close)(count)),
    })
}

/// What lies behind everything: the lane's ground and the strip that tells its effect by pattern.
fn ground(lane: &Lane) -> Html {
    let fill = match lane.effect {
        Some(Effect::Holding) => Some("url(#picture-hatch)"),
        Some(Effect::Unrelated) => Some("url(#picture-dots)"),
        _ => None,
    };
    let area = &lane.area;
    let behind = matches!(lane.form, Form::Folded(_)).then(|| {
        html! {
            <rect class="lane-ground" x={n(area.x + 4.0)} y={n(area.y + 4.0)} width={n(area.width - 4.0)}
                height={n(area.height)} rx="6" />
        }
    });
    html! {
        <g key={format!("box-{}", lane_key(lane))} class={lane_classes(lane)}>
            <g>{ behind }</g>
            <rect class="lane-ground" x={n(area.x)} y={n(area.y)} width={n(area.width)}
                height={n(area.height)} rx="6" />
            <rect class="lane-strip" x={n(area.x)} y={n(area.y)} width="7" height={n(area.height)} rx="3" {fill} />
        </g>
    }
}

fn lane(lane: &Lane, view: Option<&NamespaceView>) -> Html {
    let chips = lane.chips.iter().enumerate().map(|(index, chip)| {
        let command = view.and_then(|view| view.processes.get(index)).map(|process| process.cmdline.clone());
        html! {
            <g key={index} class="chip">
                { tip(command) }
                <rect x={n(chip.area.x)} y={n(chip.area.y)} width={n(chip.area.width)}
                    height={n(chip.area.height)} rx="10" />
                { written(0, &chip.text) }
            </g>
        }
    });
    html! {
        <>
            <g key="texts">{ for lane.texts.iter().enumerate().map(|(index, it)| written(index, it)) }</g>
            <g key="chips">{ for chips }</g>
            <g key="branch" class={classes!("branch", relation_name(&lane.branch.relation))}>
                { tip(view.map(|view| text::told(&view.propagation))) }
                { for lane.branch.lines.iter().enumerate().map(|(index, it)| line(index, it)) }
                <rect class="pill" x={n(lane.branch.pill.x)} y={n(lane.branch.pill.y)}
                    width={n(lane.branch.pill.width)} height={n(lane.branch.pill.height)} rx="11" />
                { written(0, &lane.branch.text) }
            </g>
            <g key="mount">{ mount_box(lane, view) }</g>
        </>
    }
}

fn mount_box(lane: &Lane, view: Option<&NamespaceView>) -> Option<Html> {
    let mount = &lane.mount;
    let marks = mount.targets.iter().enumerate().map(|(index, (x, y))| {
        html! {
            <g key={index} class="target-mark">
                <circle cx={n(*x)} cy={n(*y)} r="5.5" class="outer" />
                <circle cx={n(*x)} cy={n(*y)} r="2.2" class="inner" />
            </g>
        }
    });
    let lines = view.map(|view| view.mounts.iter().map(evidence_line).collect::<Vec<_>>().join("\n"));
    (!mount.texts.is_empty()).then(|| {
        html! {
            <g class={classes!("mount-box", (!mount.here).then_some("gone"))}>
                { tip(lines) }
                <rect x={n(mount.area.x)} y={n(mount.area.y)} width={n(mount.area.width)}
                    height={n(mount.area.height)} rx="4" />
                { for marks }
                <g key="mount-texts">
                    { for mount.texts.iter().enumerate().map(|(index, it)| written(index, it)) }
                </g>
            </g>
        }
    })
}

fn evidence_line(mount: &MountView) -> String {
    format!("{}\n{}", crate::views::parts::place(&mount.evidence), mount.evidence.text)
}

/// What the pointer sees when it rests; those who do not point have the lane's evidence.
fn tip(text: Option<String>) -> Html {
    let text = text.unwrap_or_default();
    html! { <title>{ text }</title> }
}

fn track(track: &Track) -> Html {
    let turned = format!("rotate(-90 {} {})", n(track.text.x), n(track.text.y));
    html! {
        <g key={track.group} class="track">
            { for track.lines.iter().enumerate().map(|(index, it)| line(index, it)) }
            { for track.dots.iter().enumerate().map(|(index, (x, y))| html! {
                <circle key={format!("dot-{index}")} class="track-dot" cx={n(*x)} cy={n(*y)} r="3.2" />
            }) }
            <text key="text" class={track.text.class} x={n(track.text.x)} y={n(track.text.y + 9.0)}
                text-anchor="middle" transform={turned}>{ &track.text.content }</text>
        </g>
    }
}

fn relation_name(relation: &Relation) -> &'static str {
    match relation {
        Relation::Start => "start-here",
        Relation::Peer(_) | Relation::Slave(_) => "reached",
        Relation::Upstream(_) | Relation::Cut(_) => "cut",
        Relation::Unknown => "open-question",
    }
}

fn written(index: usize, text: &layout::Text) -> Html {
    let anchor = text.centred.then_some("middle");
    html! {
        <text key={index} class={text.class} x={n(text.x)} y={n(text.y)} text-anchor={anchor}>
            { &text.content }
        </text>
    }
}

fn line(index: usize, line: &Line) -> Html {
    let class = match line.style {
        Style::Rail => "rail",
        Style::Reaches => "reaches",
        Style::Broken => "broken",
        Style::CutMark => "cut-mark",
    };
    let end = (line.style == Style::Reaches).then_some("url(#picture-arrow)");
    html! {
        <line key={index} {class} x1={n(line.x1)} y1={n(line.y1)} x2={n(line.x2)} y2={n(line.y2)}
            marker-end={end} />
    }
}

/// A coordinate as short as it stays exact.
fn n(value: f64) -> String {
    // Through whole tenths: formatting floats costs 10 KB of module.
    let tenths = (value * 10.0).round() as i64;
    format!("{}.{}", tenths / 10, (tenths % 10).abs())
}

/// Whether a sign of the legend is in the picture.
fn occurs(scene: &Scene, name: &str) -> bool {
    match name {
        "target" => scene.lanes.iter().any(|lane| !lane.mount.targets.is_empty()),
        "group" => !scene.tracks.is_empty(),
        relation => scene.lanes.iter().any(|lane| relation_name(&lane.branch.relation) == relation),
    }
}

/// What the signs mean, as text beside small samples.
pub(super) fn legend(scene: &Scene) -> Html {
    let t = text::t();
    let sample = |name: &'static str| -> Html {
        match name {
            "reached" => html! {
                <svg width="46" height="14" aria-hidden="true"><line class="reaches" x1="1" y1="7" x2="38" y2="7" />
                <path class="arrow" d="M37 3L45 7 37 11z" /></svg>
            },
            "cut" => html! {
                <svg width="46" height="14" aria-hidden="true"><line class="reaches" x1="1" y1="7" x2="16" y2="7" />
                <line class="cut-mark" x1="17" y1="13" x2="22" y2="1" /><line class="cut-mark" x1="23" y1="13" x2="28" y2="1" />
                <line class="broken" x1="30" y1="7" x2="45" y2="7" /></svg>
            },
            "group" => html! {
                <svg width="14" height="14" aria-hidden="true" class="track">
                <line class="rail" x1="7" y1="0" x2="7" y2="14" /><circle class="track-dot" cx="7" cy="7" r="3.2" /></svg>
            },
            _ => html! {
                <svg width="14" height="14" aria-hidden="true" class="target-mark">
                <circle class="outer" cx="7" cy="7" r="5.5" /><circle class="inner" cx="7" cy="7" r="2.2" /></svg>
            },
        }
    };
    let rows = [
        ("reached", t.legend_reached),
        ("cut", t.legend_cut),
        ("target", t.legend_target),
        ("group", t.legend_group),
    ];
    html! {
        <ul class="legend picture-signs">
            { for rows.into_iter().filter(|(name, _)| occurs(scene, name)).map(|(name, meaning)| html! { <li key={name}>{ sample(name) }{ meaning }</li> }) }
        </ul>
    }
}
