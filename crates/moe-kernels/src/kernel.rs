//! What a kernel is, and the macro that makes everything else of its row in `ops.rs`.

use burn::backend::DispatchTensor;
use burn::tensor::Tensor;
use burn::tensor::kind::Basic;

/// A compute kernel as it lies in `shaders/`: entry point `main`, workgroups of 64 in one dimension.
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    pub name: &'static str,
    pub wgsl: &'static str,
    /// Storage buffers in group 0, in order of binding: what is read, then what is written. The uniform `params` comes last.
    pub num_buffers: usize,
    /// Members of the WGSL struct `Params`, all `u32`.
    pub params: &'static [&'static str],
}

/// Invocations per workgroup, for every kernel.
pub const WORKGROUP_SIZE: u32 = 64;

/// Tensors as an operation's row names them, with their number of dimensions.
pub mod tensors {
    use burn::tensor::{Int, Tensor};

    pub type FloatTensor<const D: usize> = Tensor<D>;
    pub type IntTensor<const D: usize> = Tensor<D, Int>;
}

/// What an operation gives: a tensor, or one that it wrote into and new ones.
pub(crate) trait Output {
    type Dispatched;

    fn from_dispatch(dispatched: Self::Dispatched) -> Self;
}

impl<const D: usize, K: Basic> Output for Tensor<D, K> {
    type Dispatched = DispatchTensor;

    fn from_dispatch(dispatched: DispatchTensor) -> Self {
        Tensor::from_dispatch(dispatched)
    }
}

impl<A: Output, B: Output> Output for (A, B) {
    type Dispatched = (A::Dispatched, B::Dispatched);

    fn from_dispatch(dispatched: Self::Dispatched) -> Self {
        (A::from_dispatch(dispatched.0), B::from_dispatch(dispatched.1))
    }
}

impl<A: Output, B: Output, C: Output> Output for (A, B, C) {
    type Dispatched = (A::Dispatched, B::Dispatched, C::Dispatched);

    fn from_dispatch(dispatched: Self::Dispatched) -> Self {
        (A::from_dispatch(dispatched.0), B::from_dispatch(dispatched.1), C::from_dispatch(dispatched.2))
    }
}

/// Makes of rows `NAME = name(what is read) with Params, into what is written, given a size -> (what comes out)`: the
/// constant `NAME`, the list `ALL`, the trait `MoeOps` with a method for each kernel, and a function that launches it.
/// The trait's methods take what the function takes, as the backend's own tensors.
macro_rules! kernels {
    ($(
        $(#[$doc:meta])*
        $constant:ident = $name:ident $(<$generic:ident>)? ($($read:ident: $read_kind:ident<$read_dims:tt>),+)
            with $params:ident
            $(, into $written:ident: $written_kind:ident<$written_dims:tt>)?
            $(, given $size:ident)?
            -> ($($out_kind:ident<$out_dims:tt>),+);
    )+) => {
        $(
            #[doc = concat!("`shaders/", stringify!($name), ".wgsl`")]
            pub const $constant: Kernel = Kernel {
                name: stringify!($name),
                wgsl: include_str!(concat!("../../../shaders/", stringify!($name), ".wgsl")),
                num_buffers: [$(stringify!($read)),+].len() + [$(stringify!($out_kind)),+].len(),
                params: $params::FIELDS,
            };
        )+

        /// All kernels, in the order in which a step runs them.
        pub const ALL: &[Kernel] = &[$($constant),+];

        /// The kernels, one method each, for every backend that can run them. Shapes as in `cpu/<name>.rs`.
        #[backend_extension(Cube: cfg(feature = "gpu"), Flex)]
        pub trait MoeOps: Backend {
            $(
                $(#[$doc])*
                fn $name(
                    $($read: $read_kind<Self>,)+
                    params: $params,
                    $($written: $written_kind<Self>,)?
                    $($size: usize,)?
                ) -> ($($out_kind<Self>),+);
            )+
        }

        $(
            $(#[$doc])*
            pub fn $name $(<const $generic: usize>)? (
                $($read: &tensors::$read_kind<$read_dims>,)+
                params: $params,
                $($written: tensors::$written_kind<$written_dims>,)?
                $($size: usize,)?
            ) -> ($(tensors::$out_kind<$out_dims>),+) {
                Output::from_dispatch(<Dispatch as MoeOps>::$name(
                    $($read.clone().into_dispatch(),)+
                    params,
                    $($written.into_dispatch(),)?
                    $($size,)?
                ))
            }
        )+
    };
}

pub(crate) use kernels;
