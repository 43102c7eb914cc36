"""clkl_reference_run and clkl_engine_run for numpy arrays, through ctypes: the structs of clkl.h, and a
call that fills them.

Arrays are C-contiguous and have an axis for each of the shape, of extent 1 where they are repeated.
"""
import ctypes
from ctypes import POINTER, Structure, c_char, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t, \
    c_uint32, c_uint64, c_void_p
from dataclasses import dataclass

import numpy as np

MAX_RANK = 9
STANDARD_NORMAL, MOMENTS, MEAN_LOGVAR, MEAN_LOGSTD, MEAN_VAR, MEAN_STD, DETERMINISTIC = range(7)
F32, F64, F16, BF16 = range(1, 5)
STRIDED = 2
MASK, WEIGHTS, LENGTHS = 1, 2, 3
NO_RESULT = 2
KEEP_NONE = 0x80000000
FALLBACK_FORBIDDEN = 1
DTYPES = {np.dtype(np.float32): F32, np.dtype(np.float64): F64, np.dtype(np.float16): F16,
          np.dtype(np.uint16): BF16}  # numpy has no bf16


class Gaussian(Structure):
    _fields_ = [("form", c_int), ("dtype", c_int), ("layout", c_int), ("split_axis", c_uint32),
                ("mean_strides", c_int64 * MAX_RANK), ("scale_strides", c_int64 * MAX_RANK),
                ("reserved", c_uint64 * 8)]


class Weights(Structure):
    _fields_ = [("kind", c_int), ("dtype", c_int), ("layout", c_int), ("length_axis", c_uint32),
                ("strides", c_int64 * MAX_RANK), ("reserved", c_uint64 * 8)]


class Spec(Structure):
    _fields_ = [("struct_size", c_size_t), ("rank", c_uint32), ("outputs", c_uint32),
                ("shape", c_uint64 * MAX_RANK), ("p", Gaussian), ("q", Gaussian),
                ("compute", c_int), ("clamp", c_int), ("clamp_low", c_double),
                ("clamp_high", c_double), ("keep", c_uint32), ("batch_reduction", c_int),
                ("reserved", c_uint64 * 8), ("weights", Weights), ("gradients", c_uint32),
                ("gradient_dtype", c_int), ("gradient_update", c_int), ("free_nats", c_double)]


class Factors(Structure):
    _fields_ = [("given", c_uint32), ("zero", c_uint32), ("p", c_double), ("q", c_double)]


class HostArgs(Structure):
    _fields_ = [("struct_size", c_size_t)] + [
        (name, c_void_p) for name in ("p_mean", "p_scale", "q_mean", "q_scale", "result",
                                      "value_status", "clamp_counts")] + [
        ("batch", c_uint64), ("reserved", c_uint64 * 8)] + [
        (name, c_void_p) for name in ("weights", "upstream", "values", "p_mean_gradient",
                                      "p_scale_gradient", "q_mean_gradient",
                                      "q_scale_gradient")] + [("factors", Factors)]


class EngineOptions(Structure):
    _fields_ = [("struct_size", c_size_t), ("device", c_char_p), ("fallback", c_int),
                ("reserved", c_uint64 * 8)]


class Error(Structure):
    _fields_ = [("struct_size", c_size_t), ("status", c_int), ("opencl_code", c_int32),
                ("call", c_char * 48), ("message", c_char * 400), ("build_log", c_char * 4096)]


@dataclass
class Side:
    form: int = STANDARD_NORMAL
    mean: np.ndarray = None
    scale: np.ndarray = None


def pointer(array):
    if array is None:
        return None
    assert array.flags.c_contiguous
    return array.ctypes.data


def strides_of(array, shape):
    strides = (c_int64 * MAX_RANK)()
    for axis, extent in enumerate(shape):
        if array.shape[axis] != 1 or extent == 1:
            strides[axis] = array.strides[axis] // array.itemsize
    return strides


