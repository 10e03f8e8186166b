//! The window around the app: drops anywhere, the title, the picture's width, saving a text as a file.

use super::files::{self, Picked};
use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{
    Blob, BlobPropertyBag, ClipboardEvent, DragEvent, Element, HtmlAnchorElement, HtmlDialogElement,
    HtmlElement, HtmlInputElement, HtmlTextAreaElement, Url,
};
use yew::Callback;

/// Listens for files dropped anywhere in the window for as long as it lives.
pub struct DropZone {
    _listeners: Vec<EventListener>,
}

impl DropZone {
    /// `over` hears whether something is being dragged over the window, `dropped` the dropped files.
    pub fn new(over: Callback<bool>, dropped: Callback<Vec<Picked>>) -> Self {
        let window = gloo::utils::window();
        // Not passive: without preventDefault the browser would open the file itself.
        let listen = |kind: &'static str, handle: Box<dyn Fn(&DragEvent)>| {
            let options = EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&window, kind, options, move |event| {
                if let Some(event) = event.dyn_ref::<DragEvent>() {
                    event.prevent_default();
                    handle(event);
                }
            })
        };
        let (start, leave) = (over.clone(), over.clone());
        let _listeners = vec![
            listen("dragover", Box::new(move |_| start.emit(true))),
            // The window itself is left when there is no element that the pointer goes to.
            listen(
                "dragleave",
                Box::new(move |event| {
                    if event.related_target().is_none() {
                        leave.emit(false);
                    }
                }),
            ),
            listen(
                "drop",
                Box::new(move |event| {
                    over.emit(false);
                    let files = files::dropped(event);
                    if !files.is_empty() {
                        dropped.emit(files);
                    }
                }),
            ),
        ];
        Self { _listeners }
    }
}

/// Listens for what is pasted anywhere but into a field for as long as it lives.
pub struct PasteZone {
    _listener: EventListener,
}

impl PasteZone {
    /// `pasted` hears of the clipboard's files, or its text as a file.
    pub fn new(pasted: Callback<Vec<Picked>>) -> Self {
        let _listener = EventListener::new(&gloo::utils::window(), "paste", move |event| {
            let is_field = event.target().is_some_and(|target| {
                target.has_type::<HtmlTextAreaElement>() || target.has_type::<HtmlInputElement>()
            });
            if let Some(event) = event.dyn_ref::<ClipboardEvent>()
                && !is_field
            {
                let files = files::pasted(event);
                if !files.is_empty() {
                    pasted.emit(files);
                }
            }
        });
        Self { _listener }
    }
}

/// A key that was pressed, as far as the page cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// As `KeyboardEvent.key` has it.
    pub key: String,
    /// With Control or Command.
    pub control: bool,
    /// Where text goes in, such as a field: then only keys with Control are meant for the page.
    pub in_field: bool,
}

/// Listens for keys pressed anywhere for as long as it lives.
pub struct KeyZone {
    _listener: EventListener,
}

impl KeyZone {
    /// `pressed` hears of each key and says whether it was meant for it; then the browser does nothing with it.
    pub fn new(pressed: Callback<Key, bool>) -> Self {
        let options = EventListenerOptions::enable_prevent_default();
        let window = gloo::utils::window();
        let _listener = EventListener::new_with_options(&window, "keydown", options, move |event| {
            let Some(event) = event.dyn_ref::<web_sys::KeyboardEvent>() else { return };
            let in_field = event.target().is_some_and(|target| {
                target.has_type::<HtmlTextAreaElement>()
                    || target.has_type::<HtmlInputElement>()
                    || target.has_type::<web_sys::HtmlSelectElement>()
            });
            let control = (event.ctrl_key() || event.meta_key()) && !event.alt_key();
            if event.alt_key() || event.default_prevented() {
                return;
            }
            if pressed.emit(Key { key: event.key(), control, in_field }) {
                event.prevent_default();
            }
        });
        Self { _listener }
    }
}

