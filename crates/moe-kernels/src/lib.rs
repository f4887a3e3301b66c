//! WGSL kernels of the fused path, their CPU twins, and the burn operations that launch either.
