//! Every shader is valid as it lies, and its bindings and parameters are those the Rust side assumes.

use moe_kernels::kernel::{Kernel, WORKGROUP_SIZE};
use moe_kernels::ops::ALL;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module, Scalar, TypeInner};

fn parse(kernel: &Kernel) -> Module {
    let module = naga::front::wgsl::parse_str(kernel.wgsl)
        .unwrap_or_else(|error| panic!("{}: {}", kernel.name, error.emit_to_string(kernel.wgsl)));
    Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}: {error:?}", kernel.name));
    module
}

#[test]
fn every_shader_is_valid_and_laid_out_as_assumed() {
    for kernel in ALL {
        let module = parse(kernel);
        let [entry] = module.entry_points.as_slice() else { panic!("{} has one entry point", kernel.name) };
        assert_eq!(entry.name, "main", "{}", kernel.name);
        assert_eq!(entry.workgroup_size, [WORKGROUP_SIZE, 1, 1], "{}", kernel.name);

        let mut bindings = Vec::new();
        for (_, variable) in module.global_variables.iter() {
            if variable.space == AddressSpace::WorkGroup {
                continue;
            }
            let binding = variable.binding.as_ref().expect("storage has a binding");
            assert_eq!(binding.group, 0, "{}", kernel.name);
            bindings.push(binding.binding);
            if variable.name.as_deref() == Some("params") {
                assert_eq!(variable.space, AddressSpace::Uniform, "{}", kernel.name);
                assert_eq!(binding.binding as usize, kernel.num_buffers, "{}: the numbers come last", kernel.name);
                check_params(kernel, &module, &module.types[variable.ty].inner);
            } else {
                assert!(matches!(variable.space, AddressSpace::Storage { .. }), "{}: {:?}", kernel.name, variable.name);
            }
        }
        assert_eq!(bindings, (0..=kernel.num_buffers as u32).collect::<Vec<_>>(), "{}", kernel.name);
    }
}

/// The WGSL struct `Params` has the fields of the Rust struct, each a `u32` right after the one before.
fn check_params(kernel: &Kernel, module: &Module, inner: &TypeInner) {
    let TypeInner::Struct { members, .. } = inner else { panic!("{}: params is a struct", kernel.name) };
    let names: Vec<&str> = members.iter().filter_map(|member| member.name.as_deref()).collect();
    assert_eq!(names, kernel.params, "{}", kernel.name);
    for (member, index) in members.iter().zip(0..) {
        assert_eq!(module.types[member.ty].inner, TypeInner::Scalar(Scalar::U32), "{}", kernel.name);
        assert_eq!(member.offset, 4 * index, "{}", kernel.name);
    }
}

#[test]
fn every_shader_in_the_folder_is_a_kernel_with_a_twin() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let mut files: Vec<String> = std::fs::read_dir(format!("{root}shaders"))
        .expect("the folder of shaders")
        .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut names: Vec<String> = ALL.iter().map(|kernel| format!("{}.wgsl", kernel.name)).collect();
    names.sort();
    assert_eq!(files, names);
    for kernel in ALL {
        let twin = format!("crates/moe-kernels/src/cpu/{}.rs", kernel.name);
        assert!(std::path::Path::new(root).join(&twin).exists(), "{twin} is missing");
        assert!(kernel.wgsl.contains(&format!("// CPU twin: {twin}")), "{} does not name its twin", kernel.name);
    }
}

#[test]
fn every_kernel_is_bound_within_what_all_webgpu_devices_have() {
    for kernel in ALL {
        assert!(kernel.num_buffers <= 8, "{} has {} storage buffers", kernel.name, kernel.num_buffers);
    }
}

#[test]
fn every_kernel_is_compared_with_its_twin_on_a_gpu() {
    let comparisons = include_str!("twins.rs");
    for kernel in ALL {
        let row = format!("\n        \"{}\" => ", kernel.name);
        assert!(comparisons.contains(&row), "{} has no row in moe-kernels/tests/twins.rs", kernel.name);
    }
}