/// Shows a dialog over everything else, which the keyboard does not leave until it is closed.
pub fn show_modal(element: &Element) {
    if let Some(dialog) = element.dyn_ref::<HtmlDialogElement>()
        && !dialog.open()
    {
        let _ = dialog.show_modal();
    }
}

/// Closes the dialog that is open: the focus goes back to where it was, and the dialog tells of its end.
pub fn close_modal() {
    let open = gloo::utils::document().query_selector("dialog[open]").ok().flatten();
    if let Some(dialog) = open.and_then(|element| element.dyn_into::<HtmlDialogElement>().ok()) {
        dialog.close();
    }
}

/// Whether there is an element with that id.
pub fn has_id(id: &str) -> bool {
    gloo::utils::document().get_element_by_id(id).is_some()
}

/// Presses the button that a CSS selector finds; false where there is none.
pub fn press(selector: &str) -> bool {
    let found = gloo::utils::document().query_selector(selector).ok().flatten();
    let button = found.and_then(|element| element.dyn_into::<HtmlElement>().ok());
    button.as_ref().map(HtmlElement::click).is_some()
}

/// Tells the width of an element, now and whenever it changes.
pub struct WidthWatch {
    observer: web_sys::ResizeObserver,
    _closure: Closure<dyn FnMut(js_sys::Array)>,
}

impl WidthWatch {
    /// Watches `element`; `None` where the browser cannot.
    pub fn new(element: &Element, changed: Callback<f64>) -> Option<Self> {
        let closure = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
            if let Ok(entry) = entries.get(0).dyn_into::<web_sys::ResizeObserverEntry>() {
                changed.emit(entry.content_rect().width());
            }
        });
        let observer = web_sys::ResizeObserver::new(closure.as_ref().unchecked_ref()).ok()?;
        observer.observe(element);
        Some(Self { observer, _closure: closure })
    }
}

impl Drop for WidthWatch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// How much larger than usual (16 px) the page's letters are: on a very wide screen, or as the reader has chosen.
pub fn scale() -> f64 {
    let root = gloo::utils::document_element();
    let style = gloo::utils::window().get_computed_style(&root).ok().flatten();
    let size = style.and_then(|style| style.get_property_value("font-size").ok());
    // Read by the browser: Rust's reader of floats costs 15 KB of module.
    let size = size.map_or(0.0, |size| js_sys::parse_float(&size));
    if size > 0.0 { size / 16.0 } else { 1.0 }
}

/// Which part of a long table can be seen; all in CSS pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Window {
    /// How far it is scrolled.
    pub top: f64,
    /// Height of the box that it scrolls in.
    pub height: f64,
    /// Height of one row; 0 where there is none to measure.
    pub row: f64,
}

/// The part of a table that can be seen, by its body in a box that scrolls.
pub fn window_of(body: &Element) -> Option<Window> {
    let scrolled = body.closest(".virtual").ok().flatten()?;
    let row = body.first_element_child().map_or(0.0, |row| row.get_bounding_client_rect().height());
    Some(Window { top: f64::from(scrolled.scroll_top()), height: f64::from(scrolled.client_height()), row })
}

/// Sets the title of the window.
pub fn set_title(title: &str) {
    gloo::utils::document().set_title(title);
}

/// Scrolls a list so that a row at `top` pixels of so many rows' height is in sight, below the list's head.
pub fn scroll_to_row(list: &Element, top: i32, height: i32) {
    let (now, room) = (list.scroll_top(), list.client_height() - height);
    if top < now {
        list.set_scroll_top(top);
    } else if top + height > now + room {
        list.set_scroll_top(top + height - room);
    }
}

/// Whether what is drawn can be seen between its parts: not where a page is only written.
pub const PAINTS: bool = cfg!(target_arch = "wasm32");

