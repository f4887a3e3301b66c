"""Figures of Mixture-of-Experts routing in notebooks, and traces of routing to look at in them."""

from .trace import Trace
from .widget import MoEPlayground

__all__ = ["MoEPlayground", "Trace"]
__version__ = "0.1.0"
