//! oEmbed: how a site tells editors that a link to it may stand in a text as a figure. Both what a page's head says and the
//! answer need the whole address, which only who serves the site knows.

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::hashed_names::SiteFile;

/// The answer's address in the site.
const ANSWER: &str = "oembed.json";

/// The page whose links are embedded, and where in it the discovery stands: before this.
const PAGE: &str = "index.html";
const BEFORE: &str = "</head>";

const TITLE: &str = "MoE Playground";

/// The frame's size: what a column of text has beside it, and the picture needs in it.
const WIDTH: u32 = 720;
const HEIGHT: u32 = 640;

/// Adds to a site that is served at `address` what editors look for.
pub fn add(files: &mut Vec<SiteFile>, address: &str) -> Result<()> {
    let address = folder(address)?;
    let (_, page) =
        files.iter_mut().find(|(name, _)| name == PAGE).with_context(|| format!("the site has no {PAGE}"))?;
    let text = std::str::from_utf8(page).with_context(|| format!("{PAGE} is not UTF-8"))?;
    ensure!(text.contains(BEFORE), "{PAGE} has no {BEFORE}, before which the discovery belongs");
    let link = format!(
        "  <link rel=\"alternate\" type=\"application/json+oembed\" href=\"{address}{ANSWER}\" title=\"{TITLE}\">\n{BEFORE}"
    );
    *page = text.replacen(BEFORE, &link, 1).into_bytes();
    files.push((ANSWER.to_owned(), serde_json::to_vec_pretty(&answer(&address))?));
    Ok(())
}

/// The answer to any link of the site: the figure in its frame.
fn answer(address: &str) -> serde_json::Value {
    let frame = format!(
        "<iframe src=\"{address}embed.html\" width=\"{WIDTH}\" height=\"{HEIGHT}\" style=\"border: 0; max-width: 100%\" \
         loading=\"lazy\" title=\"{TITLE}\"></iframe>"
    );
    json!({
        "version": "1.0",
        "type": "rich",
        "title": TITLE,
        "provider_name": TITLE,
        "provider_url": address,
        "width": WIDTH,
        "height": HEIGHT,
        "html": frame,
    })
}

/// The address of the site's folder, with a slash at its end.
fn folder(address: &str) -> Result<String> {
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let is_plain = |host: &str| !host.is_empty() && !host.contains(['"', '<', '>', '&', '?', '#', ' ']);
    if !host.is_some_and(is_plain) {
        bail!("“{address}” is not the address of a folder, such as https://example.org/playground/");
    }
    Ok(format!("{}/", address.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    #[test]
    fn the_page_leads_to_the_answer_and_the_answer_to_the_frame() {
        let read = |name: &str| std::fs::read(project::root().join("www/site").join(name)).expect("a file of the site");
        let mut files = vec![(PAGE.to_owned(), read(PAGE)), ("embed.html".to_owned(), read("embed.html"))];
        add(&mut files, "https://example.org/playground").expect("an address");
        let page = String::from_utf8(files[0].1.clone()).expect("UTF-8");
        let link = page.lines().find(|line| line.contains("application/json+oembed")).expect("the discovery");
        let (_, href) = link.split_once("href=\"").expect("an address");
        let href = href.split('"').next().expect("its end");
        let (name, answer) = files.last().expect("the answer");
        assert_eq!(href, format!("https://example.org/playground/{name}"));

        let answer: serde_json::Value = serde_json::from_slice(answer).expect("JSON");
        assert_eq!((&answer["version"], &answer["type"]), (&json!("1.0"), &json!("rich")));
        let html = answer["html"].as_str().expect("a text");
        let frame = files.iter().map(|(name, _)| format!("src=\"https://example.org/playground/{name}\""));
        assert!(frame.into_iter().any(|source| html.contains(&source)), "the frame's page is of the site: {html}");
        for (name, value) in [("width", WIDTH), ("height", HEIGHT)] {
            assert_eq!(answer[name], value);
            assert!(html.contains(&format!("{name}=\"{value}\"")));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in
            ["example.org", "https://", "ftp://example.org/", "https://example.org/\"x", "https://example.org/?a"]
        {
            let mut files = vec![(PAGE.to_owned(), b"<head></head>".to_vec())];
            assert!(add(&mut files, address).is_err(), "{address}");
        }
    }
}
