//! A plain table: the twin of a picture.

use yew::prelude::*;

/// `head`: one text per column. The first cell of a row is its heading.
pub fn table(caption: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Html {
    let row = |cells: Vec<String>| {
        let mut cells = cells.into_iter();
        html! {
            <tr>
                <th scope="row">{ cells.next().unwrap_or_default() }</th>
                { for cells.map(|cell| html! { <td>{ cell }</td> }) }
            </tr>
        }
    };
    html! {
        <table>
            <caption>{ caption }</caption>
            <thead><tr>{ for head.iter().map(|head| html! { <th scope="col">{ *head }</th> }) }</tr></thead>
            <tbody>{ for rows.into_iter().map(row) }</tbody>
        </table>
    }
}
