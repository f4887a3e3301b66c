//! `cargo xtask serve`: build, serve, say where.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::Result;
use clap::Args;

use crate::site::Site;
use crate::{http, wasm};

#[derive(Args)]
pub struct Options {
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// 0.0.0.0 lets other machines in
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    /// Serve what was built last
    #[arg(long)]
    no_build: bool,
    /// Serve a folder that holds the whole site, such as the output of `dist`, and build nothing
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub fn command(options: &Options) -> Result<()> {
    // Before the build, so that a port in use is not found out after many minutes.
    let site = match &options.dir {
        Some(folder) => Site::of_folder(folder.clone()),
        None => Site::of_working_tree()?,
    };
    let address = http::spawn(site, &options.host, options.port)?;
    if options.dir.is_none() && !options.no_build {
        wasm::build()?;
    }

    let url = format!("http://{address}/");
    println!("serving on {url}   (Ctrl+C ends it)");
    if !address.ip().is_loopback() {
        println!("other machines can reach it; browsers give WebGPU to them only over HTTPS");
    }
    if options.open {
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
