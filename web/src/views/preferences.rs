//! Language, colours and time zone, to choose from.

use super::wishes::{Wishes, use_wishes};
use crate::preferences::{Language, Preferences, Theme, Zone};
use crate::text;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// The choices, in the page's foot.
#[component]
pub fn PreferencesBar() -> Html {
    let t = text::t();
    let wishes = use_wishes();
    let now = wishes.now;
    let languages = Language::ALL.map(|(language, tag, name)| {
        let wanted = Preferences { language, ..now };
        Choice { value: tag, name, wanted, lang: Some(tag) }
    });
    let themes =
        [(Theme::System, t.theme_system), (Theme::Light, t.theme_light), (Theme::Dark, t.theme_dark)].map(
            |(theme, name)| Choice {
                value: theme.name(),
                name,
                wanted: Preferences { theme, ..now },
                lang: None,
            },
        );
    let zones = [(Zone::Utc, t.zone_utc), (Zone::Local, t.zone_local)].map(|(zone, name)| Choice {
        value: zone.name(),
        name,
        wanted: Preferences { zone, ..now },
        lang: None,
    });
    html! {
        <div class="preferences" role="group" aria-label={t.preferences}>
            { select("language", t.language, &languages, &wishes) }
            { select("theme", t.theme, &themes, &wishes) }
            { select("zone", t.zone, &zones, &wishes) }
        </div>
    }
}

struct Choice {
    value: &'static str,
    name: &'static str,
    wanted: Preferences,
    lang: Option<&'static str>,
}

fn select(name: &'static str, label: &'static str, choices: &[Choice], wishes: &Wishes) -> Html {
    let now = wishes.now;
    let by_value: Vec<(&'static str, Preferences)> = choices.iter().map(|it| (it.value, it.wanted)).collect();
    let onchange = {
        let prefer = wishes.prefer.clone();
        Callback::from(move |event: Event| {
            let value = event.target_unchecked_into::<HtmlSelectElement>().value();
            if let Some((_, wanted)) = by_value.iter().find(|(own, _)| *own == value) {
                prefer.emit(*wanted);
            }
        })
    };
    html! {
        <label class="hosts">
            <span>{ label }</span>
            <select data-test={format!("prefer-{name}")} {onchange}>
                { for choices.iter().map(|it| html! {
                    <option key={it.value} value={it.value} selected={it.wanted == now} lang={it.lang}>{ it.name }</option>
                }) }
            </select>
        </label>
    }
}
