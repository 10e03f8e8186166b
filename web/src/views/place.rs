//! Going to a place of the page that may be folded away.

use crate::browser::page;
use yew::prelude::*;

/// Where the reader wants to go.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Id of the element that was last wanted, and how often something was wanted by then.
    pub wanted: (AttrValue, u32),
    /// Wants another.
    pub go: Callback<String>,
}

impl Place {
    /// Whether an element is wanted whose id starts so: then nothing of its kind stays folded.
    pub fn wants(&self, start: &str) -> bool {
        self.wanted.0.starts_with(start)
    }
}

/// The place of the view above; one that nobody hears where there is none.
#[hook]
pub fn use_place() -> Place {
    use_context::<Place>()
        .unwrap_or_else(|| Place { wanted: (AttrValue::default(), 0), go: Callback::noop() })
}

/// Keeps what is wanted, and goes there once it is shown.
#[hook]
pub fn use_places() -> Place {
    let wanted = use_state_eq(|| (AttrValue::default(), 0_u32));
    let times = use_mut_ref(|| 0_u32);
    let go = {
        let setter = wanted.setter();
        Callback::from(move |id: String| {
            // The same place can be wanted again.
            *times.borrow_mut() += 1;
            setter.set((id.into(), *times.borrow()));
        })
    };
    use_effect_with((*wanted).clone(), |(id, _)| {
        if !id.is_empty() {
            page::go_to(id);
        }
    });
    Place { wanted: (*wanted).clone(), go }
}
