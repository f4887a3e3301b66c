//! Addresses: relative ones made absolute.

use web_sys::Url;

/// `address` seen from `base`; `address` itself where either makes no sense.
pub fn resolve(address: &str, base: &str) -> String {
    Url::new_with_base(address, base).map_or_else(|_| address.to_owned(), |url| url.href())
}

/// A path as seen from the folder of the assets, made absolute. Without a folder they lie beside the page.
pub fn beside_assets(base_url: Option<&str>, path: &str) -> String {
    let base = base_url.unwrap_or("assets/").trim_end_matches('/');
    resolve(path, &resolve(&format!("{base}/"), &document_base()))
}

/// The address that relative ones on this page refer to.
pub fn document_base() -> String {
    let document = web_sys::window().and_then(|window| window.document());
    document.and_then(|document| document.base_uri().ok().flatten()).unwrap_or_default()
}
