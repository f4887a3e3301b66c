//! Papers with their addresses: `arXiv:2101.03961` in a citation is a link.

/// A piece of a rule's citation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Citation<'a> {
    /// Authors, years, and what stands between.
    Text(&'a str),
    /// The number of an arXiv paper, `2101.03961`; it lies at `https://arxiv.org/abs/` and this.
    Arxiv(&'a str),
}

const MARK: &str = "arXiv:";

/// `A 2020, arXiv:2101.03961; B` as text, number, text.
pub fn citations(paper: &str) -> impl Iterator<Item = Citation<'_>> {
    let mut pieces = paper.split(MARK);
    let first = pieces.next().map(Citation::Text);
    let numbered = pieces.flat_map(|piece| {
        // A number ends where something else than digits and its point begins.
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(piece.len());
        [Citation::Arxiv(&piece[..end]), Citation::Text(&piece[end..])]
    });
    first.into_iter().chain(numbered).filter(|piece| *piece != Citation::Text(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_links() {
        let check = |paper, expected: &[Citation<'_>]| assert_eq!(citations(paper).collect::<Vec<_>>(), expected);
        use Citation::{Arxiv, Text};
        check("Jacobs et al. 1991", &[Text("Jacobs et al. 1991")]);
        check("A 2020, arXiv:2101.03961", &[Text("A 2020, "), Arxiv("2101.03961")]);
        let two = "A, arXiv:2101.03961; B, arXiv:2409.02060; C";
        check(two, &[Text("A, "), Arxiv("2101.03961"), Text("; B, "), Arxiv("2409.02060"), Text("; C")]);
    }
}
