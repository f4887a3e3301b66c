//! Reading expected values out of a fixture, and keeping account of what was read and what disagreed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Of the fields of a case, at most this part may be forgiven for near ties.
const FORGIVEN_PART: f64 = 0.2;

/// The account of a whole test run.
#[derive(Default)]
pub struct Ledger {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    file: String,
    num_values: usize,
    /// Fields compared and forgiven in the present case, and in all.
    of_case: Counts,
    of_all: Counts,
    /// Every leaf of every file by its name, and what became of it.
    leaves: BTreeMap<(String, String), Mark>,
    compared: BTreeSet<String>,
    notes: Vec<String>,
    differences: Vec<String>,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    compared: usize,
    forgiven: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Unread,
    Skipped,
    Read,
}

impl Ledger {
    /// Begins a file: all its leaves must be read in time.
    pub fn enter(&self, file: &str, root: &Value) {
        self.state.borrow_mut().file = file.to_owned();
        self.add_leaves(root, String::new());
    }

    /// Ends a case. Most of it must have been compared without forgiving anything.
    pub fn leave_case(&self, case: &Node) {
        let mut state = self.state.borrow_mut();
        let of_case = std::mem::take(&mut state.of_case);
        if of_case.forgiven > 0 {
            println!("{}{}: {} of {} fields forgiven", state.file, case.path, of_case.forgiven, of_case.compared);
        }
        if of_case.forgiven as f64 > FORGIVEN_PART * of_case.compared as f64 {
            let Counts { compared, forgiven } = of_case;
            let difference =
                format!("{}{}: {forgiven} of {compared} fields differ by a near tie", state.file, case.path);
            state.differences.push(difference);
        }
    }

    fn add_leaves(&self, value: &Value, path: String) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| self.add_leaves(value, format!("{path}.{key}")))
            }
            Value::Array(items) if items.first().is_some_and(Value::is_object) => {
                items.iter().for_each(|item| self.add_leaves(item, format!("{path}[]")))
            }
            Value::Array(items) if path.ends_with("random") && items.is_empty() => {}
            _ => self.mark(&path, Mark::Unread),
        }
    }

    fn mark(&self, path: &str, mark: Mark) {
        let mut state = self.state.borrow_mut();
        let key = (state.file.clone(), general(path));
        let known = state.leaves.entry(key).or_insert(mark);
        *known = mark.max(*known);
    }

    fn compare(&self, node: &Node, expected: &[f64], found: &[f64], agrees: impl Fn(usize, f64, f64) -> bool) {
        self.mark(&node.path, Mark::Read);
        let mut state = self.state.borrow_mut();
        state.num_values += expected.len();
        state.compared.insert(general(&node.path));
        state.of_case.compared += 1;
        state.of_all.compared += 1;
        let wrong = expected.iter().zip(found).enumerate().position(|(at, (&want, &got))| !agrees(at, want, got));
        if expected.len() == found.len() && wrong.is_none() {
            return;
        }
        let what = match wrong {
            Some(at) => format!("value {at} is {}, expected {}", found[at], expected[at]),
            None => format!("{} values, expected {}", found.len(), expected.len()),
        };
        let difference = format!("{}{}: {what}", state.file, node.path);
        if node.tied {
            println!("forgiven for a near tie: {difference}");
            state.of_case.forgiven += 1;
            state.of_all.forgiven += 1;
        } else {
            state.differences.push(difference);
        }
    }

    pub fn summary(&self) -> String {
        let state = self.state.borrow();
        let rules: BTreeSet<&str> = state.compared.iter().filter_map(|path| path.split('.').nth(1)).collect();
        let (rules, fields, values) = (rules.len(), state.compared.len(), state.num_values);
        let Counts { compared, forgiven } = state.of_all;
        let count = |mark| state.leaves.values().filter(|found| **found == mark).count();
        let (read, skipped, all) = (count(Mark::Read), count(Mark::Skipped), state.leaves.len());
        let notes = state.notes.iter().map(|note| format!("\n  {note}")).collect::<String>();
        format!(
            "{rules} rules, {fields} fields, {values} values compared; {forgiven} of {compared} comparisons forgiven; \
             {read} keys read and {skipped} skipped of {all}{notes}"
        )
    }

    pub fn unread(&self) -> Vec<String> {
        let state = self.state.borrow();
        let unread = state.leaves.iter().filter(|(_, mark)| **mark == Mark::Unread);
        unread.map(|((file, path), _)| format!("{file}: {path}")).collect()
    }

    pub fn differences(&self) -> Vec<String> {
        self.state.borrow().differences.clone()
    }
}

/// The same key in every case: `.random[3].results.switch.probs` and `.example6.results.switch.probs` are one, and so are
/// a list and its rows.
fn general(path: &str) -> String {
    let path = match path.find(".results").or(path.find(".input")) {
        Some(at) => path[at..].replacen(".results", "", 1),
        None => path.to_owned(),
    };
    let mut is_index = false;
    let without_indices = path.chars().filter(|&c| {
        is_index = c == '[' || is_index && c != ']';
        c == '[' || !is_index
    });
    without_indices.collect::<String>().trim_end_matches("[]").to_owned()
}

/// A place in a fixture.
#[derive(Clone)]
pub struct Node<'a> {
    ledger: &'a Ledger,
    value: &'a Value,
    path: String,
    /// What stands here hangs on keys that are closer than f32 can tell: differences are reported, not failed.
    tied: bool,
}

