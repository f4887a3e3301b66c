//! A plain table: the twin of a picture.

use yew::prelude::*;

/// What stands in a cell.
pub enum Cell {
    /// In the language of the page.
    Said(String),
    /// Out of the model's text: nobody translates it, and it has a direction of its own.
    Text(String),
    /// A token, and what is said of it.
    Both(String, String),
}

impl From<String> for Cell {
    fn from(said: String) -> Cell {
        Cell::Said(said)
    }
}

impl Cell {
    fn draw(self) -> Html {
        match self {
            Cell::Said(said) => html! { <td>{ said }</td> },
            Cell::Text(text) => html! { <td dir="auto" translate="no">{ text }</td> },
            Cell::Both(text, said) => html! { <td><bdi translate="no">{ text }</bdi>{ " " }{ said }</td> },
        }
    }
}

/// `head`: one text per column. The first text of a row is its heading.
pub fn table<C: Into<Cell>>(caption: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<C>>) -> Html {
    let row = |cells: Vec<C>| {
        let mut cells = cells.into_iter().map(C::into);
        let heading = match cells.next() {
            Some(Cell::Said(words) | Cell::Text(words) | Cell::Both(words, _)) => words,
            None => String::new(),
        };
        html! {
            <tr>
                <th scope="row">{ heading }</th>
                { for cells.map(Cell::draw) }
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
