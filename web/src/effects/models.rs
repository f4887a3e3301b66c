//! Fetches the list of models that a site offers. A site without one has no menu.

use moe_trace::ModelEntry;

use crate::browser::{address, fetch};
use crate::settings::models::Menu;

/// Tells the menu of the list at `url`, if it is there and can be read.
pub async fn menu(url: String, tell: impl FnOnce(Menu)) {
    let Ok(text) = fetch::text(&url).await else { return };
    match fetch::parse::<Vec<ModelEntry>>(&text) {
        Ok((entries, _)) => {
            if let Some(menu) = Menu::new(entries, |address| address::resolve(address, &url)) {
                tell(menu);
            }
        }
        Err(why) => web_sys::console::warn_1(&format!("moe-playground: {url} is no list of models: {why}").into()),
    }
}