impl<'a> Node<'a> {
    pub fn root(ledger: &'a Ledger, value: &'a Value) -> Node<'a> {
        Node { ledger, value, path: String::new(), tied: false }
    }

    pub fn find(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.get(key)?;
        Some(Node { value, path: format!("{}.{key}", self.path), ..self.clone() })
    }

    pub fn at(&self, key: &str) -> Node<'a> {
        self.find(key).unwrap_or_else(|| panic!("{} has no {key}", self.path))
    }

    /// The same place, where a difference is forgiven if `tied`: it follows from a choice between near equals.
    pub fn unless(&self, tied: bool) -> Node<'a> {
        Node { tied: self.tied || tied, ..self.clone() }
    }

    /// The items of an array, objects among which are walked further.
    pub fn each(&self) -> Vec<Node<'a>> {
        self.ledger.mark(&self.path, Mark::Read);
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(|(at, value)| Node { value, path: format!("{}[{at}]", self.path), ..self.clone() }).collect()
    }

    /// All numbers, nested arrays flattened; `true` is 1, `false` 0, `null` -1.
    pub fn numbers(&self) -> Vec<f64> {
        fn flatten(value: &Value, into: &mut Vec<f64>) {
            match value {
                Value::Array(items) => items.iter().for_each(|item| flatten(item, into)),
                Value::Bool(truth) => into.push(f64::from(u8::from(*truth))),
                Value::Null => into.push(-1.0),
                Value::Number(number) => into.push(number.as_f64().expect("a number of JSON")),
                Value::String(text) => into.push(text.parse().expect("a number in a string")),
                Value::Object(_) => panic!("an object among numbers"),
            }
        }
        self.ledger.mark(&self.path, Mark::Read);
        let mut numbers = Vec::new();
        flatten(self.value, &mut numbers);
        numbers
    }

    /// Row after row of a matrix.
    pub fn rows(&self) -> Vec<Vec<f64>> {
        self.each().iter().map(Node::numbers).collect()
    }

    pub fn number(&self) -> f64 {
        self.numbers()[0]
    }

    pub fn f32s(&self) -> Vec<f32> {
        self.numbers().into_iter().map(|number| number as f32).collect()
    }

    pub fn indices(&self) -> Vec<usize> {
        self.numbers().into_iter().map(|number| number as usize).collect()
    }

    /// Length of the array, and of the arrays in it.
    pub fn shape(&self) -> [usize; 2] {
        let rows = self.value.as_array().expect("a matrix");
        [rows.len(), rows.first().and_then(Value::as_array).map_or(0, Vec::len)]
    }

    /// Nothing to compare here; counted apart.
    pub fn skip(&self) {
        self.ledger.mark(&self.path, Mark::Skipped);
    }

    /// Said at the end of the run.
    pub fn note(&self, what: &str) {
        let mut state = self.ledger.state.borrow_mut();
        let note = format!("{}{}: {what}", state.file, self.path);
        state.notes.push(note);
    }

    /// As many entries as the fixture has.
    pub fn same_len(&self, found: usize) {
        self.ledger.compare(self, &[self.each().len() as f64], &[found as f64], |_, want, got| want == got);
    }

    /// `found` must equal the fixture's text; `null` is empty.
    pub fn same_text(&self, found: &str) {
        let expected = self.value.as_str().unwrap_or("");
        self.ledger.compare(self, &[1.0], &[f64::from(u8::from(expected == found))], |_, want, got| want == got);
    }

    /// `found` must equal the fixture's numbers within 1e-5, relative where they exceed 1.
    pub fn close<N: Into<f64>>(&self, found: impl IntoIterator<Item = N>) {
        self.close_within(found, |_| 0.0);
    }

    /// The same with a further tolerance for each value, by its index.
    pub fn close_within<N: Into<f64>>(&self, found: impl IntoIterator<Item = N>, more: impl Fn(usize) -> f64) {
        let found: Vec<f64> = found.into_iter().map(Into::into).collect();
        let agrees = |at, want: f64, got: f64| (want - got).abs() <= 1e-5 * want.abs().max(1.0) + more(at);
        self.ledger.compare(self, &self.numbers(), &found, agrees);
    }

    /// `found` must equal the fixture's whole numbers exactly.
    pub fn same<N: Into<i64>>(&self, found: impl IntoIterator<Item = N>) {
        let found: Vec<f64> = found.into_iter().map(|number| number.into() as f64).collect();
        self.ledger.compare(self, &self.numbers(), &found, |_, want, got| want == got);
    }

    /// `found` must equal the fixture's indices exactly.
    pub fn same_indices(&self, found: impl IntoIterator<Item = usize>) {
        self.same(found.into_iter().map(|idx| idx as u32));
    }

    /// The same, a row per token (or expert, or sequence); a difference is forgiven in rows that are tied.
    pub fn same_rows<N: Copy + Into<i64>>(&self, found: &[N], ties: &[bool]) {
        self.by_row(found, ties, |row, found| row.same(found.iter().copied()));
    }

    /// Likewise for numbers.
    pub fn close_rows<N: Copy + Into<f64>>(&self, found: &[N], ties: &[bool]) {
        self.by_row(found, ties, |row, found| row.close(found.iter().copied()));
    }

    fn by_row<N>(&self, found: &[N], ties: &[bool], check: impl Fn(&Node, &[N])) {
        let rows = self.each();
        assert_eq!(rows.len(), ties.len(), "{}: as many rows as ties", self.path);
        if rows.is_empty() || !found.len().is_multiple_of(rows.len()) {
            return self.same_len(found.len());
        }
        for ((row, found), &tied) in rows.iter().zip(found.chunks(found.len() / rows.len())).zip(ties) {
            check(&row.unless(tied), found);
        }
    }
}
