//! `cargo xtask serve`: build, serve, say where.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::Result;

use crate::args::Args;
use crate::site::Site;
use crate::{http, wasm};

pub fn command(mut args: Args) -> Result<()> {
    let port = args.option("--port")?.unwrap_or(8080);
    let host = args.option("--host")?.unwrap_or_else(|| "127.0.0.1".to_owned());
    let folder: Option<PathBuf> = args.option("--dir")?;
    let (open, no_build) = (args.flag("--open"), args.flag("--no-build"));
    args.finish()?;

    // Before the build, so that a port in use is not found out after many minutes.
    let site = match &folder {
        Some(folder) => Site::of_folder(folder.clone()),
        None => Site::of_working_tree()?,
    };
    let address = http::spawn(site, &host, port)?;
    if folder.is_none() && !no_build {
        wasm::build()?;
    }

    let url = format!("http://{address}/");
    println!("serving on {url}   (Ctrl+C ends it)");
    if !address.ip().is_loopback() {
        println!("other machines can reach it; browsers give WebGPU to them only over HTTPS");
    }
    if open {
        open_in_browser(&url);
    }
    loop {
        thread::park();
    }
}

fn open_in_browser(url: &str) {
    let mut command = match std::env::consts::OS {
        "macos" => Command::new("open"),
        "windows" => Command::new("explorer"),
        _ => Command::new("xdg-open"),
    };
    if let Err(error) = command.arg(url).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        eprintln!("could not open a browser ({error}); the address is above");
    }
}
