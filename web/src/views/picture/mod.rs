//! The picture: one lane for each mount namespace, the target's mount in it, and how a umount travels
//! between them.
//!
//! [`relation`] says what connects two namespaces, [`layout`] turns a report into geometry for a given
//! width (both pure), this module draws that as SVG. The width is that of the place it stands in, so
//! that its text is as large as all other text on a telephone and on a wide screen.

pub mod layout;
pub mod relation;
mod words;

use crate::browser::page::WidthWatch;
use crate::text;
use ebusy_analyzer::report::{Effect, Report};
use layout::{Lane, Line, Scene, Style};
use relation::Relation;
use std::rc::Rc;
use yew::prelude::*;

/// Width until the real one is known, in CSS pixels.
const FIRST_WIDTH: f64 = 960.0;
/// Lanes of holders that are shown at first.
const FIRST_LANES: usize = 8;

/// Whether there is anything to see: a mount of the target, or a namespace that holds it otherwise.
pub fn is_telling(report: &Report) -> bool {
    report.namespaces.iter().any(|view| !view.mounts.is_empty() || view.effect.is_some())
}

/// Properties of [`PictureView`].
#[derive(Properties, PartialEq)]
pub struct PictureViewProps {
    /// The report.
    pub report: Rc<Report>,
}

/// The picture with its legend and the sentences that explain it.
#[component]
pub fn PictureView(props: &PictureViewProps) -> Html {
    let t = text::t();
    let report = &props.report;
    let frame = use_node_ref();
    let width = use_width(&frame);
    let fold = super::parts::use_fold(report.namespaces.len(), FIRST_LANES + layout::context(report));
    let scene = layout::scene(report, width, fold.shown);
    let why = why(report, fold.shown);
    html! {
        <section class="section" aria-labelledby="picture-title">
            <h2 id="picture-title">{ t.picture_title }</h2>
            <p class="muted">{ t.picture_text }</p>
            <div class="picture" ref={frame} data-test="picture">{ drawing(&scene, report) }</div>
            { fold.button() }
            { legend(&scene) }
            <div class="slot">{ why }</div>
        </section>
    }
}

/// The width of the element behind `frame`, in whole CSS pixels.
#[hook]
fn use_width(frame: &NodeRef) -> f64 {
    let width = use_state_eq(|| FIRST_WIDTH);
    let setter = width.setter();
    use_effect_with(frame.clone(), move |frame| {
        let changed = Callback::from(move |width: f64| {
            if width > 0.0 {
                setter.set(width.floor());
            }
        });
        let watch = frame.cast::<web_sys::Element>().and_then(|element| WidthWatch::new(&element, changed));
        move || drop(watch)
    });
    *width
}

/// The report's sentences on propagation, less those that stand in the picture already.
fn why(report: &Report, shown: usize) -> Option<Html> {
    let drawn =
        |sentence: &&String| report.namespaces.iter().take(shown).any(|view| view.propagation == **sentence);
    let items: Vec<Html> = report
        .propagation
        .iter()
        .filter(|sentence| !drawn(sentence))
        .enumerate()
        .map(|(index, sentence)| html! { <li key={index}>{ sentence }</li> })
        .collect();
    (!items.is_empty()).then(|| {
        html! { <div><h3>{ text::t().why_title }</h3><ul class="sentences">{ for items }</ul></div> }
    })
}

fn drawing(scene: &Scene, report: &Report) -> Html {
    let (width, height) = (n(scene.width), n(scene.height));
    let view = format!("0 0 {width} {height}");
    html! {
        <svg role="img" aria-labelledby="svg-title svg-desc" viewBox={view}
            {width} {height}>
            <title id="svg-title">{ text::t().picture_title }</title>
            <desc id="svg-desc">{ words::description(report) }</desc>
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
            { for scene.lanes.iter().map(lane_box) }
            <g key="rail">{ for scene.rail.iter().enumerate().map(|(index, it)| line(index, it)) }</g>
            { for scene.lanes.iter().map(lane) }
        </svg>
    }
}

