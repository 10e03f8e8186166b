//! Going to a place of the page that may be folded away.

use crate::browser::page;
use yew::prelude::*;

/// Where the reader wants to go.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Id of the element that was last wanted, and how often something was wanted by then.
    pub wanted: (AttrValue, u32),
    /// Wants another.
    pub go: Callback<String>,
}

impl Destination {
    /// Whether an element is wanted whose id starts so: then nothing of its kind stays folded.
    pub fn wants(&self, start: &str) -> bool {
        self.wanted.0.starts_with(start)
    }
}

/// The destination of the view above; one that nobody hears where there is none.
#[hook]
pub fn use_destination() -> Destination {
    use_context::<Destination>()
        .unwrap_or_else(|| Destination { wanted: (AttrValue::default(), 0), go: Callback::noop() })
}

/// Keeps what is wanted, and goes there once it is shown.
#[hook]
pub fn use_destinations() -> Destination {
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
    Destination { wanted: (*wanted).clone(), go }
}
