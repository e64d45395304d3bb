"""Shipped models: their description, the verified store they come from, and the sessions that run them."""

from mojing.runtime.session import Session
from mojing.runtime.spec import ModelSpec, TensorSpec
from mojing.runtime.store import Check, ModelStore

__all__ = ["Check", "ModelSpec", "ModelStore", "Session", "TensorSpec"]
