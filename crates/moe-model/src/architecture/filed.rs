//! Weights under the names of their file: what burn's own visitors and records then see.

use burn::module::{Devices, Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

use super::Architecture;
use crate::weights::Weights;

/// A model's parameters; a walk through them meets the names of `architecture`, not those of our modules. So
/// files stay readable when modules move.
#[derive(Debug, Clone)]
pub struct Filed {
    pub weights: Weights,
    pub architecture: Architecture,
}

impl Filed {
    fn with(self, change: impl FnOnce(Weights) -> Weights) -> Filed {
        Filed { weights: change(self.weights), architecture: self.architecture }
    }
}

impl Module for Filed {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        let mut renaming = Renaming { inner: visitor, architecture: self.architecture, path: Vec::new() };
        self.weights.visit(&mut renaming);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Filed {
        let mut renaming = Renaming { inner: mapper, architecture: self.architecture, path: Vec::new() };
        Filed { weights: self.weights.map(&mut renaming), architecture: self.architecture }
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.weights.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Filed {
        self.with(|weights| weights.fork(device))
    }

    fn to_device(self, device: &Device) -> Filed {
        self.with(|weights| weights.to_device(device))
    }

    fn train(self) -> Filed {
        self.with(Module::train)
    }

    fn valid(&self) -> Filed {
        Filed { weights: self.weights.valid(), architecture: self.architecture }
    }

    fn materialize(self) -> Filed {
        self.with(Module::materialize)
    }
}

/// Passes on every parameter under its name in the file; a parameter without one keeps our path, which no file has.
struct Renaming<'a, T> {
    inner: &'a mut T,
    architecture: Architecture,
    path: Vec<String>,
}

impl<T> Renaming<'_, T> {
    fn name(&self) -> String {
        self.architecture.in_file(&self.path).map_or_else(|| self.path.join("."), |(name, _)| name)
    }
}

impl<V: ModuleVisitor> ModuleVisitor for Renaming<'_, V> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let name = self.name();
        self.inner.enter_module(&name, "File");
        self.inner.visit_float(parameter);
        self.inner.exit_module(&name, "File");
    }
}

impl<M: ModuleMapper> ModuleMapper for Renaming<'_, M> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.name();
        self.inner.enter_module(&name, "File");
        let parameter = self.inner.map_float(parameter);
        self.inner.exit_module(&name, "File");
        parameter
    }
}