/// What lies behind everything: the lane's ground and the strip that tells its effect by pattern.
fn lane_box(lane: &Lane) -> Html {
    let effect = lane.effect.map_or("none", super::parts::effect_name);
    let fill = match lane.effect {
        Some(Effect::Holding) => Some("url(#picture-hatch)"),
        Some(Effect::Unrelated) => Some("url(#picture-dots)"),
        _ => None,
    };
    html! {
        <g key={format!("box-{}", lane.index)} class={classes!("lane", effect)}>
            <rect class="lane-ground" x={n(lane.area.x)} y={n(lane.area.y)} width={n(lane.area.width)}
                height={n(lane.area.height)} rx="6" />
            <rect class="lane-strip" x={n(lane.area.x)} y={n(lane.area.y)} width="7"
                height={n(lane.area.height)} rx="3" {fill} />
        </g>
    }
}

fn lane(lane: &Lane) -> Html {
    let effect = lane.effect.map_or("none", super::parts::effect_name);
    let chips = lane.chips.iter().enumerate().map(|(index, chip)| {
        html! {
            <g key={index} class="chip">
                <rect x={n(chip.area.x)} y={n(chip.area.y)} width={n(chip.area.width)}
                    height={n(chip.area.height)} rx="10" />
                { written(0, &chip.text) }
            </g>
        }
    });
    let mount = &lane.mount;
    let marks = mount.targets.iter().enumerate().map(|(index, (x, y))| {
        html! {
            <g key={index} class="target-mark">
                <circle cx={n(*x)} cy={n(*y)} r="5.5" class="outer" />
                <circle cx={n(*x)} cy={n(*y)} r="2.2" class="inner" />
            </g>
        }
    });
    html! {
        <g key={format!("lane-{}", lane.index)} class={classes!("lane", effect)}>
            <g key="texts">{ for lane.texts.iter().enumerate().map(|(index, it)| written(index, it)) }</g>
            <g key="chips">{ for chips }</g>
            <g key="branch" class={classes!("branch", relation_name(&lane.branch.relation))}>
                { for lane.branch.lines.iter().enumerate().map(|(index, it)| line(index, it)) }
                <rect class="pill" x={n(lane.branch.pill.x)} y={n(lane.branch.pill.y)}
                    width={n(lane.branch.pill.width)} height={n(lane.branch.pill.height)} rx="11" />
                { written(0, &lane.branch.text) }
            </g>
            <g key="mount" class={classes!("mount-box", (!mount.here).then_some("gone"))}>
                <rect x={n(mount.area.x)} y={n(mount.area.y)} width={n(mount.area.width)}
                    height={n(mount.area.height)} rx="4" />
                { for marks }
                <g key="mount-texts">
                    { for mount.texts.iter().enumerate().map(|(index, it)| written(index, it)) }
                </g>
            </g>
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
    scene.lanes.iter().any(|lane| match name {
        "target" => !lane.mount.targets.is_empty(),
        relation => relation_name(&lane.branch.relation) == relation,
    })
}

/// What the signs mean, as text beside small samples.
fn legend(scene: &Scene) -> Html {
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
            _ => html! {
                <svg width="14" height="14" aria-hidden="true" class="target-mark">
                <circle class="outer" cx="7" cy="7" r="5.5" /><circle class="inner" cx="7" cy="7" r="2.2" /></svg>
            },
        }
    };
    let rows = [("reached", t.legend_reached), ("cut", t.legend_cut), ("target", t.legend_target)];
    html! {
        <ul class="legend picture-signs">
            { for rows.into_iter().filter(|(name, _)| occurs(scene, name)).map(|(name, meaning)| html! { <li key={name}>{ sample(name) }{ meaning }</li> }) }
        </ul>
    }
}
