//! The stage of an instance of the module: one element with Yew's root in it, on which one page plays after the other. What
//! hears events at a root is never let go by Yew, so that a root for every page would leave something of each behind.

use std::cell::RefCell;

use wasm_bindgen::JsValue;
use web_sys::Element;
use yew::prelude::*;
use yew::{AppHandle, Renderer};

use crate::page::app::{App, AppProps};

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

struct Stage {
    root: AppHandle<Root>,
    container: Element,
    /// Pages that have played on it: each is told from the one before.
    num_pages: usize,
}

/// Puts a page on the stage, and the stage into the page's element. It is laid out but not seen until there is something to
/// show.
pub fn enter(page: AppProps) -> Result<(), JsValue> {
    STAGE.with_borrow_mut(|stage| {
        let stage = match stage {
            Some(stage) => stage,
            None => stage.insert(Stage::beside(&page.root)?),
        };
        stage.container.set_attribute("class", "moe-container is-waiting")?;
        page.root.append_child(&stage.container)?;
        stage.num_pages += 1;
        stage.root.update(RootProps { page: Some((stage.num_pages, page)) });
        Ok(())
    })
}

/// Takes the page from the stage, and the stage out of the document.
pub fn leave() {
    STAGE.with_borrow_mut(|stage| {
        if let Some(stage) = stage {
            stage.root.update(RootProps::default());
            stage.container.remove();
        }
    });
}

impl Stage {
    fn beside(element: &Element) -> Result<Stage, JsValue> {
        let document = element.owner_document().ok_or("the element to mount into belongs to no document")?;
        let container = document.create_element("div")?;
        let root = Renderer::<Root>::with_root(container.clone()).render();
        Ok(Stage { root, container, num_pages: 0 })
    }
}

#[derive(Properties, PartialEq, Default)]
struct RootProps {
    /// With its number.
    #[prop_or_default]
    page: Option<(usize, AppProps)>,
}

#[component]
fn Root(props: &RootProps) -> Html {
    match &props.page {
        Some((number, page)) => html! { <App key={*number} ..page.clone() /> },
        None => Html::default(),
    }
}