/// Calls back when what is drawn now has been painted, or nobody looks at the window.
pub fn after_paint(call: impl FnOnce() + 'static) {
    if gloo::utils::document().hidden() {
        gloo::timers::callback::Timeout::new(0, call).forget();
    } else {
        // Called before the next painting, and then before the one after it.
        on_frame(move || on_frame(call));
    }
}

fn on_frame(call: impl FnOnce() + 'static) {
    let call = Closure::once_into_js(call);
    // Only what is no function is refused.
    let _ = gloo::utils::window().request_animation_frame(call.unchecked_ref());
}

/// Scrolls as little as it takes to see the element with that id.
pub fn reveal(id: &str) {
    if let Some(element) = gloo::utils::document().get_element_by_id(id) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Opens what the element with that id is folded into, moves focus and window there, and marks it.
pub fn go_to(id: &str) {
    let document = gloo::utils::document();
    let Some(element) = document.get_element_by_id(id) else { return };
    // On another side of the host: its tab first, which shows it in a moment.
    if let Ok(Some(panel)) = element.closest("[role=tabpanel][hidden]") {
        let id = id.to_owned();
        press(&format!("#{}", panel.get_attribute("aria-labelledby").unwrap_or_default()));
        gloo::timers::callback::Timeout::new(0, move || go_to(&id)).forget();
        return;
    }
    let mut around = element.closest("details").ok().flatten();
    let inside = element.query_selector("details").ok().flatten();
    while let Some(details) = around {
        let _ = details.set_attribute("open", "");
        around = details.parent_element().and_then(|parent| parent.closest("details").ok().flatten());
    }
    if let Some(details) = inside {
        let _ = details.set_attribute("open", "");
    }
    if let Ok(Some(last)) = document.query_selector("[data-found]") {
        let _ = last.remove_attribute("data-found");
    }
    let _ = element.set_attribute("data-found", "");
    if !element.has_attribute("tabindex") {
        let _ = element.set_attribute("tabindex", "-1");
    }
    element.scroll_into_view();
    focus(&element);
}

/// Moves the keyboard's focus.
pub fn focus(element: &Element) {
    // Elements of an SVG have `focus`, too, without being HTML. What cannot take the focus leaves it where it is.
    let _ = element.unchecked_ref::<HtmlElement>().focus();
}

/// Moves the keyboard's focus to the element with that id, where there is one.
pub fn focus_by_id(id: &str) {
    if let Some(element) = gloo::utils::document().get_element_by_id(id) {
        focus(&element);
    }
}

/// Offers `text` as a download called `name`.
pub fn save(name: &str, mime: &str, text: &str) {
    let options = BlobPropertyBag::new();
    options.set_type(mime);
    let parts = js_sys::Array::of1(&text.into());
    if let Ok(blob) = Blob::new_with_str_sequence_and_options(&parts, &options) {
        download(name, &blob);
    }
}

/// Offers a blob as a download called `name`.
pub(super) fn download(name: &str, blob: &Blob) {
    let Ok(url) = Url::create_object_url_with_blob(blob) else { return };
    if let Some(link) = gloo::utils::document()
        .create_element("a")
        .ok()
        .and_then(|element| element.dyn_into::<HtmlAnchorElement>().ok())
    {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    // Only the name of the blob goes; the browser keeps the bytes until they are saved.
    let _ = Url::revoke_object_url(&url);
}

/// Opens a `<dialog>` over the page: what is behind it takes no input, Escape closes it.
pub fn show_dialog(element: &Element) {
    if let Some(dialog) = element.dyn_ref::<HtmlDialogElement>()
        && !dialog.open()
    {
        // Only an element that is not in the document refuses.
        let _ = dialog.show_modal();
    }
}

/// Closes a `<dialog>`; the focus goes back to where it was.
pub fn close_dialog(element: &Element) {
    if let Some(dialog) = element.dyn_ref::<HtmlDialogElement>() {
        dialog.close();
    }
}
