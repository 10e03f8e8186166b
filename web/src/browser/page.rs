//! The window around the app: drops anywhere, the title, the picture's width, saving a text as a file.

use super::files::{self, Picked};
use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{
    Blob, BlobPropertyBag, ClipboardEvent, DragEvent, Element, HtmlAnchorElement, HtmlElement,
    HtmlInputElement, HtmlTextAreaElement, Url,
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

/// Moves the keyboard's focus.
pub fn focus(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        // An element that cannot take the focus leaves it where it is.
        let _ = element.focus();
    }
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
    let Some(url) = Blob::new_with_str_sequence_and_options(&parts, &options)
        .ok()
        .and_then(|blob| Url::create_object_url_with_blob(&blob).ok())
    else {
        return;
    };
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
