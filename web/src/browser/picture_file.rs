//! The picture as a file of its own: SVG with every style in attributes, so that any viewer shows it as the page
//! does, and PNG at twice its size.

use super::page;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, Document, Element, HtmlCanvasElement, HtmlImageElement,
    Url, XmlSerializer,
};

/// What the page's style sheet decides about the picture. No `style`: the policy would drop it in an image.
const STYLES: [&str; 9] = [
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linecap",
    "font-family",
    "font-size",
    "font-weight",
    "text-anchor",
];
/// What is of use in the page only.
const OF_PAGE: [&str; 8] =
    ["class", "role", "tabindex", "aria-label", "aria-pressed", "aria-expanded", "data-test", "data-form"];
/// Pixels of the PNG for one of the page.
const SCALE: f64 = 2.0;

/// Offers the picture as a download. Where the browser lacks a step, nothing happens.
pub fn save(svg: &Element, name: &str, png: bool) {
    let Some(text) = standalone(svg) else { return };
    if png {
        // Read by the browser: Rust's reader of floats costs 15 KB of module.
        let size = |side: &str| svg.get_attribute(side).map_or(0.0, |value| js_sys::parse_float(&value));
        save_png(&text, (size("width"), size("height")), name);
    } else {
        page::save(name, "image/svg+xml", &text);
    }
}

/// The picture's own text.
fn standalone(svg: &Element) -> Option<String> {
    let window = gloo::utils::window();
    let copy = svg.clone_node_with_deep(true).ok()?.dyn_into::<Element>().ok()?;
    let (originals, copies) = (svg.query_selector_all("*").ok()?, copy.query_selector_all("*").ok()?);
    for index in 0..originals.length() {
        let element = |list: &web_sys::NodeList| list.item(index)?.dyn_into::<Element>().ok();
        let (Some(original), Some(copy)) = (element(&originals), element(&copies)) else { continue };
        if original.class_list().contains("lane-hit") {
            copy.remove();
            continue;
        }
        let Ok(Some(style)) = window.get_computed_style(&original) else { continue };
        let draws =
            !matches!(original.tag_name().as_str(), "g" | "defs" | "title" | "desc" | "marker" | "pattern");
        for property in STYLES.iter().filter(|_| draws) {
            match style.get_property_value(property) {
                Ok(value) if !value.is_empty() => _ = copy.set_attribute(property, &value),
                _ => {}
            }
        }
        strip(&copy);
    }
    strip(&copy);
    copy.set_attribute("role", "img").ok()?;
    put_ground(&window.document()?, &copy);
    XmlSerializer::new().ok()?.serialize_to_string(&copy).ok()
}

fn strip(element: &Element) {
    for attribute in OF_PAGE {
        let _ = element.remove_attribute(attribute);
    }
}

/// The page's ground behind all: the picture's own colours are chosen for it.
fn put_ground(document: &Document, svg: &Element) {
    let colour = document.body().and_then(|body| {
        let style = gloo::utils::window().get_computed_style(&body).ok()??;
        style.get_property_value("background-color").ok()
    });
    if let (Some(colour), Ok(ground)) =
        (colour, document.create_element_ns(Some("http://www.w3.org/2000/svg"), "rect"))
    {
        for (name, value) in [("width", "100%"), ("height", "100%"), ("fill", &colour)] {
            let _ = ground.set_attribute(name, value);
        }
        // After title and description, which viewers look for at the start.
        let third = svg.children().item(2);
        let _ = svg.insert_before(&ground, third.as_ref().map(AsRef::as_ref));
    }
}

/// Paints the SVG on a canvas, as soon as the browser has read it.
fn save_png(svg: &str, (width, height): (f64, f64), name: &str) {
    let options = BlobPropertyBag::new();
    options.set_type("image/svg+xml");
    let parts = js_sys::Array::of1(&svg.into());
    let Some(url) = Blob::new_with_str_sequence_and_options(&parts, &options)
        .ok()
        .and_then(|blob| Url::create_object_url_with_blob(&blob).ok())
    else {
        return;
    };
    let Ok(image) = HtmlImageElement::new() else { return };
    let (painted, name, address) = (image.clone(), name.to_owned(), url.clone());
    let loaded = Closure::once_into_js(move || {
        if let Some(canvas) = paint(&painted, width, height) {
            let save = Closure::once_into_js(move |blob: Option<Blob>| {
                if let Some(blob) = blob {
                    page::download(&name, &blob);
                }
            });
            let _ = canvas.to_blob(save.unchecked_ref());
        }
        let _ = Url::revoke_object_url(&address);
    });
    image.set_onload(Some(loaded.unchecked_ref()));
    image.set_src(&url);
}

fn paint(image: &HtmlImageElement, width: f64, height: f64) -> Option<HtmlCanvasElement> {
    let canvas =
        gloo::utils::document().create_element("canvas").ok()?.dyn_into::<HtmlCanvasElement>().ok()?;
    canvas.set_width((width * SCALE) as u32);
    canvas.set_height((height * SCALE) as u32);
    let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    context
        .draw_image_with_html_image_element_and_dw_and_dh(image, 0.0, 0.0, width * SCALE, height * SCALE)
        .ok()?;
    Some(canvas)
}
