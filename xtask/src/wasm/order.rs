//! Puts the functions of a module into an order that compresses: like beside like.
//!
//! Gzip finds what it has seen in the last 32 KiB only, and a linker lays functions out crate by crate, so that the
//! copies of one generic function lie far apart. Nothing else is changed: the same functions under other numbers.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Parser, Payload, TypeRef};

/// How far back gzip looks, in bytes.
const WINDOW_BYTES: usize = 32 << 10;

/// What two functions may have in common: this many bytes in a row, about two instructions.
const PIECE_BYTES: usize = 6;

/// A piece that more functions have than this is found anywhere, and tells nothing.
const COMMON: usize = 250;

/// The module with its functions in another order.
pub fn alike(module: &[u8]) -> Result<Vec<u8>> {
    let (num_imported, bodies) = functions(module)?;
    let mut renumbered = Renumbered { num_imported, order: order(&bodies), numbers: vec![] };
    renumbered.numbers = vec![0; bodies.len()];
    for (new, &old) in (0..).zip(&renumbered.order) {
        renumbered.numbers[old] = num_imported + new;
    }
    let mut ordered = Module::new();
    renumbered
        .parse_core_module(&mut ordered, Parser::new(0), module)
        .context("the functions could not be put in order")?;
    Ok(ordered.finish())
}

/// How many functions come from outside, and the code of the others.
fn functions(module: &[u8]) -> Result<(u32, Vec<&[u8]>)> {
    let (mut num_imported, mut bodies) = (0, vec![]);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    num_imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&module[body.range()]),
            _ => {}
        }
    }
    Ok((num_imported, bodies))
}

/// Greedy: next comes the function of which the largest share was written in the last [`WINDOW_BYTES`]. Among equals the
/// first, so that the same module is always written the same way.
fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let pieces: Vec<Vec<u32>> = numbered_pieces(bodies);
    let num_pieces = pieces.iter().flatten().max().map_or(0, |&last| last as usize + 1);
    let mut owners = vec![vec![]; num_pieces];
    for (function, own) in pieces.iter().enumerate() {
        own.iter().for_each(|&piece| owners[piece as usize].push(function));
    }
    // How often each piece is in the window, and how many pieces of each function are.
    let mut times = vec![0_u32; num_pieces];
    let mut seen = vec![0_usize; bodies.len()];
    let (mut window, mut window_bytes) = (VecDeque::new(), 0);
    let mut waiting: Vec<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(bodies.len());
    // Of two that are seen by the same share the longer saves more. With the square of what is seen the page is 1.7 kB
    // larger, by the share alone 0.7.
    let gain = |function: usize, seen: usize| {
        let seen = seen as f64;
        seen * seen.sqrt().sqrt() / (pieces[function].len() + 16) as f64
    };
    while !waiting.is_empty() {
        let best = (0..waiting.len()).fold(0, |best, at| {
            let better = gain(waiting[at], seen[waiting[at]]) > gain(waiting[best], seen[waiting[best]]);
            if better { at } else { best }
        });
        let function = waiting.remove(best);
        order.push(function);
        for &piece in &pieces[function] {
            times[piece as usize] += 1;
            if times[piece as usize] == 1 {
                owners[piece as usize].iter().for_each(|&owner| seen[owner] += 1);
            }
        }
        window.push_back(function);
        window_bytes += bodies[function].len();
        while window_bytes > WINDOW_BYTES && window.len() > 1 {
            let Some(left) = window.pop_front() else { break };
            window_bytes -= bodies[left].len();
            for &piece in &pieces[left] {
                times[piece as usize] -= 1;
                if times[piece as usize] == 0 {
                    owners[piece as usize].iter().for_each(|&owner| seen[owner] -= 1);
                }
            }
        }
    }
    order
}

/// The pieces of each function, as numbers from 0 of those pieces that at least two functions have.
fn numbered_pieces<'a>(bodies: &[&'a [u8]]) -> Vec<Vec<u32>> {
    let mut owners: HashMap<&'a [u8], usize> = HashMap::new();
    let distinct: Vec<Vec<&'a [u8]>> = bodies
        .iter()
        .map(|body| {
            let mut pieces: Vec<&'a [u8]> = body.windows(PIECE_BYTES).collect();
            pieces.sort_unstable();
            pieces.dedup();
            pieces.iter().for_each(|&piece| *owners.entry(piece).or_default() += 1);
            pieces
        })
        .collect();
    let mut numbers: HashMap<&'a [u8], u32> = HashMap::new();
    let numbered = |pieces: Vec<&'a [u8]>| {
        let told = pieces.into_iter().filter(|piece| (2..=COMMON).contains(&owners[piece]));
        told.map(|piece| {
            let next = numbers.len() as u32;
            *numbers.entry(piece).or_insert(next)
        })
        .collect()
    };
    distinct.into_iter().map(numbered).collect()
}

/// Writes a module again with its functions in another order.
struct Renumbered {
    num_imported: u32,
    /// `[functions]`: which of the old ones comes here.
    order: Vec<usize>,
    /// `[functions]`: the new number of the old one, with those from outside counted first.
    numbers: Vec<u32>,
}

impl Reencode for Renumbered {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        let own = function.checked_sub(self.num_imported);
        Ok(own.and_then(|own| self.numbers.get(own as usize).copied()).unwrap_or(function))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for &old in &self.order {
            functions.function(types[old]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for old in self.order.clone() {
            utils::parse_function_body(self, code, bodies[old].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_functions_come_together() {
        let words = |text: &str| text.repeat(3).into_bytes();
        let bodies = [words("one kind of code"), words("quite another one"), words("one kind of code!")];
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        assert_eq!(order(&bodies), [0, 2, 1]);
    }

    #[test]
    fn calls_and_exports_follow_their_functions() {
        // Two functions; the second calls the first and is exported.
        let mut module = Module::new();
        let mut types = wasm_encoder::TypeSection::new();
        types.ty().function([], [wasm_encoder::ValType::I32]);
        module.section(&types);
        let mut functions = FunctionSection::new();
        functions.function(0).function(0);
        module.section(&functions);
        let mut exports = wasm_encoder::ExportSection::new();
        exports.export("second", wasm_encoder::ExportKind::Func, 1);
        module.section(&exports);
        let mut code = CodeSection::new();
        let mut first = wasm_encoder::Function::new([]);
        first.instructions().i32_const(7).end();
        let mut second = wasm_encoder::Function::new([]);
        second.instructions().call(0).end();
        code.function(&first).function(&second);
        module.section(&code);
        let module = module.finish();

        let mut swapped = Renumbered { num_imported: 0, order: vec![1, 0], numbers: vec![1, 0] };
        let mut out = Module::new();
        swapped.parse_core_module(&mut out, Parser::new(0), &module).expect("a small module");
        let out = out.finish();
        wasmparser::validate(&out).expect("still a module");
        let (_, bodies) = super::functions(&out).expect("just written");
        let (_, before) = super::functions(&module).expect("just written");
        assert_eq!(bodies[1], before[0], "the constant comes second");
        assert_eq!(bodies[0], [0, 0x10, 1, 0x0b], "the call is of function 1 now");
        let exported = Parser::new(0).parse_all(&out).find_map(|payload| match payload {
            Ok(Payload::ExportSection(section)) => section.into_iter().next().and_then(Result::ok).map(|one| one.index),
            _ => None,
        });
        assert_eq!(exported, Some(0));
    }
}
