//! How many bytes a reader downloads: every file raw, with gzip and with brotli, and the parts that have a budget.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::AddAssign;
use std::path::Path;
use std::sync::Mutex;
use std::{fs, thread};

use anyhow::{Context, Result, ensure};

use crate::site::Site;

/// Bytes of one file or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    pub raw_bytes: u64,
    pub gzip_bytes: u64,
    pub brotli_bytes: u64,
}

impl AddAssign for Sizes {
    fn add_assign(&mut self, other: Sizes) {
        self.raw_bytes += other.raw_bytes;
        self.gzip_bytes += other.gzip_bytes;
        self.brotli_bytes += other.brotli_bytes;
    }
}

/// The page's own WebAssembly, JavaScript, CSS and HTML, with gzip, which every host has. The engine and the weights
/// come after it. The aim is 650 kB.
const PAGE_BUDGET_BYTES: u64 = 727_000;

/// What a figure in another page loads before its engine: of the assets all but the page's module and what is loaded
/// when it is first used, and the recorded run. The aim is 350 kB.
const FIGURE_BUDGET_BYTES: u64 = 400_000;

/// The engine that is loaded first, and the one with WebGPU, each with what starts it. The aims are 800 kB
/// and 2,500 kB.
const ENGINE_BUDGET_BYTES: u64 = 525_000;
const GPU_ENGINE_BUDGET_BYTES: u64 = 2_200_000;

/// What a page with figures that nobody has reached yet has loaded of them.
const LOADER_BUDGET_BYTES: u64 = 5_000;

/// The sizes of every file of a site folder, by address.
pub fn measure(folder: &Path) -> Result<BTreeMap<String, Sizes>> {
    let files = Site::of_folder(folder.to_owned()).contents()?;
    // Brotli at its best takes half a minute for the engine: all cores, the largest file first.
    let mut queue: Vec<_> = files.into_iter().collect();
    queue.sort_by_key(|(_, content)| fs::metadata(content.path()).map_or(0, |metadata| metadata.len()));
    let (queue, measured) = (Mutex::new(queue), Mutex::new(BTreeMap::new()));
    let work = || -> Result<()> {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.pop());
            let Some((address, content)) = next else { return Ok(()) };
            let sizes = of_bytes(&content.read()?)?;
            if let Ok(mut measured) = measured.lock() {
                measured.insert(address, sizes);
            }
        }
    };
    let num_threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..num_threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked")))
    })?;
    measured.into_inner().ok().context("a thread panicked")
}

/// A table of all files, then of the parts.
pub fn table(files: &BTreeMap<String, Sizes>) -> String {
    let mut text = String::from("| file | raw | gzip | brotli |\n| --- | ---: | ---: | ---: |\n");
    for (address, sizes) in files {
        row(&mut text, address, *sizes);
    }
    text.push_str("\n| part | raw | gzip | brotli |\n| --- | ---: | ---: | ---: |\n");
    let parts = parts(files);
    for (part, sizes) in &parts {
        row(&mut text, part, *sizes);
    }
    text
}

/// An error where the page's part of a site folder, or what a figure loads of it, is over its budget.
pub fn ensure_page_fits(folder: &Path) -> Result<()> {
    let files = Site::of_folder(folder.to_owned()).contents()?;
    let (mut page_bytes, mut figure_bytes, mut loader_bytes) = (0, 0, 0);
    let (mut engine_bytes, mut gpu_engine_bytes) = (0, 0);
    for (address, content) in files {
        let part = part_of(&address);
        let is_page = part == "page";
        let is_figure = is_of_figure(&address);
        let (is_engine, is_gpu_engine) = (part == ENGINE, part == GPU_ENGINE);
        if !(is_page || is_figure || is_engine || is_gpu_engine) {
            continue;
        }
        let gzip_bytes = gzip(&content.read()?)?.len() as u64;
        page_bytes += if is_page { gzip_bytes } else { 0 };
        engine_bytes += if is_engine { gzip_bytes } else { 0 };
        gpu_engine_bytes += if is_gpu_engine { gzip_bytes } else { 0 };
        figure_bytes += if is_figure { gzip_bytes } else { 0 };
        loader_bytes += if address.starts_with("assets/element.") { gzip_bytes } else { 0 };
    }
    for (name, gzip_bytes, budget_bytes) in [
        ("the page", page_bytes, PAGE_BUDGET_BYTES),
        ("a figure", figure_bytes, FIGURE_BUDGET_BYTES),
        ("an element before it is loaded", loader_bytes, LOADER_BUDGET_BYTES),
        ("the engine", engine_bytes, ENGINE_BUDGET_BYTES),
        ("the engine with WebGPU", gpu_engine_bytes, GPU_ENGINE_BUDGET_BYTES),
    ] {
        let (is, budget) = (kilobytes(gzip_bytes), kilobytes(budget_bytes));
        ensure!(gzip_bytes <= budget_bytes, "{name} is over its budget: {is} of {budget} with gzip");
        println!("{name} has {is} of {budget} with gzip");
    }
    Ok(())
}

/// Does a figure in another page load it before its engine? What saves and shares is loaded when it is first used.
fn is_of_figure(address: &str) -> bool {
    match (address.strip_prefix("assets/"), part_of(address).as_str()) {
        (Some(_), "figure") => true,
        (Some(asset), "page") => {
            // What arrived is looked at only where something failed.
            let others = ["export/", "web.", "web_bg.", "playground.", "arrived."];
            !others.iter().any(|other| asset.starts_with(other))
        }
        _ => address == "traces/default.jsonl",
    }
}

