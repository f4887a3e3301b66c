//! Reading expected values out of a fixture, and keeping account of what was read and what disagreed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The account of a whole test run.
#[derive(Default)]
pub struct Ledger {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    file: String,
    /// Differences of the present case are reported but forgiven.
    excused: bool,
    num_values: usize,
    num_forgiven: usize,
    /// Every leaf of every file, and whether anything read it.
    leaves: BTreeMap<String, bool>,
    compared: BTreeSet<String>,
    differences: Vec<String>,
}

impl Ledger {
    /// Begins a file: all its leaves must be read in time.
    pub fn enter(&self, file: &str, root: &Value) {
        self.state.borrow_mut().file = file.to_owned();
        self.add_leaves(root, String::new());
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
            _ => {
                self.state.borrow_mut().leaves.entry(general(&path)).or_insert(false);
            }
        }
    }

    /// From now on differences are reported, or failed. Returns what was so before.
    pub fn excuse(&self, excused: bool) -> bool {
        std::mem::replace(&mut self.state.borrow_mut().excused, excused)
    }

    fn read(&self, path: &str) {
        self.state.borrow_mut().leaves.insert(general(path), true);
    }

    fn compare(&self, path: &str, expected: &[f64], found: &[f64], agrees: impl Fn(f64, f64) -> bool) {
        self.read(path);
        let mut state = self.state.borrow_mut();
        state.num_values += expected.len();
        state.compared.insert(general(path));
        let wrong = expected.iter().zip(found).position(|(&want, &got)| !agrees(want, got));
        if expected.len() == found.len() && wrong.is_none() {
            return;
        }
        let what = match wrong {
            Some(at) => format!("value {at} is {}, expected {}", found[at], expected[at]),
            None => format!("{} values, expected {}", found.len(), expected.len()),
        };
        let difference = format!("{}{path}: {what}", state.file);
        if state.excused {
            println!("forgiven for a near tie: {difference}");
            state.num_forgiven += 1;
        } else {
            state.differences.push(difference);
        }
    }

    pub fn summary(&self) -> String {
        let state = self.state.borrow();
        let rules: BTreeSet<&str> = state.compared.iter().filter_map(|path| path.split('.').nth(1)).collect();
        let (rules, fields) = (rules.len(), state.compared.len());
        let (read, all) = (state.leaves.values().filter(|read| **read).count(), state.leaves.len());
        let (values, forgiven) = (state.num_values, state.num_forgiven);
        format!(
            "{rules} rules, {fields} fields, {values} values compared, {forgiven} fields forgiven; {read} of {all} keys read"
        )
    }

    pub fn unread(&self) -> Vec<String> {
        let state = self.state.borrow();
        state.leaves.iter().filter(|(_, read)| !**read).map(|(path, _)| path.clone()).collect()
    }

    pub fn differences(&self) -> Vec<String> {
        self.state.borrow().differences.clone()
    }
}

/// The same key in every case: `.random[].results.switch.probs` and `.example6.results.switch.probs` are one.
fn general(path: &str) -> String {
    match path.find(".results").or(path.find(".input")) {
        Some(at) => path[at..].replacen(".results", "", 1),
        None => path.to_owned(),
    }
}

/// A place in a fixture.
#[derive(Clone)]
pub struct Node<'a> {
    ledger: &'a Ledger,
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub fn root(ledger: &'a Ledger, value: &'a Value) -> Node<'a> {
        Node { ledger, value, path: String::new() }
    }

    pub fn find(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.get(key)?;
        Some(Node { ledger: self.ledger, value, path: format!("{}.{key}", self.path) })
    }

    pub fn at(&self, key: &str) -> Node<'a> {
        self.find(key).unwrap_or_else(|| panic!("{} has no {key}", self.path))
    }

    /// The items of an array, objects among which are walked further.
    pub fn each(&self) -> Vec<Node<'a>> {
        self.ledger.read(&self.path);
        let items = self.value.as_array().into_iter().flatten();
        items.map(|value| Node { ledger: self.ledger, value, path: format!("{}[]", self.path) }).collect()
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
        self.ledger.read(&self.path);
        let mut numbers = Vec::new();
        flatten(self.value, &mut numbers);
        numbers
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

    /// `found` must equal the fixture's text; `null` is empty.
    /// As many entries: like a value, it may differ where there is a near tie.
    pub fn same_len(&self, found: usize) {
        self.ledger.compare(&format!("{}.len", self.path), &[self.each().len() as f64], &[found as f64], |a, b| a == b);
    }

    pub fn same_text(&self, found: &str) {
        let expected = self.value.as_str().unwrap_or("");
        self.ledger.compare(&self.path, &[1.0], &[f64::from(u8::from(expected == found))], |want, got| want == got);
    }

    /// Differences that `check` finds are reported, not failed.
    pub fn forgiving(&self, check: impl FnOnce()) {
        let before = self.ledger.excuse(true);
        check();
        self.ledger.excuse(before);
    }

    /// Length of the array, and of the arrays in it.
    pub fn shape(&self) -> [usize; 2] {
        let rows = self.value.as_array().expect("a matrix");
        [rows.len(), rows.first().and_then(Value::as_array).map_or(0, Vec::len)]
    }

    /// Nothing to compare here; counts as read.
    pub fn skip(&self) {
        self.ledger.read(&self.path);
    }

    /// `found` must equal the fixture's numbers within 1e-5, relative where they exceed 1.
    pub fn close<N: Into<f64>>(&self, found: impl IntoIterator<Item = N>) {
        let found: Vec<f64> = found.into_iter().map(Into::into).collect();
        let agrees = |want: f64, got: f64| (want - got).abs() <= 1e-5 * want.abs().max(1.0);
        self.ledger.compare(&self.path, &self.numbers(), &found, agrees);
    }

    /// `found` must equal the fixture's whole numbers exactly.
    pub fn same<N: Into<i64>>(&self, found: impl IntoIterator<Item = N>) {
        let found: Vec<f64> = found.into_iter().map(|number| number.into() as f64).collect();
        self.ledger.compare(&self.path, &self.numbers(), &found, |want, got| want == got);
    }

    /// `found` must equal the fixture's indices exactly.
    pub fn same_indices(&self, found: impl IntoIterator<Item = usize>) {
        self.same(found.into_iter().map(|idx| idx as u32));
    }
}