def gaussian_of(side, shape):
    gaussian = Gaussian(form=side.form, layout=STRIDED)
    if side.mean is not None:
        gaussian.dtype = DTYPES[side.mean.dtype]
        gaussian.mean_strides = strides_of(side.mean, shape)
    if side.scale is not None:
        gaussian.scale_strides = strides_of(side.scale, shape)
    return gaussian


def weights_of(weights, length_axis, shape):
    """Bytes are a mask, numbers are weights, and uint32 are lengths."""
    if weights is None:
        return Weights()
    if weights.dtype == np.uint32:
        return Weights(kind=LENGTHS, length_axis=length_axis)
    if weights.dtype == np.uint8:
        return Weights(kind=MASK, layout=STRIDED, strides=strides_of(weights, shape))
    return Weights(kind=WEIGHTS, dtype=DTYPES[weights.dtype], layout=STRIDED,
                   strides=strides_of(weights, shape))


class Library:
    """The reference, or, where `device` is not None, an engine on the device of that name."""

    def __init__(self, path, device=None):
        self.clkl = ctypes.CDLL(path)
        structs = [POINTER(Spec), POINTER(HostArgs), POINTER(Error)]
        self.clkl.clkl_reference_run.argtypes = structs
        self.clkl.clkl_engine_run.argtypes = [c_void_p, *structs]
        self.engine = None
        if device is not None:
            self.create_engine(device)

    def create_engine(self, device):
        options = EngineOptions(struct_size=ctypes.sizeof(EngineOptions), device=device.encode(),
                                fallback=FALLBACK_FORBIDDEN)
        engine, error = c_void_p(), Error(struct_size=ctypes.sizeof(Error))
        create = self.clkl.clkl_engine_create
        create.argtypes = [POINTER(EngineOptions), POINTER(c_void_p), POINTER(Error)]
        if create(options, engine, error) != 0:
            raise ValueError(error.message.decode())
        self.engine = engine

    def run(self, *structs):
        if self.engine is None:
            return self.clkl.clkl_reference_run(*structs)
        return self.clkl.clkl_engine_run(self.engine, *structs)

    def call(self, shape, p, q=Side(), *, keep=1, batch_sum=False, clamp=None, weights=None,
             length_axis=0, free_nats=0.0, gradients=None, gradient_dtype=np.float64,
             upstream=None, values=None, factors=None):
        """The values, or, where `gradients` has arrays to be added to by name, nothing: these are
        written. Everything is computed in double precision."""
        spec = Spec(struct_size=ctypes.sizeof(Spec), rank=len(shape), p=gaussian_of(p, shape),
                    q=gaussian_of(q, shape), compute=F64, keep=keep, batch_reduction=batch_sum,
                    weights=weights_of(weights, length_axis, shape), free_nats=free_nats)
        spec.shape[:len(shape)] = shape
        if clamp is not None:
            spec.clamp, (spec.clamp_low, spec.clamp_high) = 1, clamp
        args = HostArgs(struct_size=ctypes.sizeof(HostArgs), p_mean=pointer(p.mean),
                        p_scale=pointer(p.scale), q_mean=pointer(q.mean),
                        q_scale=pointer(q.scale), weights=pointer(weights),
                        upstream=pointer(upstream), values=pointer(values))
        if factors is not None:
            args.factors = Factors(1, 0, *factors)
        kept = [extent for axis, extent in enumerate(shape) if keep >> axis & 1]
        result = np.full(kept, np.nan)
        if gradients is None:
            args.result = pointer(result)
        else:
            spec.outputs, spec.gradient_dtype = NO_RESULT, DTYPES[np.dtype(gradient_dtype)]
            for bit, name in enumerate(("p_mean", "p_scale", "q_mean", "q_scale")):
                if name in gradients:
                    spec.gradients |= 1 << bit
                    setattr(args, name + "_gradient", pointer(gradients[name]))
        error = Error(struct_size=ctypes.sizeof(Error))
        if self.run(spec, args, error) != 0:
            raise ValueError(error.message.decode())
        return result