/// A table of what the parts of a folder weigh when npm and most hosts have packed them.
pub fn gzip_table(folder: &Path) -> Result<String> {
    let mut parts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (address, content) in Site::of_folder(folder.to_owned()).contents()? {
        let bytes = content.read()?;
        let is_named =
            address.starts_with("assets/") || address.starts_with("models/") || address.starts_with("traces/");
        let part = if is_named { part_of(&address) } else { "what stands beside".to_owned() };
        let (raw_bytes, gzip_bytes) = parts.entry(part).or_default();
        *raw_bytes += bytes.len() as u64;
        *gzip_bytes += gzip(&bytes)?.len() as u64;
    }
    let sum = parts.values().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    let mut text = String::from("| part | raw | gzip |\n| --- | ---: | ---: |\n");
    for (part, (raw_bytes, gzip_bytes)) in parts.iter().chain([(&"all".to_owned(), &sum)]) {
        let _ = writeln!(text, "| {part} | {} | {} |", kilobytes(*raw_bytes), kilobytes(*gzip_bytes));
    }
    Ok(text)
}

/// Page, the module of figures, both engines, each model, recorded traces and examples.
pub fn parts(files: &BTreeMap<String, Sizes>) -> BTreeMap<String, Sizes> {
    let mut parts: BTreeMap<String, Sizes> = BTreeMap::new();
    for (address, sizes) in files {
        *parts.entry(part_of(address)).or_default() += *sizes;
    }
    parts
}

const ENGINE: &str = "engine";
const GPU_ENGINE: &str = "engine with WebGPU";

fn part_of(address: &str) -> String {
    match address.split('/').collect::<Vec<_>>().as_slice() {
        ["assets", name, ..] if name.starts_with("moe_lab") || name.starts_with("lab") => "lab".to_owned(),
        ["assets", name, ..] if name.starts_with("moe_worker_gpu") => GPU_ENGINE.to_owned(),
        ["assets", name, ..] if name.starts_with("moe_worker") || name.starts_with("worker") => ENGINE.to_owned(),
        ["assets", name] if name.starts_with("figure.") || name.starts_with("figure_bg.") => "figure".to_owned(),
        ["models", model, _, ..] => format!("model {model}"),
        [folder, _, ..] if *folder != "assets" => (*folder).to_owned(),
        _ => "page".to_owned(),
    }
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?)
}

fn of_bytes(bytes: &[u8]) -> Result<Sizes> {
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut brotli, &parameters)?;
    let length = |bytes: &[u8]| bytes.len() as u64;
    Ok(Sizes { raw_bytes: length(bytes), gzip_bytes: length(&gzip(bytes)?), brotli_bytes: length(&brotli) })
}

fn row(text: &mut String, name: &str, sizes: Sizes) {
    let [raw, gzip, brotli] = [sizes.raw_bytes, sizes.gzip_bytes, sizes.brotli_bytes].map(kilobytes);
    let _ = writeln!(text, "| {name} | {raw} | {gzip} | {brotli} |");
}

/// `12.3 kB`: thousands of bytes, as budgets are given.
fn kilobytes(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_belongs_to_a_part() {
        let one = Sizes { raw_bytes: 10, gzip_bytes: 2, brotli_bytes: 1 };
        let check = |address: &str, part: &str| {
            let files = BTreeMap::from([(address.to_owned(), one)]);
            assert_eq!(parts(&files), BTreeMap::from([(part.to_owned(), one)]), "{address}");
        };
        check("index.html", "page");
        check("assets/web.0a1b2c3d4e.js", "page");
        check("assets/figure_bg.0a1b2c3d4e.wasm", "figure");
        check("assets/figure.0a1b2c3d4e.js", "figure");
        check("assets/moe_worker_bg.0a1b2c3d4e.wasm", "engine");
        check("assets/moe_worker_gpu_bg.0a1b2c3d4e.wasm", "engine with WebGPU");
        check("assets/moe_worker_gpu.0a1b2c3d4e.js", "engine with WebGPU");
        check("assets/moe_lab_worker_bg.0a1b2c3d4e.wasm", "lab");
        check("models/tiny/weights.bin", "model tiny");
        check("traces/default.jsonl", "traces");
        check("lessons/gate.json", "lessons");
        check("texts/held-out.txt", "texts");
    }

    #[test]
    fn a_figure_loads_its_own_module_and_what_both_share() {
        let check = |address: &str, expected: bool| assert_eq!(is_of_figure(address), expected, "{address}");
        check("assets/figure_bg.0a1b2c3d4e.wasm", true);
        check("assets/element.0a1b2c3d4e.js", true);
        check("assets/figure.0a1b2c3d4e.css", true);
        check("assets/application.0a1b2c3d4e.js", true);
        check("assets/playground.0a1b2c3d4e.css", false);
        check("traces/default.jsonl", true);
        check("assets/web_bg.0a1b2c3d4e.wasm", false);
        check("assets/web.0a1b2c3d4e.js", false);
        check("assets/export/save.0a1b2c3d4e.js", false);
        check("assets/worker.0a1b2c3d4e.js", false);
        check("index.html", false);
    }

    #[test]
    fn repetition_compresses() {
        let sizes = of_bytes(&[7; 10_000]).expect("in memory");
        assert_eq!(sizes.raw_bytes, 10_000);
        assert!(sizes.gzip_bytes < 100 && sizes.brotli_bytes < sizes.gzip_bytes);
    }
}
