//! What the page's shell (`index.html`) offers: a worker with this same module, the demo bundle, the
//! boot screen and the failure screen that need no WebAssembly.

use super::files::Picked;
use super::thrown;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen::{JsCast, UnwrapThrowExt};
use yew::BaseComponent;

#[wasm_bindgen]
extern "C" {
    /// A new worker that runs this module; what is posted to it from now on arrives in order.
    #[wasm_bindgen(js_namespace = ebusyBoot, js_name = worker, catch)]
    pub(super) fn new_worker() -> Result<web_sys::Worker, JsValue>;

    #[wasm_bindgen(js_namespace = ebusyBoot, js_name = demo, catch)]
    fn demo_file() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ebusyBoot)]
    fn ready();

    #[wasm_bindgen(js_namespace = ebusyBoot)]
    fn fail(message: &str);
}

/// The bundle that is built into the page.
///
/// # Errors
/// Where the page was built without one, in the words of the browser.
pub fn demo() -> Result<Picked, String> {
    let value = demo_file().map_err(|error| thrown(&error))?;
    value.dyn_into::<web_sys::File>().map(Picked::from).map_err(|value| thrown(&value))
}

/// A panic of the page replaces it with the shell's failure screen: never a blank page.
pub fn show_failures_of_the_page() {
    yew::set_custom_panic_hook(Box::new(|info| fail(&info.to_string())));
}

/// Shows the app in `#app` (the body holds the shell's own elements, so not there).
pub fn mount<App: BaseComponent<Properties = ()>>() {
    let root = gloo::utils::document().get_element_by_id("app");
    yew::Renderer::<App>::with_root(root.expect_throw("the page has no #app")).render();
    ready();
    super::thread::warm();
}
