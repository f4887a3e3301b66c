//! A session: commands in, events out; no browser.
