//! What a reader prefers: language, colours, time zone. Kept by the browser where it allows that.

use std::cell::Cell;

/// Languages that the page speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Complete.
    #[default]
    English,
    /// Simplified.
    Chinese,
}

impl Language {
    /// All of them, each by its own name.
    pub const ALL: [(Self, &'static str, &'static str); 2] =
        [(Self::English, "en", "English"), (Self::Chinese, "zh-Hans", "简体中文")];

    /// The language for a BCP 47 tag such as `zh-CN`; English where the page does not speak it.
    pub fn for_tag(tag: &str) -> Self {
        let is_chinese = tag.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("zh"));
        if is_chinese { Self::Chinese } else { Self::English }
    }

    /// Its BCP 47 tag.
    pub fn tag(self) -> &'static str {
        Self::ALL.iter().find(|(language, ..)| *language == self).map_or("en", |(_, tag, _)| tag)
    }
}

/// Colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Value of the root's `data-theme`, which the style sheet knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one after it, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

/// The zone that times are shown in; the other one is in the tooltip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Zone {
    /// That of the bundle.
    #[default]
    Utc,
    /// The reader's own.
    Local,
}

impl Zone {
    /// As it is kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utc => "utc",
            Self::Local => "local",
        }
    }
}

/// All of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Language of the page.
    pub language: Language,
    /// Its colours.
    pub theme: Theme,
    /// The zone of its times.
    pub zone: Zone,
}

impl Preferences {
    /// From the words that [`Self::to_text`] writes; what is not understood is as the browser has it.
    pub fn from_text(text: &str, browser_language: &str) -> Self {
        let mut preferences = Self { language: Language::for_tag(browser_language), ..Self::default() };
        for word in text.split(' ') {
            match word {
                "light" => preferences.theme = Theme::Light,
                "dark" => preferences.theme = Theme::Dark,
                "local" => preferences.zone = Zone::Local,
                tag => {
                    if let Some((language, ..)) = Language::ALL.iter().find(|(_, own, _)| *own == tag) {
                        preferences.language = *language;
                    }
                }
            }
        }
        preferences
    }

    /// As words, to be kept.
    pub fn to_text(self) -> String {
        format!("{} {} {}", self.language.tag(), self.theme.name(), self.zone.name())
    }
}

thread_local! {
    static CURRENT: Cell<Preferences> = const {
        Cell::new(Preferences { language: Language::English, theme: Theme::System, zone: Zone::Utc })
    };
}

/// What holds now. Texts are asked for everywhere, so this is not handed from view to view.
pub fn current() -> Preferences {
    CURRENT.get()
}

/// Changes what holds from now on; the app shows everything anew then.
pub fn set(preferences: Preferences) {
    CURRENT.set(preferences);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        for language in [Language::English, Language::Chinese] {
            for theme in [Theme::System, Theme::Light, Theme::Dark] {
                for zone in [Zone::Utc, Zone::Local] {
                    let kept = Preferences { language, theme, zone };
                    assert_eq!(Preferences::from_text(&kept.to_text(), "zh-CN"), kept);
                }
            }
        }
    }

    #[test]
    fn without_a_choice_the_browsers_language_counts() {
        for (tag, language) in [
            ("zh-CN", Language::Chinese),
            ("ZH", Language::Chinese),
            ("de-DE", Language::English),
            ("", Language::English),
            ("é", Language::English),
        ] {
            assert_eq!(Preferences::from_text("", tag).language, language, "{tag}");
            assert_eq!(Preferences::from_text("nonsense <b>", tag).language, language, "{tag}");
        }
    }
}
