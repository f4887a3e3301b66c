//! Command-line arguments: words, `--name value` and `--flag`, and a complaint about whatever nobody asked for.

use std::collections::VecDeque;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

/// What is left of the command line. Each call takes out what it reads.
#[derive(Default)]
pub struct Args(VecDeque<String>);

impl Args {
    pub fn from_env() -> Args {
        Args(std::env::args().skip(1).collect())
    }

    /// The next argument, if it is not an option.
    pub fn word(&mut self) -> Option<String> {
        let first = self.0.front()?;
        let is_word = !first.starts_with('-') || first == "-h" || first == "--help";
        if is_word { self.0.pop_front() } else { None }
    }

    /// Is `--name` there?
    pub fn flag(&mut self, name: &str) -> bool {
        match self.0.iter().position(|arg| arg == name) {
            Some(at) => self.0.remove(at).is_some(),
            None => false,
        }
    }

    /// The value of `--name value` or `--name=value`.
    pub fn option<T: FromStr>(&mut self, name: &str) -> Result<Option<T>>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let with_equals = format!("{name}=");
        let Some(at) = self.0.iter().position(|arg| arg == name || arg.starts_with(&with_equals)) else {
            return Ok(None);
        };
        let found = self.0.remove(at).unwrap_or_default();
        let value = match found.strip_prefix(&with_equals) {
            Some(value) => value.to_owned(),
            None => self.0.remove(at).with_context(|| format!("{name} needs a value"))?,
        };
        value.parse().map(Some).with_context(|| format!("{name} cannot be '{value}'"))
    }

    /// Everything that is left, for a command that passes it on.
    pub fn rest(self) -> Vec<String> {
        self.0.into()
    }

    /// Fails if anything is left.
    pub fn finish(self) -> Result<()> {
        match self.0.front() {
            Some(unknown) => bail!("unexpected argument '{unknown}'; see `cargo xtask help`"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn options_in_any_order() {
        let mut args = args("serve --open --port=9 --host ::1");
        assert_eq!(args.word().as_deref(), Some("serve"));
        assert_eq!(args.option::<u16>("--port").expect("a number"), Some(9));
        assert_eq!(args.option::<String>("--host").expect("a text").as_deref(), Some("::1"));
        assert!(args.flag("--open") && !args.flag("--open"));
        args.finish().expect("nothing is left");
    }

    #[test]
    fn mistakes_are_named() {
        let error = args("--port x").option::<u16>("--port").expect_err("not a number");
        assert_eq!(error.to_string(), "--port cannot be 'x'");
        let error = args("--prot 1").finish().expect_err("a typing error");
        assert_eq!(error.to_string(), "unexpected argument '--prot'; see `cargo xtask help`");
    }
}
